"""Pictures from one process to another, through memory both can see.

A few places, written in turn; the writer never waits and the newest picture wins. Each place
begins with a number that is odd while it is written and grows with every picture, so a reader
notices if it was overtaken (a sequence lock). The memory has no name: it is gone with its processes.
"""

import mmap
import os
import struct
import tempfile

import numpy as np

from stream.frames.frame import Picture
from stream.frames.scale import LONGEST_ASPECT

_HEAD = struct.Struct("<Q")
PLACES = 3


class PictureRing:
    """One side's view of the memory. Close it when done.

    Attributes:
        descriptor: Of the memory, to hand to the other process.
    """

    def __init__(self, descriptor: int, side: int) -> None:
        """Map the memory that `make` made.

        Args:
            descriptor: Of the memory; closed with the ring.
            side: As given to `make`.
        """
        self.descriptor = descriptor
        self._size = _place_size(side)
        self._map = mmap.mmap(descriptor, PLACES * self._size)
        self._written = 0

    @classmethod
    def make(cls, side: int) -> "PictureRing":
        """Return a ring for pictures that `to_rgb` has scaled down to `side`.

        Raises:
            OSError: If this machine has no memory or no file descriptor left.
        """
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("flashback-pictures")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        try:
            os.ftruncate(descriptor, PLACES * _place_size(side))
            return cls(descriptor, side)
        except OSError:
            os.close(descriptor)
            raise

    def write(self, pixels: Picture) -> int:
        """Put a picture into the next place and return its number, for `read`.

        Raises:
            ValueError: If it is larger than a place.
        """
        if _HEAD.size + pixels.nbytes > self._size:
            raise ValueError(f"a picture of {pixels.shape} does not fit into {self._size} bytes")
        self._written += 1
        at = (self._written % PLACES) * self._size
        _HEAD.pack_into(self._map, at, 2 * self._written - 1)
        begin = at + _HEAD.size
        self._map[begin : begin + pixels.nbytes] = pixels.tobytes()
        _HEAD.pack_into(self._map, at, 2 * self._written)
        return self._written

    def read(self, number: int, height: int, width: int) -> Picture | None:
        """Return a copy of picture `number`; None if a newer one has taken its place.

        Raises:
            ValueError: If no place is that large.
        """
        count = height * width * 3
        if height < 1 or width < 1 or _HEAD.size + count > self._size:
            raise ValueError(f"a picture of {height} by {width} pixels does not fit")
        at = (number % PLACES) * self._size
        if _HEAD.unpack_from(self._map, at)[0] != 2 * number:
            return None
        pixels = np.frombuffer(self._map, np.uint8, count, at + _HEAD.size).copy()
        if _HEAD.unpack_from(self._map, at)[0] != 2 * number:
            return None
        return pixels.reshape(height, width, 3)

    def close(self) -> None:
        """Let go of the memory. Safe to call twice."""
        if not self._map.closed:
            self._map.close()
            os.close(self.descriptor)


def _place_size(side: int) -> int:
    # Whole pages, so that heads are aligned.
    need = _HEAD.size + side * side * LONGEST_ASPECT * 3
    return -(-need // mmap.PAGESIZE) * mmap.PAGESIZE
