"""A clip store in this process, for `flashback ask` and for tests: nothing survives the process.

Clips go through the same codec as in Redis, so an answer is the same from either.
"""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from memory.changes import described, encoded, marks
from memory.codec import check_thumbnail, decode, encode
from memory.errors import PastChanged, StoreFull, StreamForgotten
from memory.recordings import Recorded, check_size
from memory.store import Form, Kept, Moment, StreamRecord
from model.types import ClipTokens


@dataclass(slots=True)
class _Shelf:
    """What is known of one stream; clips by their start, in seconds."""

    record: StreamRecord
    kept: dict[float, Kept] = field(default_factory=dict)
    tokens: dict[float, bytes] = field(default_factory=dict)
    thumbnails: dict[float, bytes] = field(default_factory=dict)
    newest: float = -math.inf
    recordings: dict[str, tuple[Recorded, bytes]] = field(default_factory=dict)

    def starts(self, after: float, until: float = math.inf) -> list[float]:
        return sorted(start for start in self.kept if after < start <= until)

    def put(self, kept: Kept, data: bytes) -> None:
        self.kept[kept.start], self.tokens[kept.start] = kept, data
        self.newest = max(self.newest, kept.start)

    def drop(self, start: float) -> None:
        del self.kept[start], self.tokens[start]
        self.thumbnails.pop(start, None)
        if start == self.newest:
            self.newest = max(self.kept, default=-math.inf)

    @property
    def bytes(self) -> int:
        return sum(kept.bytes for kept in self.kept.values())


class LocalStore:
    """Keeps clips in dictionaries, up to a ceiling.

    Args:
        encoder: Names the vision encoder whose tokens are stored.
        form: How the values of clips are kept.
        exact: How many columns, at the end of a row, are kept as they are in every form.
        capacity: The most bytes of tokens and thumbnails, all streams together.
    """

    def __init__(
        self, encoder: str, *, form: Form = "int8", exact: int = 0, capacity: int = 2**30
    ) -> None:
        self._encoder = encoder
        self._form: Form = form
        self._exact = exact
        self._capacity = capacity
        self._used = 0
        self._shelves: dict[str, _Shelf] = {}
        self._deleted: dict[str, int] = {}

    async def check(self) -> None:
        """See `ClipStore.check`."""

    async def begin(self, stream: str, now: float) -> StreamRecord:
        """See `ClipStore.begin`."""
        if stream not in self._shelves:
            generation = self._deleted.pop(stream, -1) + 1
            record = StreamRecord(stream, now, clips=0, end=None, generation=generation)
            self._shelves[stream] = _Shelf(record)
        return self._record(stream)

    async def resume(self, stream: str, began: float) -> StreamRecord:
        """See `ClipStore.resume`.

        Raises:
            StreamForgotten: If somebody deleted it.
        """
        if stream in self._deleted:
            raise StreamForgotten(stream)
        return await self.begin(stream, began)

    async def append(self, stream: str, tokens: ClipTokens, thumbnail: bytes) -> ClipTokens:
        """See `ClipStore.append`.

        Raises:
            KeyError: If the stream was not begun.
            StreamForgotten: If it was deleted.
            ValueError: If the clip or its thumbnail is nothing that can be stored.
            StoreFull: If there is no room.
        """
        check_thumbnail(thumbnail)
        data = encode(tokens, self._encoder, self._form, self._exact)
        shelf = self._shelf(stream)
        kept = described(tokens, data, self._form, len(thumbnail))
        old = shelf.kept.get(kept.start)
        self._take(shelf, kept.bytes - (0 if old is None else old.bytes))
        known = old == kept and shelf.tokens[kept.start] == data
        if not known and kept.start <= shelf.newest:
            self._changed(shelf)
        shelf.put(kept, data)
        shelf.thumbnails[kept.start] = thumbnail
        return decode(data, self._encoder)

    async def replace(
        self,
        stream: str,
        span: Moment,
        clips: Sequence[ClipTokens],
        *,
        generation: int,
        form: Form | None = None,
    ) -> StreamRecord:
        """See `ClipStore.replace`.

        Raises:
            KeyError: If there is no such stream.
            PastChanged: If its generation is another one.
        """
        new = encoded(span, clips, self._encoder, form or self._form, self._exact)
        shelf = self._shelf(stream)
        if shelf.record.generation != generation:
            raise PastChanged(f"{stream} is at generation {shelf.record.generation}")
        old = {start: shelf.kept[start] for start in shelf.starts(-math.inf, span.end)}
        old = {start: kept for start, kept in old.items() if start >= span.start}
        sizes = {start: kept.thumbnail for start, kept in old.items()}
        new = [(replace(k, thumbnail=sizes.get(k.start, 0)), data) for k, data in new]
        grown = sum(kept.bytes for kept, _ in new) - sum(kept.bytes for kept in old.values())
        self._take(shelf, grown)
        thumbnails = {start: shelf.thumbnails[start] for start in old if start in shelf.thumbnails}
        for start in old:
            shelf.drop(start)
        for kept, data in new:
            shelf.put(kept, data)
            if kept.start in thumbnails:
                shelf.thumbnails[kept.start] = thumbnails[kept.start]
        self._changed(shelf, marks(list(old.values()), [kept for kept, _ in new]))
        return self._record(stream)

    async def kept(self, stream: str) -> list[Kept]:
        """See `ClipStore.kept`."""
        shelf = self._shelves.get(stream)
        return [] if shelf is None else [shelf.kept[start] for start in shelf.starts(-math.inf)]

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
        starts = shelf.starts(after, until)[-limit:]
        return [Moment(start, shelf.kept[start].end) for start in starts]

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

    async def set_keep(self, stream: str, keep: float | None) -> StreamRecord:
        """See `ClipStore.set_keep`.

        Raises:
            KeyError: If there is no such stream.
        """
        shelf = self._shelf(stream)
        shelf.record = replace(shelf.record, keep=keep)
        return self._record(stream)

    async def note_asked(self, stream: str, at: float) -> None:
        """See `ClipStore.note_asked`."""
        if (shelf := self._shelves.get(stream)) is not None:
            shelf.record = replace(shelf.record, asked=at)

    async def forget_range(self, stream: str, since: float, until: float) -> int:
        """See `ClipStore.forget_range`."""
        shelf = self._shelves.get(stream)
        if shelf is None:
            return 0
        shelf.recordings = {
            key: kept for key, kept in shelf.recordings.items() if not kept[0].shows(since, until)
        }
        gone = [k for k in shelf.kept.values() if k.start <= until and k.end >= since]
        if gone:
            self._take(shelf, -sum(kept.bytes for kept in gone))
            for kept in gone:
                shelf.drop(kept.start)
            last = max(kept.end for kept in gone)
            self._changed(shelf, {"forgotten_until": last} if since == -math.inf else {})
        return len(gone)

    def recordings(self) -> "LocalRecordings":
        """See `ClipStore.recordings`."""
        return LocalRecordings(self._shelves)

    async def compact(self) -> None:
        """See `ClipStore.compact`."""

    async def forget(self, stream: str) -> None:
        """See `ClipStore.forget`."""
        if (shelf := self._shelves.pop(stream, None)) is not None:
            self._take(shelf, -shelf.bytes)
            self._deleted[stream] = shelf.record.generation

    def _shelf(self, stream: str) -> _Shelf:
        if stream in self._deleted:
            raise StreamForgotten(stream)
        return self._shelves[stream]

    def _take(self, shelf: _Shelf, more: int) -> None:
        """Count `more` bytes.

        Raises:
            StoreFull: If there is no room for them.
        """
        if more > 0 and self._used + more > self._capacity:
            raise StoreFull(
                f"memory is full: {len(shelf.kept)} clips of {shelf.record.name!r} reach the "
                f"ceiling of {self._capacity} bytes"
            )
        self._used += more

    def _changed(self, shelf: _Shelf, until: dict[str, float] | None = None) -> None:
        record = shelf.record
        later: dict[str, Any] = {
            name: max(at, getattr(record, name) or -math.inf) for name, at in (until or {}).items()
        }
        shelf.record = replace(record, generation=record.generation + 1, **later)

    def _record(self, stream: str) -> StreamRecord:
        shelf = self._shelves[stream]
        end = shelf.kept[max(shelf.kept)].end if shelf.kept else None
        return replace(shelf.record, clips=len(shelf.kept), end=end, bytes=shelf.bytes)


class LocalRecordings:
    """Recordings of a `LocalStore`.

    Args:
        shelves: Its streams.
    """

    def __init__(self, shelves: Mapping[str, _Shelf]) -> None:
        self._shelves = shelves

    async def put(self, stream: str, about: Recorded, data: bytes) -> None:
        """See `RecordingStore.put`.

        Raises:
            KeyError: If there is no such stream (any more).
            ValueError: If it is too large.
        """
        check_size(data)
        self._shelves[stream].recordings[about.key] = (about, data)

    async def get(self, stream: str, key: str) -> bytes | None:
        """See `RecordingStore.get`."""
        found = self._shelves[stream].recordings.get(key) if stream in self._shelves else None
        return None if found is None else found[1]

    async def keys(self, stream: str) -> frozenset[str]:
        """See `RecordingStore.keys`."""
        return frozenset(self._shelves[stream].recordings if stream in self._shelves else ())

    async def remove(self, stream: str, key: str) -> None:
        """See `RecordingStore.remove`."""
        if stream in self._shelves:
            self._shelves[stream].recordings.pop(key, None)
