"""A stream's record while this process writes it: what memory holds, as far as is known here.

Another process may change what was seen or delete the stream, or the store may come back empty. What
was counted is then taken back, and the history that was made from it is dropped. A stream that was
deleted stays deleted; one that the store lost is begun again.
"""

import logging
import math

from memory.errors import StoreUnavailable, StreamForgotten
from memory.store import ClipStore, StreamRecord
from model.engine.contract import Engine
from model.types import ClipTokens
from stream.status import Held

log = logging.getLogger(__name__)


class LiveRecord:
    """Knows one stream's place in the store, and begins it anew if the store lost it.

    Attributes:
        name: The stream's identifier.
        began: Wall-clock time of media time zero, in Unix seconds.
        clips: Clips remembered.
        end: End of the newest remembered clip in media seconds; None without clips.
        held: What is kept, and from when on how, as the store said last.
    """

    def __init__(self, record: StreamRecord, store: ClipStore, engine: Engine) -> None:
        self.name = record.name
        self.began = record.began
        self.clips = record.clips
        self.end = record.end
        self.held = Held.of(record)
        self._store = store
        self._engine = engine

    async def begin(self) -> None:
        """Ask the store what it holds, after it was away; begin the stream if that is nothing.

        Raises:
            StreamForgotten: If somebody deleted it.
            StoreUnavailable: If it cannot be reached.
            StoreFull: If it has lost the stream and has no room.
        """
        record = await self._store.resume(self.name, self.began)
        if record.began != self.began:
            raise StreamForgotten(f"{self.name} was deleted, and its name begun anew")
        await self._take_over(record)

    async def append(self, tokens: ClipTokens, thumbnail: bytes) -> ClipTokens:
        """Hand a clip to the store, which may have come back without the stream; return what it keeps.

        Raises:
            StreamForgotten: If somebody deleted it.
            StoreUnavailable: If it cannot be reached, or loses the stream again and again.
            StoreFull: If it has no room.
            ValueError: If the clip is nothing that can be stored.
        """
        try:
            return await self._store.append(self.name, tokens, thumbnail)
        except StreamForgotten:
            raise
        except KeyError:
            # The store came back empty. The source still sends: what is seen from now on is
            # remembered, under the same media times.
            log.warning("stream %s: memory has lost it; it is begun again", self.name)
            await self.begin()
            try:
                return await self._store.append(self.name, tokens, thumbnail)
            except StreamForgotten:
                raise
            except KeyError:
                raise StoreUnavailable(f"{self.name} is forgotten again and again") from None

    async def forget(self, tokens: ClipTokens) -> None:
        """Drop a clip that should not have been remembered.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        await self._store.forget_range(self.name, tokens.start, tokens.end)

    def count(self, tokens: ClipTokens) -> None:
        """Count a clip that the store has taken."""
        if self.end is None or tokens.end > self.end:  # else its first reply was lost
            self.end = tokens.end
            self.clips += 1

    async def refresh(self, record: StreamRecord | None, known: float | None) -> None:
        """Take over what the store said, which may have lost old clips.

        Args:
            record: What it said; None if it does not know the stream.
            known: What `end` was when it was asked: what was remembered since is not lost.
        """
        lost = known is not None and _end_of(record) < known
        if lost or self.end is None or _end_of(record) >= self.end:
            await self._take_over(record)

    async def _take_over(self, record: StreamRecord | None) -> None:
        lost = self.end is not None and _end_of(record) < self.end
        self.clips = 0 if record is None else record.clips
        self.end = None if record is None else record.end
        self.held = Held.of(record)
        if lost:
            await self._engine.forget(self.name)


def _end_of(record: StreamRecord | None) -> float:
    return -math.inf if record is None or record.end is None else record.end
