"""Opens a playlist of this machine (HLS), as an encoder writes it into a folder, the same way as one over HTTP.

So a reconnect does not show again what was seen, and a playlist that is not written any more is said.
It leads to files of this machine alone.
"""

import errno
import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import av

from stream.errors import BadSource
from stream.file.container import open_input
from stream.file.first_bytes import file_format
from stream.pull.errors import Refused
from stream.pull.io.http.changing import watched
from stream.pull.io.http.hls import PlaylistGuide
from stream.pull.io.http.hls_maps import LEFT_OUT
from stream.pull.io.http.opener import opener_of
from stream.pull.io.opened import QUICK, Opening
from stream.pull.messages import ReaderConfig

_NOT_THERE = 404


class LocalFile:
    """A file object: a part of a file of this machine.

    Attributes:
        name: Its name, in letters that mean nothing in a URL.
    """

    def __init__(self, url: str, start: int = 0, end: int | None = None) -> None:
        """Open the file that FFmpeg or a playlist calls `url`, from byte `start` to before `end`.

        Raises:
            BadSource: If that leads to another place than this machine.
            OSError: If it cannot be read.
            Refused: If it is not there: segments are deleted while their playlist is read.
        """
        self.name = url
        try:
            self._file = io.BufferedReader(io.FileIO(_path_of(url)))
        except FileNotFoundError:
            raise Refused(_NOT_THERE) from None
        self._file.seek(start)
        self._left = None if end is None else end - start

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes; none at the end."""
        if self._left is not None:
            size = self._left if size < 0 else min(size, self._left)
        data = self._file.read(size)
        self._left = None if self._left is None else self._left - len(data)
        return data

    def peek(self, size: int) -> bytes:
        """Return the next bytes without taking them: at least `size`, or all until the end."""
        at = self._file.tell()
        data = self._file.read(size if self._left is None else min(size, self._left))
        self._file.seek(at)
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def open_local_playlist(
    order: ReaderConfig, clock: Callable[[], float], closers: list[Callable[[], None]]
) -> Opening:
    """Open the playlist that `order` names.

    Args:
        order: How.
        clock: Monotonic seconds.
        closers: Gets what must be called to let go of it.

    Raises:
        CannotOpen: If nothing is left of it.
        BadSource: If it leads elsewhere or to lists of lists, or names nothing new.
        FFmpegError: If it is nothing that FFmpeg can read.
        OSError: If it cannot be read.
        Refused: If a file is not there.
    """
    _, options = file_format(Path(order.path))
    guide = PlaylistGuide(
        LocalFile,
        order.after,
        within=min(order.open_within, order.silence),
        clock=clock,
        sleep=time.sleep,
    )
    first = LocalFile(quote(os.fsencode(Path(order.path).absolute())))
    closers.append(first.close)
    playlist = guide.take(first)
    try:
        container = open_input(
            playlist,
            "hls",
            {"protocol_whitelist": "file,crypto,data"}
            | options
            | ({} if guide.declared else QUICK),
            timeout=(order.open_within, order.silence),
            io_open=watched(opener_of(guide.open), guide),
        )
    except (av.FFmpegError, OSError, BadSource):
        if guide.trouble is not None:  # FFmpeg has other words for it
            raise guide.trouble from None
        raise
    return Opening(
        container,
        finite=guide.ended,
        has_ended=lambda: guide.ended and not guide.is_cut,
        place=lambda: guide.place,
        left_out=lambda: LEFT_OUT if guide.is_cut else "",
    )


def _path_of(url: str) -> bytes:
    """Return the path that FFmpeg or a playlist calls `url`: as it is, or as the playlist's own folder is written.

    Raises:
        BadSource: If that leads to another place than this machine.
        OSError: If it cannot be a path.
    """
    scheme, separator, rest = url.partition(":")
    if separator and scheme == "file":
        url = rest.removeprefix("//") if rest.startswith("///") else rest
    elif "://" in url:
        raise BadSource("The playlist refers to something that is not a file of this machine.")
    path = os.fsencode(url)
    if b"\0" in path:
        raise OSError(errno.EINVAL, "no name of a file")
    return path if os.path.lexists(path) else unquote_to_bytes(url)
