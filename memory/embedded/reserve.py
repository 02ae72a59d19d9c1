"""Room on the disk that is kept free for deletions.

Redis writes a deletion to its file like any other change. On a full disk it takes none, and so nobody
could make room by forgetting. A file of no use lies beside it therefore, and gives up a piece of itself
to a deletion that finds no room.
"""

import contextlib
import os
import shutil
from pathlib import Path

SIZE = 16 * 2**20  # bytes
PIECE = SIZE // 4
"""Enough for thousands of deletions, and for the little that others write before room is made."""
_FREE = 4 * 2**20
"""Bytes that must be left beside it: what is kept for later must not fill the disk today."""
_NAME = "reserve"


class Reserve:
    """A file in `directory` that takes up room. Blocks for as long as the disk needs."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / _NAME

    def fill(self) -> bool:
        """Take up as much room as it should, if there is that much; return whether it has it all."""
        missing = SIZE - self._size()
        if missing <= 0:
            return True
        if shutil.disk_usage(self._path.parent).free < missing + _FREE:
            return False
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, SIZE)
        except OSError:  # no room after all, or a disk that cannot promise any
            os.ftruncate(descriptor, SIZE - missing)
            return False
        finally:
            os.close(descriptor)
        return True

    def give_up_piece(self) -> bool:
        """Let a piece of it go; return False if there is none."""
        size = self._size()
        if size == 0:
            return False
        os.truncate(self._path, max(0, size - PIECE))
        return True

    def _size(self) -> int:
        with contextlib.suppress(FileNotFoundError):
            return self._path.stat().st_size
        return 0
