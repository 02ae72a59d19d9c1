"""What of a joined film over HTTP (`cat a.mkv b.mkv`) is read, found by a request for the head of each part.

FFmpeg reads the first part of an MP4 alone, and two of Matroska, both with what its decoder was told at the
beginning: where the second says otherwise it would make wrong pictures, so the film ends before it.
"""

from contextlib import closing
from itertools import islice

from stream.file.part_heads import FILE_TYPE, INDEX, boxes, matroska_end
from stream.file.parts import unread
from stream.pull.io.http.anew import LONGEST_HEAD, told
from stream.pull.io.http.file import HttpFile
from stream.pull.io.http.guarded import HttpSource

_BOX_HEADS = 16
_MOST_BOXES = 6
"""Boxes that are looked at, each by a request; a film in fragments has thousands."""
_STEP = 16 * 1024


class FirstParts:
    """A file object: what comes before a place in a file over HTTP."""

    def __init__(self, file: HttpFile, end: int) -> None:
        self.name = file.name
        self._file = file
        self._end = end

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, as soon as there are some; none at the end.

        Raises:
            OSError: If the connection is lost or silent for too long.
        """
        room = max(self._end - self._file.tell(), 0)
        return self._file.read(room if size < 0 else min(size, room)) if room else b""

    def seekable(self) -> bool:
        """Say that it can be sought in: else nobody knows where its parts begin."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go on from elsewhere.

        Raises:
            OSError: If the server cannot do that.
        """
        return (
            self._file.seek(self._end + offset) if whence == 2 else self._file.seek(offset, whence)
        )

    def tell(self) -> int:
        """Return the position of the next byte."""
        return self._file.tell()


def as_read(http: HttpSource, file: HttpFile, head: bytes) -> tuple[HttpFile | FirstParts, str]:
    """Return what to read of a film that begins with `head`, and what is left out, in a sentence.

    Raises:
        OSError: If the connection is lost or silent for too long.
        Refused: If the server says no.
    """
    length = file.length
    if not file.seekable() or length is None:
        return file, ""
    if head[4:8] == FILE_TYPE:
        return file, unread(length - _mp4_end(http, head, length))
    end = _matroska_read_to(http, file, length)
    return (file, "") if end == length else (FirstParts(file, end), unread(length - end))


def _mp4_end(http: HttpSource, head: bytes, length: int) -> int:
    """Return where the first part of an MP4 ends, as far as a few requests tell."""

    def head_at(at: int) -> bytes:
        if at + _BOX_HEADS <= len(head):
            return head[at:]
        with closing(http.open(start=at, end=at + _BOX_HEADS)) as part:
            return part.peek(_BOX_HEADS)

    indexed = False
    for at, kind in islice(boxes(head_at, length), _MOST_BOXES):
        if kind == FILE_TYPE and indexed:
            return at
        indexed = indexed or kind == INDEX
    return length


def _matroska_read_to(http: HttpSource, file: HttpFile, length: int) -> int:
    """Return how far a Matroska is read: to its second part if that is for another decoder, else to the third."""
    at = matroska_end(file.peek(_BOX_HEADS * 4))
    if at is None or at >= length:
        return length
    first = _told_by(file)
    with closing(http.open(start=at, end=min(at + LONGEST_HEAD, length))) as part:
        own = matroska_end(part.peek(_BOX_HEADS * 4))
        given = None if own is None else _told_by(part)
    if own is None:  # something else stands behind it
        return length
    return at if given != first else min(at + own, length)


def _told_by(part: HttpFile) -> tuple[bytes, ...] | None:
    size = _STEP
    while (found := told(part.peek(size))) is None and size < LONGEST_HEAD:
        size *= 4
    return found
