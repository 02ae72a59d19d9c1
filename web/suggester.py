"""Thinks of questions about a stream from its newest clips, once for each clip whoever asks."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Sequence

from memory.store import ClipStore, ForeignTokens, Moment
from model.engine import Engine
from web.suggestions import GENERAL, ClipInWords, Suggestion, suggest

NEWEST = 16
"""Clips that are looked at: a minute of a stream that is looked at once a second."""
STREAMS = 64
"""Streams whose suggestions are kept; those asked about longest ago are let go."""


class Suggester:
    """Suggests questions.

    Args:
        engine: Says what clips show.
        store: Has the clips.
    """

    def __init__(self, engine: Engine, store: ClipStore) -> None:
        self._engine = engine
        self._store = store
        self._kept: OrderedDict[str, tuple[list[Moment], tuple[Suggestion, ...]]] = OrderedDict()
        # All pages of a stream ask when a clip came: the first has the work done for the others.
        self._lock = asyncio.Lock()

    async def suggest(self, stream: str) -> tuple[Suggestion, ...]:
        """Return questions to try about `stream`.

        Raises:
            StoreUnavailable: If memory cannot be read.
        """
        async with self._lock:
            moments = await self._store.moments(stream, limit=NEWEST)
            known = self._kept.pop(stream, None)
            if known is None or known[0] != moments:
                known = (moments, await self._think(stream, moments))
            self._kept[stream] = known
            if len(self._kept) > STREAMS:
                self._kept.popitem(last=False)
        return known[1]

    async def _think(self, stream: str, moments: Sequence[Moment]) -> tuple[Suggestion, ...]:
        first = math.nextafter(moments[0].start, -math.inf) if moments else math.inf
        try:
            clips = [clip async for clip in self._store.clips(stream, after=first)]
        except ForeignTokens:  # another model saw them: ours has no words for them
            return GENERAL
        words = await self._engine.words(clips)
        if words is None:
            return GENERAL
        return suggest([ClipInWords(c.start, said) for c, said in zip(clips, words, strict=True)])
