"""Motion JPEG over HTTP, as cameras really send it, for FFmpeg, which is strict.

FFmpeg's reader takes parts of the type `image/jpeg` and no other; cameras write `image/jpg`, add
parameters, or write nothing. What a part is tells its first bytes, and where it ends its length,
or else the picture itself: the next boundary may come with the next picture only.
https://www.rfc-editor.org/rfc/rfc2046#section-5.1
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stream.errors import BadSource
from stream.pull.io.numbers import number_in

if TYPE_CHECKING:
    from stream.pull.io.http.file import HttpFile

_LONGEST_LINE = 8 * 1024
_LONGEST_PART = 32 * 1024 * 1024
_LINES_BETWEEN = 1000
_OTHERS_IN_A_ROW = 20
_CHUNK = 64 * 1024
_NO_JPEG = "What the source sends in parts is not JPEG."
_TOO_LARGE = "A picture of the source is too large."
# ITU-T T.81, table B.1.
_START, _END, _SCAN, _MARKER = b"\xff\xd8", b"\xff\xd9", 0xDA, 0xFF
_PADDING = b"\0\r\n "
_NEXT = 6
"""Bytes in which the next boundary must begin, behind the end of a line or two."""
_HEAD = "--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n"


class MotionJpeg:
    """A file object: the pictures of a multipart answer, each under the head FFmpeg expects."""

    def __init__(self, file: "HttpFile") -> None:
        self.name = file.name
        self._parts = MultipartBodies(file)
        self._pictures = self._rewritten()
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, of one picture at most; none at the end.

        Raises:
            BadSource: If the parts hold no JPEG, or one that is too large.
            OSError: If the connection is lost or silent for too long.
        """
        if not self._rest:
            self._rest = next(self._pictures, b"")
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        return taken

    def _rewritten(self) -> Iterator[bytes]:
        others = 0
        for part in self._parts:
            if part.startswith(_START):
                others = 0
                yield _HEAD.format(len(part)).encode() + part + b"\r\n"
            elif (others := others + 1) == _OTHERS_IN_A_ROW:
                raise BadSource(_NO_JPEG)


class MultipartBodies:
    """The bodies of a multipart answer, one after another."""

    def __init__(self, file: "HttpFile") -> None:
        self._file = file
        self._data = bytearray()

    def __iter__(self) -> Iterator[bytes]:
        while (length := self._head()) is not None:
            if length > _LONGEST_PART:
                raise BadSource(_TOO_LARGE)
            part = self._take(length) if length and self._is_right(length) else self._picture()
            if not part:
                return
            yield part

    def _head(self) -> int | None:
        """Skip to a part's body; return its length, 0 if nobody says. None at the end.

        Raises:
            BadSource: If no part begins.
        """
        for _ in range(_LINES_BETWEEN):
            line = self._line()
            if not line:
                return None
            if line.startswith(b"--"):
                break
        else:
            raise BadSource(_NO_JPEG)
        length = 0
        while (line := self._line()).strip():
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = number_in(value.strip().decode("latin-1")) or 0
        return length if line else None

    def _is_right(self, length: int) -> bool:
        """Say whether a body is as long as is said: a JPEG ends there, or a boundary follows."""
        while len(self._data) < length and self._more():
            pass
        body = self._data[:length]
        if not body.startswith(_START):
            return True
        if body.rstrip(_PADDING).endswith(_END):
            return len(body) == length
        while len(self._data) < length + _NEXT and self._more():
            pass
        return self._data[length : length + _NEXT].lstrip().startswith(b"--")

    def _picture(self) -> bytes:
        """Take a body without a length: a JPEG to its end; nothing of anything else.

        Raises:
            BadSource: If it is too large.
        """
        while len(self._data) < len(_START) and self._more():
            pass
        if not self._data.startswith(_START):
            return bytes(
                self._data[:1]
            )  # no picture; what follows is looked through for a boundary
        end = JpegEnd()
        while (at := end.find(self._data)) is None:
            if len(self._data) > _LONGEST_PART:
                raise BadSource(_TOO_LARGE)
            if not self._more():
                return b""
        return self._take(at)

    def _line(self) -> bytes:
        """Take a line with its end; nothing at the end of the source."""
        searched = 0
        while (at := self._data.find(b"\n", searched)) < 0:
            searched = len(self._data)
            if searched > _LONGEST_LINE or not self._more():
                at = len(self._data) - 1
                break
        return self._take(at + 1)

    def _take(self, size: int) -> bytes:
        while len(self._data) < size and self._more():
            pass
        taken = bytes(self._data[:size])
        del self._data[:size]
        return taken

    def _more(self) -> bool:
        chunk = self._file.read(_CHUNK)
        self._data += chunk
        return bool(chunk)


class JpegEnd:
    """Finds where a growing JPEG ends. A small one may be inside of it, in a head of its own."""

    def __init__(self) -> None:
        self._at = len(_START)
        self._in_scan = False

    def find(self, data: bytearray) -> int | None:
        """Return the position behind the last byte; None if that has not come yet."""
        while not self._in_scan:
            if len(data) < self._at + 4:
                return None
            marker, length = data[self._at + 1], int.from_bytes(data[self._at + 2 : self._at + 4])
            self._in_scan = marker == _SCAN or data[self._at] != _MARKER
            self._at += 2 + length if not self._in_scan else 0
        found = data.find(_END, self._at)
        if found < 0:
            self._at = max(self._at, len(data) - 1)
            return None
        return found + len(_END)
