"""Which streams people ask about, and their histories read ahead after a restart.

The history of a long stream takes seconds to read. So the service notes in memory which streams are
asked about, and begins with the newest as soon as the model is loaded, while everything else is opened.
Each is read in the background: clips and people's questions go first, and a question about a stream
that is being read joins in.
"""

import asyncio
import logging
from contextlib import aclosing
from typing import Protocol, runtime_checkable

from memory.errors import StoreError, StoreFull, StoreUnavailable
from memory.store import ClipStore
from model.engine.contract import Engine, Past
from model.errors import ModelError
from model.types import Question
from stream.frames.timeline import Clock

log = logging.getLogger(__name__)

_STREAMS = 8
"""Streams whose histories are read ahead, at most."""
_SHARE = 0.5
"""Of the memory for histories that they may fill: the rest is for whatever is asked about next."""
_AT_MOST_EVERY = 10.0
"""Seconds between two notes."""


class AskedStreams:
    """Notes which streams people ask about.

    Args:
        store: Where to.
        wall: Unix seconds.
    """

    def __init__(self, store: ClipStore, wall: Clock) -> None:
        self._store = store
        self._wall = wall
        self._unwritten: dict[str, float] = {}
        self._some = asyncio.Event()

    def note(self, stream: str) -> None:
        """Take down that a person asks about `stream` now. Never waits."""
        self._unwritten.pop(stream, None)
        self._unwritten[stream] = self._wall()
        if len(self._unwritten) > _STREAMS:  # only the newest are of use
            del self._unwritten[next(iter(self._unwritten))]
        self._some.set()

    async def run(self) -> None:
        """Write notes down, until cancelled; what memory does not take is not tried again."""
        while True:
            await self._some.wait()
            self._some.clear()
            notes, self._unwritten = self._unwritten, {}
            for stream, at in notes.items():
                try:
                    await self._store.note_asked(stream, at)
                except (StoreFull, StoreUnavailable) as error:
                    log.debug("that %s was asked about is not noted: %s", stream, error)
            await asyncio.sleep(_AT_MOST_EVERY)


@runtime_checkable
class _BoundedHistories(Protocol):
    """An engine that says how much memory its histories take, and may take."""

    @property
    def history_bytes(self) -> int: ...

    @property
    def history_budget(self) -> int: ...


async def read_ahead(engine: Engine, store: ClipStore) -> None:
    """Have the histories of the streams that people asked about last read, the newest question first.

    What cannot be read is left to the first question about it.
    """
    try:
        records = await store.streams()
    except StoreError as error:
        log.debug("no history is read ahead: %s", error)
        return
    asked = {r.name: r.asked for r in records if r.asked is not None and r.clips}
    for stream in sorted(asked, key=lambda name: -asked[name])[:_STREAMS]:
        if _holds_enough(engine):
            return
        try:
            await _read(engine, Past(stream, store))
        except (StoreError, ModelError) as error:
            log.debug("the history of %s is not read ahead: %s", stream, error)


def _holds_enough(engine: Engine) -> bool:
    if not isinstance(engine, _BoundedHistories):
        return False
    return engine.history_bytes > _SHARE * engine.history_budget


async def _read(engine: Engine, past: Past) -> None:
    # A question that needs no answer: it has its place in the line of what nobody waits for.
    question = Question("", tokens=0, background=True)
    async with aclosing(engine.answer(past, question)) as pieces:
        async for _ in pieces:
            pass
