"""A backup as a file: streams, their clips and documents, as they are kept, with a checksum.

    magic 8s | version u16 | parts | SHA-256 of all that stands before it
    part: kind u8 | length u32 | payload[length]

    stream    JSON, see `_record_as_json`; the clips that follow are its own
    clip      start f64 | end f64 | frames u32 | bits u8 | tokens u32 | tokens (see `memory.codec`) | JPEG
    document  JSON: kind, key, order, document
    end       JSON: how many there are of each

Not pickle, and never larger in memory than one part: a backup may come from somewhere else. It is read
to its end and checked before anything is done with it.
"""

import hashlib
import json
import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, TypeAlias

from memory.codec import LARGEST, LARGEST_THUMBNAIL, decode, encoder_of
from memory.documents import LARGEST_DOCUMENT, Entry
from memory.errors import CorruptData
from memory.quantize import BITS, FORMS
from memory.store import RECORD_VERSION, Kept, StreamRecord

_START = struct.Struct("<8sH")
_PART = struct.Struct("<BI")
_CLIP = struct.Struct("<ddIBI")
_MAGIC, _VERSION = b"FBBACKUP", 1
_STREAM, _CLIP_KIND, _DOCUMENT, _END = 1, 2, 3, 4
_LARGEST = {
    _STREAM: 4096,
    _CLIP_KIND: _CLIP.size + LARGEST + LARGEST_THUMBNAIL,
    _DOCUMENT: LARGEST_DOCUMENT + 4096,
    _END: 4096,
}
_MARKS = ("keep", "coarse_until", "folded_until", "forgotten_until")


@dataclass(frozen=True, slots=True)
class ArchivedClip:
    """One clip as it is kept.

    Attributes:
        kept: When it was, and what it takes.
        tokens: As `memory.codec` wrote them.
        thumbnail: Its JPEG; empty if it has none.
    """

    kept: Kept
    tokens: bytes
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class ArchivedDocument:
    """A document and its kind; see `memory.documents`."""

    kind: str
    entry: Entry


Part: TypeAlias = StreamRecord | ArchivedClip | ArchivedDocument


@dataclass(slots=True)
class Contents:
    """What stands in a backup.

    Attributes:
        streams: Clips of every stream, by name.
        documents: How many there are.
    """

    streams: dict[str, int] = field(default_factory=dict)
    documents: int = 0

    def add(self, part: Part) -> None:
        """Count `part`.

        Raises:
            CorruptData: If it is a clip of no stream, or a stream that was there before.
        """
        match part:
            case StreamRecord():
                if part.name in self.streams:
                    raise CorruptData(f"the stream {part.name} stands in it twice")
                self.streams[part.name] = 0
            case ArchivedClip():
                if not self.streams:
                    raise CorruptData("a clip stands before the first stream")
                self.streams[next(reversed(self.streams))] += 1
            case ArchivedDocument():
                self.documents += 1

    def totals(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        clips = sum(self.streams.values())
        return {"streams": len(self.streams), "clips": clips, "documents": self.documents}


class ArchiveWriter:
    """Writes a backup.

    Args:
        file: Open for writing, at its start.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.contents = Contents()
        self._file = file
        self._sum = hashlib.sha256()
        self._put(_START.pack(_MAGIC, _VERSION))

    def write(self, parts: Iterable[Part]) -> None:
        """Add parts; clips belong to the stream before them."""
        for part in parts:
            self.contents.add(part)
            self._put_part(*_packed(part))

    def drop_stream(self, at: "Mark") -> None:
        """Forget the stream that was begun at `at`."""
        self._file.seek(at.offset)
        self._file.truncate()
        self._sum = at.sum.copy()
        self.contents.streams.popitem()

    def mark(self) -> "Mark":
        """Return the place reached."""
        return Mark(self._file.tell(), self._sum.copy())

    def finish(self) -> None:
        """Write the end; nothing can be added then."""
        self._put_part(_END, json.dumps(self.contents.totals()).encode())
        self._file.write(self._sum.digest())

    def _put_part(self, kind: int, payload: bytes) -> None:
        self._put(_PART.pack(kind, len(payload)))
        self._put(payload)

    def _put(self, data: bytes) -> None:
        self._sum.update(data)
        self._file.write(data)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a backup that is being written."""

    offset: int
    sum: "hashlib._Hash"


def read_parts(file: BinaryIO) -> Iterator[Part]:
    """Yield the parts of a backup, each checked; only after the last one all of it is.

    Raises:
        CorruptData: If it is not a backup, of another version, damaged, or cut short.
    """
    reading = _Reading(file)
    if not reading.begins_with(_MAGIC):
        raise CorruptData("it is not a backup of Flashback")
    _, version = _START.unpack(reading.take(_START.size))
    if version != _VERSION:
        raise CorruptData(f"it is of version {version}, and this Flashback reads {_VERSION}")
    contents = Contents()
    while True:
        kind, length = _PART.unpack(reading.take(_PART.size))
        if length > _LARGEST.get(kind, -1):
            raise CorruptData(f"a part of kind {kind} with {length} bytes cannot be; it is damaged")
        payload = reading.take(length)
        if kind == _END:
            break
        part = _unpacked(kind, payload)
        contents.add(part)
        yield part
    if _json(payload) != contents.totals():
        raise CorruptData("it does not hold what it says it does; it is damaged")
    reading.check_sum()


class _Reading:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sum = hashlib.sha256()

    def begins_with(self, magic: bytes) -> bool:
        """Say so, taking nothing: what is cut short may still begin like a backup."""
        begin = self._file.read(len(magic))
        self._file.seek(0)
        return bool(begin) and magic.startswith(begin)

    def take(self, length: int) -> bytes:
        data = self._file.read(length)
        if len(data) < length:
            raise CorruptData("it is cut short: the copy or the backup was not finished")
        self._sum.update(data)
        return data

    def check_sum(self) -> None:
        digest = self._file.read(self._sum.digest_size + 1)
        if digest != self._sum.digest():
            raise CorruptData("its checksum does not match: it is damaged")


def _packed(part: Part) -> tuple[int, bytes]:
    match part:
        case StreamRecord():
            return _STREAM, json.dumps(_record_as_json(part), allow_nan=False).encode()
        case ArchivedClip(kept, tokens, thumbnail):
            head = _CLIP.pack(kept.start, kept.end, kept.frames, BITS[kept.form], len(tokens))
            return _CLIP_KIND, head + tokens + thumbnail
        case ArchivedDocument(kind, entry):
            found = {"kind": kind, "key": entry.key, "order": entry.order}
            found |= {"document": entry.document}
            return _DOCUMENT, json.dumps(found, allow_nan=False).encode()


def _record_as_json(record: StreamRecord) -> Mapping[str, Any]:
    marks = {name: getattr(record, name) for name in _MARKS}
    return {"name": record.name, "version": RECORD_VERSION, "began": record.began} | {
        "generation": record.generation,
        **marks,
    }


def _unpacked(kind: int, payload: bytes) -> Part:
    if kind == _CLIP_KIND:
        return _clip(payload)
    found = _json(payload)
    try:
        return _record(found) if kind == _STREAM else _document(found)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, CorruptData):
            raise
        raise CorruptData(f"a part of it cannot be read ({error}); it is damaged") from None


def _json(payload: bytes) -> dict[str, Any]:
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CorruptData("a part of it is not JSON; it is damaged")
    return found


def _record(found: Mapping[str, Any]) -> StreamRecord:
    if int(found["version"]) > RECORD_VERSION:
        raise CorruptData("a newer version of Flashback wrote it: restore it with that one")
    marks = {name: _number(found[name]) for name in _MARKS if found[name] is not None}
    record = StreamRecord(str(found["name"]), _number(found["began"]), 0, None)
    return replace(
        record,
        generation=int(found["generation"]),
        keep=marks.get("keep"),
        coarse_until=marks.get("coarse_until"),
        folded_until=marks.get("folded_until"),
        forgotten_until=marks.get("forgotten_until"),
    )


def _document(found: Mapping[str, Any]) -> ArchivedDocument:
    if not isinstance(found["document"], dict):
        raise CorruptData("a document of it is none; it is damaged")
    entry = Entry(str(found["key"]), _number(found["order"]), found["document"])
    return ArchivedDocument(str(found["kind"]), entry)


def _clip(payload: bytes) -> ArchivedClip:
    if len(payload) < _CLIP.size:
        raise CorruptData("a clip of it is cut short; it is damaged")
    start, end, frames, bits, length = _CLIP.unpack_from(payload)
    tokens = payload[_CLIP.size : _CLIP.size + length]
    thumbnail = payload[_CLIP.size + length :]
    try:
        seen = decode(tokens, encoder_of(tokens))
    except CorruptData as error:
        raise CorruptData(f"a clip of it cannot be read: {error}") from None
    fits = (seen.start, seen.end, seen.frames) == (start, end, frames)
    if not fits or bits not in FORMS or len(thumbnail) > LARGEST_THUMBNAIL:
        raise CorruptData(f"the clip at {start} s is not what it says it is")
    kept = Kept(start + 0.0, end, frames, FORMS[bits], len(tokens), len(thumbnail))
    return ArchivedClip(kept, tokens, thumbnail)


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise CorruptData(f"{value!r} is not a number; it is damaged")
    return float(value)
