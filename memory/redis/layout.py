"""How a stream lies in Redis: its keys, its record, and the index of its clips.

    flashback:streams              hash        stream -> began, Unix seconds (as version 0.1.0 had it)
    flashback:{stream}:record      hash        see `record_of`
    flashback:{stream}:deleted     string      its last generation, for a day after it was deleted
    flashback:{stream}:clips       sorted set  one `Kept` each, scored by start
    flashback:{stream}:tokens      hash        start -> clip tokens (see `memory.codec`)
    flashback:{stream}:thumbnails  hash        start -> JPEG
    flashback:{stream}:recordings  hash        see `memory.redis.recordings`

The keys of a stream share the hash tag `{stream}`: they live on one node of a cluster, so that
whatever happens to it is one transaction, whole or not at all. Version 0.1.0 kept no record (the
directory had the time it began) and only start and end in the index: both are read as they are.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memory.errors import StoreUnavailable
from memory.quantize import BITS, FORMS
from memory.store import RECORD_VERSION, Kept, Moment, StreamRecord

DIRECTORY = "flashback:streams"
_NOT_OURS = "Redis holds something under our keys that this version did not write"
_SPAN, _START = struct.Struct("<dd"), struct.Struct("<d")
_REST = struct.Struct("<IBII")  # frames, bits, bytes of tokens, bytes of the thumbnail


@dataclass(frozen=True, slots=True)
class StreamKeys:
    """The keys of one stream."""

    record: str
    deleted: str
    clips: str
    tokens: str
    thumbnails: str
    recordings: str

    @classmethod
    def of(cls, stream: str) -> "StreamKeys":
        """Return the keys of `stream`."""
        names = ("record", "deleted", "clips", "tokens", "thumbnails", "recordings")
        return cls(*(f"flashback:{{{stream}}}:{name}" for name in names))

    @property
    def data(self) -> tuple[str, ...]:
        """All but the sign that it was deleted."""
        return (self.record, self.clips, self.tokens, self.thumbnails, self.recordings)


def field(start: float) -> bytes:
    """Return the hash field of the clip that starts at `start`."""
    return _START.pack(start + 0.0)  # minus zero is zero


def pack_kept(kept: Kept) -> bytes:
    """Return a clip's member of the index."""
    rest = _REST.pack(kept.frames, BITS[kept.form], kept.tokens, kept.thumbnail)
    return _SPAN.pack(kept.start, kept.end) + rest


def unpack_kept(member: bytes) -> Kept | None:
    """Return what `pack_kept` was given; None of a clip that 0.1.0 wrote, whose size is not known.

    Raises:
        StoreUnavailable: If it is something else.
    """
    moment = unpack_moment(member)
    if len(member) == _SPAN.size:
        return None
    frames, bits, tokens, thumbnail = _REST.unpack_from(member, _SPAN.size)
    if bits not in FORMS:
        raise StoreUnavailable(_NOT_OURS)
    return Kept(moment.start, moment.end, frames, FORMS[bits], tokens, thumbnail)


def unpack_moment(member: object) -> Moment:
    """Return when a clip of the index was.

    Raises:
        StoreUnavailable: If it is something else.
    """
    sizes = {_SPAN.size, _SPAN.size + _REST.size}
    if not isinstance(member, bytes) or len(member) not in sizes:
        raise StoreUnavailable(_NOT_OURS)
    return Moment(*_SPAN.unpack_from(member))


def record_of(
    stream: str, stored: Mapping[bytes, bytes], clips: int, last: list[bytes]
) -> StreamRecord:
    """Return the record that the hash `stored` holds.

    Raises:
        StoreUnavailable: If something else wrote it, or a newer version of this program.
    """
    try:
        if int(stored[b"version"]) > RECORD_VERSION:
            raise StoreUnavailable(
                f"stream {stream} was remembered by a newer version of Flashback: start that one"
            )
        return StreamRecord(
            stream,
            float(stored[b"began"]),
            clips,
            unpack_moment(last[0]).end if last else None,
            generation=int(stored.get(b"generation", 0)),
            bytes=int(stored.get(b"bytes", 0)),
            keep=_optional(stored, "keep"),
            asked=_optional(stored, "asked"),
            coarse_until=_optional(stored, "coarse_until"),
            folded_until=_optional(stored, "folded_until"),
            forgotten_until=_optional(stored, "forgotten_until"),
        )
    except (KeyError, ValueError):
        raise StoreUnavailable(_NOT_OURS) from None


def old_record(stream: str, began: bytes, clips: int, last: list[bytes]) -> StreamRecord:
    """Return the record of a stream that version 0.1.0 began and nobody wrote to since.

    Raises:
        StoreUnavailable: If something else wrote it.
    """
    try:
        at = float(began)
    except ValueError:
        raise StoreUnavailable(_NOT_OURS) from None
    end = unpack_moment(last[0]).end if last else None
    return StreamRecord(stream, at, clips, end, version=1)


def _optional(stored: Mapping[bytes, bytes], name: str) -> float | None:
    value = stored.get(name.encode())
    return None if value is None else float(value)


async def done(reply: Any) -> Any:  # noqa: ANN401 - redis-py types one method for both worlds
    """Return what a call of the client comes to."""
    return await reply
