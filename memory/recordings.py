"""The contract of a store of recordings: short films of what streams showed, kept beside their clips.

A recording belongs to its stream: it goes with it, and as soon as anything that it shows is forgotten.
How many there are is bounded by whoever writes them.
"""

import struct
from dataclasses import dataclass
from typing import Protocol

LARGEST_RECORDING = 8 * 2**20
"""Bytes of one."""
_SPAN = struct.Struct("<dd")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording is of.

    Attributes:
        key: Its name, unique in its stream.
        start: Media second of its first picture.
        end: Media second of its last.
    """

    key: str
    start: float
    end: float

    def shows(self, since: float, until: float) -> bool:
        """Say whether it shows anything of that time, both ends included."""
        return self.start <= until and since <= self.end


class RecordingStore(Protocol):
    """Recordings by stream and key.

    Every method raises `StoreUnavailable` if the store cannot be reached.
    """

    async def put(self, stream: str, about: Recorded, data: bytes) -> None:
        """Keep a recording of `stream`.

        Raises:
            KeyError: If there is no such stream (any more). Nothing was written.
            ValueError: If it is larger than `LARGEST_RECORDING`.
            StoreFull: If there is no room.
        """
        ...

    async def get(self, stream: str, key: str) -> bytes | None:
        """Return the recording of that key; None if there is none (any more)."""
        ...

    async def keys(self, stream: str) -> frozenset[str]:
        """Return the keys of the recordings that are kept of `stream`."""
        ...

    async def remove(self, stream: str, key: str) -> None:
        """Drop a recording; one that is not there is fine."""
        ...


def check_size(data: bytes) -> None:
    """Refuse what is too large.

    Raises:
        ValueError: If it is.
    """
    if len(data) > LARGEST_RECORDING:
        raise ValueError(f"{len(data)} bytes are more than the {LARGEST_RECORDING} of a recording")


def pack_recorded(about: Recorded) -> bytes:
    """Return the name under which a recording lies: it says what it is of, so that no film is read for that."""
    return _SPAN.pack(about.start, about.end) + about.key.encode()


def unpack_recorded(name: bytes) -> Recorded:
    """Return what `pack_recorded` was given."""
    return Recorded(name[_SPAN.size :].decode(), *_SPAN.unpack_from(name))
