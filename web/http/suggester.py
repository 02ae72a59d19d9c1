"""Thinks of questions about a stream from what it has shown; every clip is put into words once."""

import asyncio
import math
from collections import OrderedDict
from dataclasses import dataclass, field

from memory.store import ClipStore, EncoderMismatch, Moment
from model.engine.contract import Engine
from model.types import ClipTokens
from web.http.suggestions import GENERAL, ClipInWords, Suggestion, suggest

_NEWEST = 512
"""Clips that are looked at: half an hour of a stream that is looked at once a second."""
_STREAMS = 32
"""Streams whose words are kept; those asked about longest ago are let go."""
CLIPS_AT_ONCE = 64
"""Clips that are put into words together: their tokens need memory meanwhile."""


@dataclass(slots=True)
class _Known:
    """What is known of one stream.

    Attributes:
        began: Of a stream that was deleted and begun anew nothing of before counts.
        moments: The clips that the suggestions rest on.
        words: The clips in words, by their start.
        suggestions: Questions to try.
    """

    began: float
    moments: list[Moment] = field(default_factory=list)
    words: dict[float, ClipInWords] = field(default_factory=dict)
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
        self._kept: OrderedDict[str, _Known] = OrderedDict()
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
            if await self._engine.words([]) is None:
                return GENERAL
            known = self._kept.pop(stream, None)
            if known is None or known.began != began:
                known = _Known(began)
            self._kept[stream] = known
            if len(self._kept) > _STREAMS:
                self._kept.popitem(last=False)
            try:
                await self._bring_up_to_date(stream, known)
            except EncoderMismatch:  # another model saw them: ours has no words for them
                return GENERAL
        return known.suggestions

    async def _bring_up_to_date(self, stream: str, known: _Known) -> None:
        moments = await self._store.moments(stream, limit=_NEWEST)
        if moments == known.moments:
            return
        starts = [moment.start for moment in moments]
        known.words = {start: known.words[start] for start in starts if start in known.words}
        if missing := [start for start in starts if start not in known.words]:
            await self._read(stream, missing[0], known.words)
            for start in missing:  # one that is damaged shows nothing, and is not read again
                known.words.setdefault(start, ClipInWords(start, ()))
        known.moments = moments
        known.suggestions = suggest([known.words[start] for start in starts])

    async def _read(self, stream: str, first: float, words: dict[float, ClipInWords]) -> None:
        """Put into words what is remembered from the clip that starts at `first` on."""
        page: list[ClipTokens] = []
        async for clip in self._store.clips(stream, after=math.nextafter(first, -math.inf)):
            page.append(clip)
            if len(page) == CLIPS_AT_ONCE:
                await self._put(page, words)
                page = []
        await self._put(page, words)

    async def _put(self, clips: list[ClipTokens], words: dict[float, ClipInWords]) -> None:
        said = await self._engine.words(clips) or []
        for clip, words_of in zip(clips, said, strict=True):
            words[clip.start] = ClipInWords(clip.start, words_of)
