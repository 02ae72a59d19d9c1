"""How much of what was seen is kept, and for how long: bounds in bytes and in age.

Past its quota a stream does not lose its past at once, it loses detail with age:

    whole clips -> int4 -> two clips as one -> four -> eight -> sixteen -> forgotten

Each step takes about half of what the one before took, and is left half of its share of the quota; so
every step covers about as much time as the whole clips do, and a stream that never ends is held for
two to three times as long as its quota holds whole clips. What is held how is in the stream's record, from the very
transaction that changes it.

Nothing is touched while a stream is within its quota, and then much at once: every change makes a
history in the language model out of date.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, inf, log2, nextafter

from memory.errors import PastChanged, StoreFull
from memory.store import (
    RECORD_VERSION,
    ClipStore,
    Kept,
    Moment,
    StreamRecord,
)
from model.types import ClipTokens

log = logging.getLogger(__name__)

Join = Callable[[ClipTokens, ClipTokens], ClipTokens]
"""Makes one clip of two neighbours: its rows are those of one clip, its time and frames of both."""

_STEPS = 6
"""Forms that a clip goes through, see above."""
_BATCH = 16
"""Clips that are changed at once: the event loop goes on in between."""
_ENOUGH = 7 / 8
"""Share of the quota at which shrinking stops: room for some time to come."""
_LONGEST_GAP = 60.0
"""Seconds between two clips that may become one; what lies further apart is not one thing."""


@dataclass(frozen=True, slots=True)
class RetentionLimits:
    """What may be kept.

    Attributes:
        each: Bytes of one stream; None is without a bound.
        total: Bytes of all streams; None is without a bound.
        keep: Seconds after which what was seen is forgotten, unless a stream has its own; None is
            never.
    """

    each: int | None = None
    total: int | None = None
    keep: float | None = None


class Retention:
    """Keeps what is remembered within its bounds.

    Args:
        store: What is remembered.
        limits: The bounds.
        frames: That a whole clip has.
        join: Makes one clip of two.
    """

    def __init__(
        self, store: ClipStore, limits: RetentionLimits, *, frames: int, join: Join
    ) -> None:
        self._store = store
        self._limits = limits
        self._frames = frames
        self._join = join

    async def enforce(self, now: float) -> None:
        """Forget what is too old at `now`, Unix seconds, and shrink what is too large.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        for record in await self._store.streams():
            await self._expire(await self._up_to_date(record), now)
        records = await self._store.streams()
        for record, quota in quotas(records, self._limits):
            try:
                await self.shrink(record.name, quota)
            except (PastChanged, KeyError):
                continue  # somebody else does the same, or deleted it; next time
            except StoreFull as error:
                log.warning("stream %s cannot be shrunk, but forgotten: %s", record.name, error)

    async def shrink(self, stream: str, quota: int) -> None:
        """Bring a stream below `quota` bytes, step by step, the oldest of each step first.

        Raises:
            KeyError: If there is no such stream (any more).
            PastChanged: If another process changes its past meanwhile.
            StoreFull: If the store is so full that nothing may be replaced.
        """
        for step in range(_STEPS):
            kept = await self._store.kept(stream)
            if sum(clip.bytes for clip in kept) <= _ENOUGH * quota:
                return
            here = [clip for clip in kept if step_of(clip, self._frames) == step]
            share = quota / 2 ** min(step + 1, _STEPS - 1)
            surplus = {clip.start for clip in _oldest(here, share)}
            if step == _STEPS - 1:  # and what could not be folded, if that is too much
                surplus = {clip.start for clip in _oldest(kept, quota)} or surplus
            for batch in _batches(kept, surplus):
                if step == _STEPS - 1:
                    await self._store.forget_range(stream, -inf, batch[-1].start)
                else:
                    await self._rewrite(stream, batch, fold=step > 0)
                await asyncio.sleep(0)

    async def _up_to_date(self, record: StreamRecord) -> StreamRecord:
        """Return the record of a stream that an older version left, with what its clips take."""
        if record.version >= RECORD_VERSION:
            return record
        try:
            return await self._store.resume(record.name, record.began)
        except (KeyError, StoreFull) as error:  # deleted meanwhile, or next time
            log.debug("stream %s is left as it was: %s", record.name, error)
            return record

    async def _expire(self, record: StreamRecord, now: float) -> None:
        keep = self._limits.keep if record.keep is None else record.keep
        if keep is not None and record.clips:
            await self._store.forget_range(record.name, -inf, now - record.began - keep)

    async def _rewrite(self, stream: str, batch: Sequence[Kept], *, fold: bool) -> None:
        """Write clips anew: in int4, or two as one.

        Raises:
            KeyError: If there is no such stream (any more).
        """
        record = await self._store.find(stream)
        if record is None:
            raise KeyError(stream)
        span = Moment(batch[0].start, batch[-1].start)
        before = nextafter(span.start, -inf)
        clips = [c async for c in self._store.clips(stream, after=before, until=span.end)]
        if fold:
            clips = await asyncio.to_thread(self._folded, clips)
        await self._store.replace(stream, span, clips, generation=record.generation, form="int4")

    def _folded(self, clips: Sequence[ClipTokens]) -> list[ClipTokens]:
        """Return two clips each as one; a clip too far from its neighbours stays as it is."""
        found: list[ClipTokens] = []
        single = False
        for clip in clips:
            if single and clip.start - found[-1].end <= _LONGEST_GAP:
                found[-1] = self._join(found[-1], clip)
                single = False
            else:
                found.append(clip)
                single = True
        return found


def quotas(
    records: Sequence[StreamRecord], limits: RetentionLimits
) -> list[tuple[StreamRecord, int]]:
    """Return the streams that are too large, with what each may take.

    All streams together are bounded by an equal bound for each: small streams keep all they have, and
    whoever takes more than the others gives first.
    """
    each = inf if limits.each is None else limits.each
    if limits.total is not None and sum(min(r.bytes, each) for r in records) > limits.total:
        each = equal_bound([min(record.bytes, each) for record in records], limits.total)
    return [(record, int(each)) for record in records if record.bytes > each]


def equal_bound(sizes: Sequence[float], total: int) -> float:
    """Return the bound for each of `sizes` with which all together take `total`."""
    left = float(total)
    for number, size in enumerate(sorted(sizes)):
        share = left / (len(sizes) - number)
        if size > share:
            return share
        left -= size
    return inf


def _oldest(kept: Sequence[Kept], most: float) -> list[Kept]:
    """Return the oldest of `kept` without which the others take `most` bytes."""
    surplus = sum(clip.bytes for clip in kept) - most
    found = []
    for clip in kept:
        if surplus <= 0:
            break
        found.append(clip)
        surplus -= clip.bytes
    return found


def step_of(clip: Kept, frames: int) -> int:
    """Return which step a clip is at: 0 is whole, 1 fewer bits, then 2, 4, 8, 16 clips as one."""
    if clip.form != "int4":
        return 0
    return min(1 + ceil(log2(max(1.0, clip.frames / frames))), _STEPS - 1)


def _batches(kept: Sequence[Kept], chosen: set[float]) -> Iterator[list[Kept]]:
    """Yield the chosen clips, neighbours together, an even number where that can be."""
    for wanted, run in groupby(kept, key=lambda clip: clip.start in chosen):
        clips = list(run)
        if wanted:
            yield from (clips[at : at + _BATCH] for at in range(0, len(clips), _BATCH))
