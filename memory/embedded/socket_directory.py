"""A short, private folder in the temporary directory, for a socket whose own folder will not do.

It is locked (flock(2)) by the process that made it, however that ends. So the next to start sees which
ones a killed service has left behind, and removes them.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Self

_PREFIX = "flashback-redis-"
_UNLOCKED = "new-"
_SOCKET = "redis.sock"


class SocketDirectory:
    """A folder for one socket, until `remove`.

    Attributes:
        socket: Where the socket shall be.
    """

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.socket = folder / _SOCKET
        self._folder = folder
        self._descriptor = descriptor

    @classmethod
    def make(cls) -> Self:
        """Make one."""
        made = Path(mkdtemp(prefix=f"{_UNLOCKED}{_PREFIX}"))  # mkdtemp makes it private
        descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Locked before it has the name under which others look for what was left behind.
        return cls(made.rename(made.with_name(made.name.removeprefix(_UNLOCKED))), descriptor)

    def remove(self) -> None:
        """Remove it with its socket. Call once."""
        _remove(self._folder)
        os.close(self._descriptor)


def remove_leftovers() -> None:
    """Remove the folders of processes that ended without doing so."""
    for folder in Path(gettempdir()).glob(f"{_PREFIX}*"):
        # Another user's, or removed meanwhile.
        with contextlib.suppress(OSError):
            _remove_if_left(folder)


def _remove_if_left(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid == os.getuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    (folder / _SOCKET).unlink(missing_ok=True)
    folder.rmdir()
