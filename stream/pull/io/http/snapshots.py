"""A camera that answers every request with one picture of now: asked as often as one is wanted.

Whether what a URL answers is such a picture is told by what it holds, not by what it is called.
"""

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from stream.file.container import open_input
from stream.file.tracks import choose_video

if TYPE_CHECKING:
    from stream.pull.io.http.file import HttpFile

VideoPacket: TypeAlias = "Packet[VideoStream]"  # generic for the type checker alone

_LARGEST = 16 * 1024 * 1024
_DAMAGED_IN_A_ROW = 10
_STEP = 64 * 1024
# JPEG, PNG, BMP.
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM")


class Snapshots:
    """One picture after another from one URL.

    Attributes:
        container: Of the first picture.
    """

    def __init__(self, container: InputContainer, fetch: Callable[[], "HttpFile"]) -> None:
        """Take the first picture and how to ask for the next."""
        self.container = container
        self._fetch = fetch

    def packets(self, wait: Callable[[bool], None]) -> Iterator[VideoPacket]:
        """Yield a picture, wait, ask for the next, for ever.

        Args:
            wait: Waits until another is wanted; is told whether the one before was damaged.

        Raises:
            FFmpegError: If what comes is no picture, many times in a row.
            OSError: If it cannot be reached.
            Refused: If the server says no.
        """
        yield from _pictures(self.container)
        damaged = 0
        while True:
            wait(damaged > 0)
            file = self._fetch()
            try:
                with open_input(io.BytesIO(_read(file))) as container:
                    yield from _pictures(container)
                damaged = 0
            except av.FFmpegError:
                damaged += 1
                if damaged == _DAMAGED_IN_A_ROW:
                    raise
            finally:
                file.close()


def open_snapshot(file: "HttpFile", late: Callable[[], bool]) -> InputContainer | None:
    """Return the one picture that `file` is; None if it is something else, and nothing is taken.

    Args:
        file: At its beginning.
        late: Says whether to wait no longer for its end: some cameras send pictures on and on.

    Raises:
        OSError: If the connection is lost or silent for too long.
    """
    head = file.peek(16)
    named = file.content_type.startswith("image/")
    known = file.length is not None and head.startswith(_BEGINNINGS)
    if not (named or known) or file.content_type.startswith(("video/", "multipart/")):
        return None
    data = b""
    while len(more := file.peek(len(data) + _STEP)) > len(data):
        data = more
        if len(data) > _LARGEST or late():
            return None
    try:
        container = open_input(io.BytesIO(data))
    except av.FFmpegError:
        return None
    if len(list(_pictures(container))) == 1:
        container.close()
        return open_input(io.BytesIO(data))
    container.close()
    return None


def _pictures(container: InputContainer) -> Iterator[VideoPacket]:
    video = choose_video(container)
    if video is not None:
        yield from (packet for packet in container.demux(video) if packet.size)


def _read(file: "HttpFile") -> bytes:
    data = bytearray()
    while len(data) <= _LARGEST and (more := file.read(_STEP)):
        data += more
    return bytes(data)
