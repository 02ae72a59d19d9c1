"""When a watch would have fired: it is held against what is remembered, as it would have been live."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from memory.store import ClipStore
from model.engine.contract import Engine
from model.types import ClipTokens
from model.vision.vocabulary import WordTable
from stream.watches.records import Event, Watch
from stream.watches.running import RunningWatches

_PAGE = 64
_MOST_CLIPS = 20_000
"""Clips of a stream that are looked at, the newest: a day of one that is looked at once a second."""
_MOST_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a watch makes of what is remembered of one stream.

    Attributes:
        events: When it would have fired, oldest first; the first of very many.
        clips: How many clips were looked at.
    """

    events: tuple[Event, ...]
    clips: int


async def replay(
    watch: Watch, stream: str, engine: Engine, store: ClipStore, table: WordTable
) -> Replayed:
    """Hold `watch` against the clips of `stream` that are remembered, paused or not.

    Raises:
        StoreUnavailable: If memory cannot be read.
        EncoderMismatch: If what is remembered was made by another vision encoder.
    """
    record = await store.find(stream)
    running = RunningWatches(table)
    running.set(replace(watch, streams=(), paused=False, expires=None))
    newest = await store.moments(stream, limit=_MOST_CLIPS)
    if record is None or not newest:
        return Replayed((), 0)
    began, found, clips = record.began, dict[str, Event](), 0
    page: list[ClipTokens] = []

    async def look(page: Sequence[ClipTokens]) -> None:
        shown = await engine.things(page) or []
        for clip, things in zip(page, shown, strict=True):
            unix = began + clip.end
            for event in running.take(stream, things, clip.start, clip.end, unix):
                if event.id in found or len(found) < _MOST_EVENTS:
                    found[event.id] = event

    async for clip in store.clips(stream, after=newest[0].start - 1e-6):
        page.append(clip)
        clips += 1
        if len(page) == _PAGE:
            await look(page)
            page = []
    await look(page)
    return Replayed(tuple(found.values()), clips)
