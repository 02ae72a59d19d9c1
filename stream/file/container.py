"""Opens containers for reading, and sees to it that nothing is taken away from FFmpeg while it reads.

Containers are read in threads. One that is closed meanwhile, or taken apart by the garbage collector,
ends the whole process.
"""

import asyncio
import io
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

import av
from av.container import InputContainer

_Result = TypeVar("_Result")


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
    opener = None if io_open is None else _Opener(io_open)
    container = av.open(
        file,
        "r",
        format=kind,
        options=options,
        timeout=timeout,
        io_open=opener,
        # Cameras and editors write titles and names in encodings of their own, and say which nowhere.
        metadata_errors="replace",
    )
    assert isinstance(container, InputContainer)
    if opener is not None:
        opener.container = container
    return container


class _Opener:
    """Opens what a container refers to, and closes the container if nobody has.

    A container and its tracks refer to each other, so one that is left open is the garbage collector's,
    which lets go of the files before FFmpeg does. FFmpeg would then close what is gone, and the
    process abort. What has a `__del__` is asked first, while everything is still there.
    """

    def __init__(self, io_open: Callable[[str, int, dict[str, str]], Readable]) -> None:
        self._io_open = io_open
        self.container: InputContainer | None = None

    def __call__(self, url: str, flags: int, options: dict[str, str]) -> Readable:
        return self._io_open(url, flags, options)

    def __del__(self) -> None:
        if self.container is not None:
            self.container.close()


async def open_in_thread(
    opens: Callable[[], _Result], closes: Callable[[_Result], None]
) -> _Result:
    """Return what `opens` opens in a thread; given up meanwhile, it is closed once it is open.

    A thread goes on when whoever waited for it is cancelled.

    Raises:
        CancelledError: If it was given up.
    """
    handing, given_up, found = threading.Lock(), threading.Event(), list[_Result]()

    def work() -> None:
        opened = opens()
        with handing:
            found.append(opened)
            if given_up.is_set():
                closes(opened)

    try:
        await asyncio.to_thread(work)
    except asyncio.CancelledError:
        with handing:
            given_up.set()
            for opened in found:
                closes(opened)
        raise
    return found[0]


class OneAtATime:
    """Does things with what is open in threads, one after another, and none after the last."""

    def __init__(self) -> None:
        self._doing = threading.Lock()
        self._over = False

    async def do(self, work: Callable[[], _Result]) -> _Result:
        """Return what `work` does in a thread.

        Raises:
            RuntimeError: If the last thing was done already; whoever wanted this was cancelled before.
        """

        def alone() -> _Result:
            with self._doing:
                if self._over:
                    raise RuntimeError("what is to be read is closed")
                return work()

        return await asyncio.to_thread(alone)

    async def do_last(self, work: Callable[[], None]) -> None:
        """Do `work` in a thread, once nothing else is being done, also if this is cancelled meanwhile."""

        def alone() -> None:
            with self._doing:
                self._over = True
                work()

        await asyncio.to_thread(alone)
