"""Opens containers for reading, whatever their titles are written in."""

import io
from collections.abc import Callable
from typing import Protocol

import av
from av.container import InputContainer


class Readable(Protocol):
    """What FFmpeg may read from instead of a file."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes; none at the end."""
        ...


def open_input(
    file: str | io.IOBase | Readable,
    kind: str | None = None,
    options: dict[str, str] | None = None,
    *,
    timeout: tuple[float, float] | None = None,
    io_open: Callable[[str, int, dict[str, str]], Readable] | None = None,
) -> InputContainer:
    """Open `file`. Blocks.

    Args:
        file: What to read; a name as FFmpeg takes it, or an object.
        kind: The format's name in FFmpeg; None for finding out.
        options: How FFmpeg is to read it.
        timeout: Seconds until it is open, and without data.
        io_open: Opens what it refers to.

    Raises:
        FFmpegError: If it is nothing that FFmpeg can read.
        OSError: If it cannot be opened or read.
    """
    container = av.open(
        file,
        "r",
        format=kind,
        options=options,
        timeout=timeout,
        io_open=io_open,
        # Cameras and editors write titles and names in encodings of their own, and say which nowhere.
        metadata_errors="replace",
    )
    assert isinstance(container, InputContainer)
    return container
