"""A directory that one running service owns: private, and locked against a second one.

The lock (flock(2)) belongs to the open file, not to the process: the embedded Redis inherits it,
so the directory stays locked until both are gone, also when the service is killed outright.
"""

import asyncio
import contextlib
import fcntl
import os
from pathlib import Path

from memory.errors import StoreUnavailable

_LOCK_FILE = "lock"
_POLL = 0.05  # seconds


class DirectoryLock:
    """Holds a private directory until `release`.

    Attributes:
        descriptor: The open lock file; whoever inherits it holds the lock too.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    async def take(cls, directory: Path, within: float = 5.0) -> "DirectoryLock":
        """Make `directory` private to this user and lock it.

        Waits up to `within` seconds: a service that was killed leaves a Redis that takes a
        moment to end.

        Raises:
            StoreUnavailable: If it is still locked then, or belongs to another user.
        """
        descriptor = await asyncio.to_thread(_open_private, directory)
        with contextlib.ExitStack() as closing:
            closing.callback(os.close, descriptor)
            for _ in range(max(1, round(within / _POLL))):
                if _locked(descriptor):
                    closing.pop_all()
                    return cls(descriptor)
                await asyncio.sleep(_POLL)
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            raise StoreUnavailable(
                f"another Flashback (process {owner or 'unknown'}) keeps its memory in "
                f"{directory}: stop it, or choose another data directory",
                code="directory_in_use",
            )

    def release(self) -> None:
        """Let the next service have the directory. Call once."""
        os.close(self.descriptor)


def _open_private(directory: Path) -> int:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.stat()
    if status.st_uid != os.getuid():
        raise StoreUnavailable(
            f"{directory} belongs to another user ({status.st_uid}): choose another data directory",
            code="directory_unsafe",
        )
    if status.st_mode & 0o077:
        directory.chmod(0o700)
    return os.open(directory / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return True
