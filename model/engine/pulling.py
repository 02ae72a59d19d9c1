"""Keeps histories in step with the memory that they are made from.

Clip tokens in memory are the truth, a history a cache of them: it may lag, it may be gone (other streams
needed its room, the service was started anew), it may have been made from a past that has changed since.
Before every answer what lacks is read from memory, and what is out of date is dropped.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from weakref import WeakValueDictionary

from model.engine.contract import Past
from model.types import ClipTokens

PAGE = 64
"""Clips that are read from memory before they are handed on."""


@runtime_checkable
class Histories(Protocol):
    """Where histories are held, by name; it may give any of them up at any time."""

    def reach(self, name: str) -> float | None:
        """Return the end of the newest clip given, in media seconds; None if nothing is held."""
        ...

    def add(
        self, name: str, clips: Sequence[ClipTokens], after: float | None, most: int | None
    ) -> None:
        """Add `clips`, oldest first; those that are known already are passed over.

        All are, if the history does not reach `after` (any more): they would leave a hole. It may
        take a while, and is called from any thread.
        """
        ...

    def receiving(self, name: str) -> AbstractContextManager[None]:
        """Return what is open while clips of a history come in several parts."""
        ...

    def forget(self, name: str) -> None:
        """Give up a history."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """From what a history was made."""

    stream: str
    generation: int | None


class Pulling:
    """See above.

    Args:
        histories: Are brought up to date.
    """

    def __init__(self, histories: Histories) -> None:
        self._histories = histories
        self._made: dict[str, _Made] = {}
        self._one_at_a_time: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def bring(self, past: Past) -> float | None:
        """Bring the history of `past` up to date; return how far it reaches, None without clips.

        Others may need its room meanwhile: then it is gone, or will be.
        """
        async with self._one_at_a_time.setdefault(past.name, asyncio.Lock()):
            # Before memory is asked: what is remembered meanwhile is in the history when that answers.
            held = self._histories.reach(past.name)
            extent = await past.source.find(past.stream)
            generation = None if extent is None else extent.generation
            self._drop_outdated(past.stream, generation)
            if past.name not in self._made and generation:
                # It only learned: perhaps before the past changed, of what is forgotten by now.
                self._histories.forget(past.name)
            end = None if extent is None else extent.end
            if held is not None and (end is None or end < held):
                self.forget(past.stream)  # memory lost what it was made from
            made = self._made[past.name] = _Made(past.stream, generation)
            with self._histories.receiving(past.name):
                return await self._read(past, made)

    def learn(self, stream: str, clip: ClipTokens, after: float | None) -> None:
        """See `Engine.learn`: a history with a hole would stay wrong, one that lags is read later."""
        if self._histories.reach(stream) == after:
            self._histories.add(stream, [clip], after, None)

    def forget(self, stream: str) -> None:
        """Drop every history of `stream`; what is being read for one is not handed on."""
        self._histories.forget(stream)
        for name in [name for name, made in self._made.items() if made.stream == stream]:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Drop one history."""
        self._histories.forget(name)
        self._made.pop(name, None)

    def _drop_outdated(self, stream: str, generation: int | None) -> None:
        """Drop what was made from another past of `stream`, and what is known of histories long gone."""
        for name, made in list(self._made.items()):
            if self._histories.reach(name) is None and name not in self._one_at_a_time:
                del self._made[name]
            elif made.stream == stream and made.generation != generation:
                self.drop(name)

    async def _read(self, past: Past, made: _Made) -> float | None:
        """Read from memory what the history of `past` lacks; return how far it then reaches."""
        reach = self._histories.reach(past.name)
        for first, last in past.spans:
            after = max(math.nextafter(first, -math.inf), -math.inf if reach is None else reach)
            page: list[ClipTokens] = []
            async for tokens in past.source.clips(past.stream, after, last):
                page.append(tokens)
                if len(page) == PAGE:
                    # Beside the event loop: of a stream of hours most are folded at once.
                    await asyncio.to_thread(self._give, past, made, page, reach)
                    reach, page = page[-1].end, []
            if page:
                self._give(past, made, page, reach)
                reach = page[-1].end
        return reach

    def _give(
        self, past: Past, made: _Made, clips: Sequence[ClipTokens], after: float | None
    ) -> None:
        if self._made.get(past.name) is made:  # else it was forgotten meanwhile
            self._histories.add(past.name, clips, after, past.most)


@dataclass(frozen=True, slots=True)
class _GivenExtent:
    generation: int
    end: float | None


class GivenClips:
    """A `ClipSource` of clips in hand: those of one stream, oldest first."""

    def __init__(self, clips: Sequence[ClipTokens]) -> None:
        self._clips = clips

    async def find(self, stream: str) -> _GivenExtent:
        """See `ClipSource.find`."""
        return _GivenExtent(0, self._clips[-1].end if self._clips else None)

    async def clips(
        self, stream: str, after: float = -math.inf, until: float = math.inf
    ) -> AsyncIterator[ClipTokens]:
        """See `ClipSource.clips`."""
        for clip in list(self._clips):
            if after < clip.start <= until:
                yield clip
