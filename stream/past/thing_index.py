"""The things of every remembered clip, read once and kept: what search and summaries go through.

Reading hours of clips takes seconds, going through their things milliseconds. What is kept here is
checked against the store's list of moments each time: of a clip that was forgotten or folded nothing
is left.
"""

import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from memory.store import ClipStore, Moment
from model.engine.contract import Engine
from model.types import ClipTokens
from stream.name_locks import NameLocks
from stream.past.presence import Shown

_MOST_CLIPS = 22_000
"""Clips of one stream that are gone through, the newest: a day of one that is looked at once a second."""
_MOST_KEPT = 60_000
"""Clips of all streams whose things are kept; the streams that were asked about longest ago go first."""
_PAGE = 64


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of a stream in a time, by its things.

    Attributes:
        stream: Its name.
        began: Unix second of media second 0.
        clips: Oldest first.
        whole: Whether that is all of it; of very long streams it is the newest part.
    """

    stream: str
    began: float
    clips: tuple[Shown, ...]
    whole: bool = True


@dataclass(slots=True)
class _Known:
    began: float
    clips: dict[Moment, Shown] = field(default_factory=dict)


class ThingIndex:
    """Reads what clips show.

    Args:
        engine: Says what they show.
        store: Has them.
    """

    def __init__(self, engine: Engine, store: ClipStore) -> None:
        self._engine = engine
        self._store = store
        self._kept: OrderedDict[str, _Known] = OrderedDict()
        self._locks = NameLocks()

    async def read(
        self, stream: str, since: float = -math.inf, until: float = math.inf
    ) -> Remembered:
        """Return what `stream` showed from one media second to another.

        An unknown stream has shown nothing, nor has one whose model has no words.

        Raises:
            StoreUnavailable: If memory cannot be read.
            EncoderMismatch: If what is remembered was made by another vision encoder.
        """
        async with self._locks(stream):
            record = await self._store.find(stream)
            if record is None or await self._engine.things([]) is None:
                self._kept.pop(stream, None)
                return Remembered(stream, 0.0 if record is None else record.began, ())
            moments = await self._store.moments(stream, limit=_MOST_CLIPS)
            known = self._kept.pop(stream, None)
            if known is None or known.began != record.began:
                known = _Known(record.began)
            known.clips = {m: known.clips[m] for m in moments if m in known.clips}
            wanted = [m for m in moments if m.end >= since and m.start <= until]
            for gap in list(_gaps(wanted, known)):
                await self._fill(stream, gap, known)
            self._keep(stream, known)
        clips = tuple(known.clips[m] for m in wanted)
        whole = len(moments) < _MOST_CLIPS or moments[0].start <= since
        return Remembered(stream, record.began, clips, whole)

    async def _fill(self, stream: str, gap: Sequence[Moment], known: _Known) -> None:
        page: list[ClipTokens] = []
        first = math.nextafter(gap[0].start, -math.inf)
        async for clip in self._store.clips(stream, first, gap[-1].start):
            page.append(clip)
            if len(page) == _PAGE:
                await self._put(page, known)
                page = []
        await self._put(page, known)
        for moment in gap:  # one that is damaged shows nothing, and is not read again
            known.clips.setdefault(moment, Shown(moment.start, moment.end, ()))

    async def _put(self, clips: Sequence[ClipTokens], known: _Known) -> None:
        shown = await self._engine.things(clips) or []
        for clip, things in zip(clips, shown, strict=True):
            seen = Shown(clip.start, clip.end, tuple(things), clip.frames)
            known.clips[Moment(clip.start, clip.end)] = seen

    def _keep(self, stream: str, known: _Known) -> None:
        self._kept[stream] = known
        while len(self._kept) > 1 and sum(len(k.clips) for k in self._kept.values()) > _MOST_KEPT:
            self._kept.popitem(last=False)


def _gaps(moments: Sequence[Moment], known: _Known) -> Iterator[list[Moment]]:
    """Yield the stretches of neighbouring moments of which nothing is known."""
    gap: list[Moment] = []
    for moment in moments:
        if moment not in known.clips:
            gap.append(moment)
        elif gap:
            yield gap
            gap = []
    if gap:
        yield gap
