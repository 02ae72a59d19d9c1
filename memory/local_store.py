"""A clip store in this process, for `flashback ask` and for tests: nothing survives the process.

Clips go through the same codec as in Redis, so an answer is the same from either.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from memory.codec import check_thumbnail, decode, encode
from memory.store import Moment, StoreFull, StreamRecord
from model.types import ClipTokens


@dataclass(slots=True)
class _Shelf:
    """What is known of one stream; clips by their start, in seconds."""

    began: float
    tokens: dict[float, bytes] = field(default_factory=dict)
    thumbnails: dict[float, bytes] = field(default_factory=dict)
    ends: dict[float, float] = field(default_factory=dict)

    def starts(self, after: float, until: float = float("inf")) -> list[float]:
        return sorted(start for start in self.ends if after < start <= until)


class LocalStore:
    """Keeps clips in dictionaries, up to a ceiling.

    Args:
        encoder: Names the vision encoder whose tokens are stored.
        capacity: The most bytes of tokens and thumbnails, all streams together.
    """

    def __init__(self, encoder: str, *, capacity: int = 2**30) -> None:
        self._encoder = encoder
        self._capacity = capacity
        self._used = 0
        self._shelves: dict[str, _Shelf] = {}

    async def check(self) -> None:
        """See `ClipStore.check`."""

    async def begin(self, stream: str, now: float) -> StreamRecord:
        """See `ClipStore.begin`."""
        self._shelves.setdefault(stream, _Shelf(began=now))
        return self._record(stream)

    async def append(self, stream: str, tokens: ClipTokens, thumbnail: bytes) -> None:
        """See `ClipStore.append`.

        Raises:
            KeyError: If the stream was not begun, or was forgotten.
            ValueError: If the clip or its thumbnail is nothing that can be stored.
            StoreFull: If there is no room.
        """
        check_thumbnail(thumbnail)
        data, shelf = encode(tokens, self._encoder), self._shelves[stream]
        replaced = len(shelf.tokens.get(tokens.start, b""))
        replaced += len(shelf.thumbnails.get(tokens.start, b""))
        used = self._used - replaced + len(data) + len(thumbnail)
        if used > self._capacity:
            raise StoreFull(
                f"memory is full: {len(shelf.ends)} clips of {stream!r} reach the ceiling of "
                f"{self._capacity} bytes"
            )
        shelf.tokens[tokens.start] = data
        shelf.thumbnails[tokens.start] = thumbnail
        shelf.ends[tokens.start] = tokens.end
        self._used = used

    async def clips(
        self, stream: str, after: float = float("-inf"), until: float = float("inf")
    ) -> AsyncIterator[ClipTokens]:
        """See `ClipStore.clips`."""
        shelf = self._shelves.get(stream)
        if shelf is None:
            return
        for start in shelf.starts(after, until):
            if start in shelf.tokens:  # it may have been forgotten since the last step
                yield decode(shelf.tokens[start], self._encoder)

    async def moments(
        self,
        stream: str,
        after: float = float("-inf"),
        limit: int = 1000,
        *,
        until: float = float("inf"),
    ) -> list[Moment]:
        """See `ClipStore.moments`."""
        shelf = self._shelves.get(stream)
        if shelf is None or limit < 1:
            return []
        return [Moment(start, shelf.ends[start]) for start in shelf.starts(after, until)[-limit:]]

    async def thumbnail(self, stream: str, start: float) -> bytes | None:
        """See `ClipStore.thumbnail`."""
        shelf = self._shelves.get(stream)
        return None if shelf is None else shelf.thumbnails.get(start)

    async def find(self, stream: str) -> StreamRecord | None:
        """See `ClipStore.find`."""
        return self._record(stream) if stream in self._shelves else None

    async def streams(self, after: str = "", limit: int | None = None) -> list[StreamRecord]:
        """See `ClipStore.streams`."""
        names = sorted(name for name in self._shelves if name > after)
        return [self._record(name) for name in names[:limit]]

    async def forget(self, stream: str) -> None:
        """See `ClipStore.forget`."""
        shelf = self._shelves.pop(stream, None)
        if shelf is not None:
            self._used -= sum(map(len, shelf.tokens.values()))
            self._used -= sum(map(len, shelf.thumbnails.values()))

    def _record(self, stream: str) -> StreamRecord:
        shelf = self._shelves[stream]
        end = shelf.ends[max(shelf.ends)] if shelf.ends else None
        return StreamRecord(stream, shelf.began, clips=len(shelf.ends), end=end)
