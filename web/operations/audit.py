"""The audit log: who asked what of which stream, who forgot what. Off unless a file is named for it.

One JSON object a line. What cannot be written down is not done: an audit log with holes proves
nothing. The file is set aside when it is full, and the oldest of those goes.
"""

import asyncio
import errno
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from web.access.tokens import Caller
from web.errors import RETRY_SECONDS, Refusal
from web.operations.request_id import current_request

OLD_FILES = 4


class AuditLog:
    """Notes what is asked and forgotten.

    Args:
        path: The file; None notes nothing.
        most_bytes: Of the file, before it is set aside.
        wall: Unix seconds.
    """

    def __init__(self, path: Path | None, most_bytes: int, wall: Callable[[], float]) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._wall = wall
        self._writing = asyncio.Lock()

    async def check(self) -> None:
        """Make sure that the file can be written.

        Raises:
            Refusal: If it cannot.
        """
        await self._write(b"")

    async def note(
        self, caller: Caller, action: str, stream: str | None, **more: str | float | None
    ) -> None:
        """Note what `caller` is about to do.

        Args:
            caller: Who.
            action: What: `ask`, `find`, `forget`, `keep`, `watch`, `unwatch` or `add`.
            stream: Which stream; None if it is about no single one.
            **more: What else there is to it; None is left out.

        Raises:
            Refusal: If it cannot be written down.
        """
        if self._path is None:
            return
        now = datetime.fromtimestamp(self._wall(), UTC)
        line: dict[str, str | float | None] = {
            "time": now.isoformat(timespec="milliseconds"),
            "caller": caller.label,
            "action": action,
            "stream": stream,
            "request": current_request(),
        }
        line |= {name: value for name, value in more.items() if value is not None}
        await self._write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    async def _write(self, line: bytes) -> None:
        if self._path is None:
            return
        async with self._writing:
            try:
                await asyncio.to_thread(_append, self._path, line, self._most_bytes)
            except OSError as error:
                raise Refusal(
                    503,
                    f"The audit log cannot be written ({error.strerror}), so this is not done; the "
                    "operator must make room, or choose another FLASHBACK_AUDIT_LOG.",
                    {"Retry-After": RETRY_SECONDS},
                    code="audit_unavailable",
                ) from None


def _append(path: Path, line: bytes, most_bytes: int) -> None:
    # Opened anew each time: whoever else sets it aside or deletes it does no harm.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    file = os.open(path, flags, 0o600)
    try:
        size = os.fstat(file).st_size
        if size and size + len(line) > most_bytes:
            _set_aside(path)
            os.close(file)
            file = os.open(path, flags, 0o600)
        end = os.fstat(file).st_size
        if os.write(file, line) < len(line):
            os.ftruncate(file, end)  # half a line would spoil the next one
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(file)


def _set_aside(path: Path) -> None:
    names = [path, *(path.with_name(f"{path.name}.{n}") for n in range(1, OLD_FILES + 1))]
    for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
        if newer.exists():
            newer.replace(older)
