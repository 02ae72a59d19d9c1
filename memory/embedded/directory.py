"""The directory of the embedded Redis: its data, its log, and how the server is called with them."""

import os
from pathlib import Path

from memory.embedded.binary import RedisBinary
from memory.errors import StoreUnavailable

_LONGEST_SOCKET_PATH = 100  # bytes; the kernel's limit is 107
_LARGEST_LOG = 2**20  # bytes, before it is set aside at the next start


def command_line(server: RedisBinary, directory: Path, socket: Path, megabytes: int) -> list[str]:
    """Return how `server` is called so that it keeps at most so much, in `directory` alone."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(directory),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": f"{megabytes}mb",
        "maxmemory-policy": "noeviction",
        "databases": "1",
    }
    return [
        str(server.path),
        *(word for key, value in options.items() for word in (f"--{key}", value)),
    ]


def check_format(directory: Path, server: RedisBinary) -> None:
    """Make sure that `server` can read what is in `directory`.

    Raises:
        StoreUnavailable: If a newer one wrote it.
    """
    # Redis 6 does not see what Redis 7 wrote, and would begin with nothing, silently.
    if server.version < (7, 0) and (directory / "appendonlydir").exists():
        raise StoreUnavailable(
            f"{directory} was written by Redis 7 or newer, and {server.path} is older: install "
            "the newer one again, or choose another data directory"
        )


def can_be_reached(socket: Path) -> bool:
    """Say whether clients can connect to a socket of this name."""
    # A URL cannot carry bytes that are not UTF-8 past redis-py.
    return len(os.fsencode(socket)) <= _LONGEST_SOCKET_PATH and str(socket).isprintable()


def open_log(directory: Path) -> int:
    """Open the server's log to write on, and return its descriptor; a large one is set aside."""
    path = directory / "redis.log"
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def remove_unfinished(directory: Path) -> None:
    """Remove what a server that was killed did not finish."""
    # A Redis that is killed while it writes its file anew leaves that, as large as all it holds.
    for path in directory.glob("temp-*.aof"):
        path.unlink()


def last_lines(path: Path, lines: int = 12) -> str:
    """Return the end of a log."""
    if not path.exists():
        return "(there is none)"
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
