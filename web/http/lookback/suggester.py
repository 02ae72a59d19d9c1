"""Thinks of questions about a stream from what it has shown; what every clip shows is read once."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from memory.errors import EncoderMismatch
from memory.store import ClipStore, Moment
from model.engine.contract import Engine
from model.types import ClipTokens
from model.vision.things import Thing
from web.http.lookback.suggestions import GENERAL, Suggestion, suggest

_NEWEST = 512
"""Clips that are looked at: half an hour of a stream that is looked at once a second."""
_STREAMS = 32
"""Streams whose things are kept; those asked about longest ago are let go."""
CLIPS_AT_ONCE = 64
"""Clips that are read together: their tokens need memory meanwhile."""


@dataclass(slots=True)
class _KnownStream:
    """What is known of one stream.

    Attributes:
        began: Of a stream that was deleted and begun anew nothing of before counts.
        moments: The clips that the suggestions rest on.
        things: What each of them shows, by its start.
        suggestions: Questions to try.
    """

    began: float
    moments: list[Moment] = field(default_factory=list)
    things: dict[float, Sequence[Thing]] = field(default_factory=dict)
    suggestions: tuple[Suggestion, ...] = suggest(())


class Suggester:
    """Suggests questions.

    Args:
        engine: Says what clips show.
        store: Has the clips.
    """

    def __init__(self, engine: Engine, store: ClipStore) -> None:
        self._engine = engine
        self._store = store
        self._kept: OrderedDict[str, _KnownStream] = OrderedDict()
        # All pages of a stream ask when a clip came: the first has the work done for the others.
        self._lock = asyncio.Lock()

    async def suggest(self, stream: str, began: float) -> tuple[Suggestion, ...]:
        """Return questions to try.

        Args:
            stream: What they are about.
            began: When it began, in Unix seconds.

        Raises:
            StoreUnavailable: If memory cannot be read.
        """
        async with self._lock:
            if await self._engine.things([]) is None:
                return GENERAL
            known = self._kept.pop(stream, None)
            if known is None or known.began != began:
                known = _KnownStream(began)
            self._kept[stream] = known
            if len(self._kept) > _STREAMS:
                self._kept.popitem(last=False)
            try:
                await self._bring_up_to_date(stream, known)
            except EncoderMismatch:  # another model saw them: ours cannot read them
                return GENERAL
        return known.suggestions

    async def _bring_up_to_date(self, stream: str, known: _KnownStream) -> None:
        moments = await self._store.moments(stream, limit=_NEWEST)
        if moments == known.moments:
            return
        starts = [moment.start for moment in moments]
        known.things = {start: known.things[start] for start in starts if start in known.things}
        if missing := [start for start in starts if start not in known.things]:
            await self._read(stream, missing[0], known.things)
            for start in missing:  # one that is damaged shows nothing, and is not read again
                known.things.setdefault(start, ())
        known.moments = moments
        known.suggestions = suggest([known.things[start] for start in starts])

    async def _read(self, stream: str, first: float, shown: dict[float, Sequence[Thing]]) -> None:
        """Read what the clips that are remembered show, from the one that starts at `first` on."""
        page: list[ClipTokens] = []
        async for clip in self._store.clips(stream, after=math.nextafter(first, -math.inf)):
            page.append(clip)
            if len(page) == CLIPS_AT_ONCE:
                await self._put(page, shown)
                page = []
        await self._put(page, shown)

    async def _put(self, clips: list[ClipTokens], shown: dict[float, Sequence[Thing]]) -> None:
        said = await self._engine.things(clips) or []
        for clip, things in zip(clips, said, strict=True):
            shown[clip.start] = things
