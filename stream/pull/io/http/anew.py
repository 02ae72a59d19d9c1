"""A live stream that begins anew in its middle, with video of another size or encoding.

A camera that is set differently, or an encoder that is started again, sends what decoders are told at
the beginning once more. FFmpeg reads that of MP4 and Matroska once alone, and makes wrong pictures of
what follows, without a word. So what comes ends there, and as it is live it is opened again: the next
connection begins with what holds now.

MP4: ISO/IEC 14496-12, section 8.5.2. Matroska: https://www.rfc-editor.org/rfc/rfc9559
"""

import re
from typing import TYPE_CHECKING

from stream.file.part_heads import INDEX, boxes

if TYPE_CHECKING:
    from stream.pull.io.http.file import FileObject, HttpFile

_MP4 = rb"\0\0\0[\x10-\x7f]ftyp[ -~]{4}"
_MATROSKA = rb"\x1a\x45\xdf\xa3.{4,50}?(?:webm|matroska)"
_BEGINNING = re.compile(b"%b|%b" % (_MP4, _MATROSKA), re.DOTALL)
_LONGEST_BEGINNING = 64
LONGEST_HEAD = 1024 * 1024
_CLUSTER, _PRIVATE = b"\x1f\x43\xb6\x75", b"\x63\xa2"
_CODEC = re.compile(rb"V_[A-Z0-9/]+")
_BOX_HEADS = 16


def told(head: bytes) -> tuple[bytes, ...] | None:
    """Return what decoders are told by the `head` of an MP4 or Matroska; None if it is not whole."""
    if head[4:8] != b"ftyp":
        end = head.find(_CLUSTER)
        return None if end < 0 else _told_by_matroska(head[:end])
    for at, kind in boxes(lambda at: head[at : at + _BOX_HEADS], len(head)):
        if kind == INDEX:
            size = int.from_bytes(head[at : at + 4], "big")
            return _told_by_mp4(head[at : at + size]) if at + size <= len(head) else None
    return None


def _told_by_mp4(index: bytes) -> tuple[bytes, ...]:
    found = [at.start() - 4 for at in re.finditer(b"stsd", index)]
    return tuple(index[at : at + int.from_bytes(index[at : at + 4], "big")] for at in found)


def _told_by_matroska(tracks: bytes) -> tuple[bytes, ...]:
    told, at = _CODEC.findall(tracks), tracks.find(_PRIVATE)
    while at >= 0:
        width = 9 - (tracks[at + 2] if at + 2 < len(tracks) else 0).bit_length()
        size = int.from_bytes(tracks[at + 2 : at + 2 + width], "big") & (1 << 7 * width) - 1
        told.append(tracks[at + 2 + width : at + 2 + width + size])
        at = tracks.find(_PRIVATE, at + 2)
    return tuple(told)


class Continuous:
    """A file object: a live stream, up to where it begins anew with other parameters."""

    def __init__(self, file: "HttpFile") -> None:
        self.name = file.name
        self._file: FileObject = file
        self._rest = self._tail = b""
        self._told: tuple[bytes, ...] | None = None
        self._over = False

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, as soon as there are some; none at the end, or if it begins anew.

        Raises:
            OSError: If the connection is lost or silent for too long.
        """
        if not self._rest:
            self._rest = b"" if self._over else self._continued(self._file.read())
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        return taken

    def _continued(self, data: bytes) -> bytes:
        """Return `data`, and what was read to judge it, as far as it goes on from what came before."""
        window, before, at = self._tail + data, len(self._tail), 0
        while (begins := _BEGINNING.search(window, at)) is not None:
            start, at = begins.span()
            window = self._with_head(window, start)
            given = told(window[start:])
            if given is not None and given != (self._told or given):
                self._over = True
                return window[before : max(before, start)]
            self._told = given or self._told
        self._tail = window[max(at, len(window) - _LONGEST_BEGINNING) :]
        return window[before:]

    def _with_head(self, window: bytes, start: int) -> bytes:
        """Return `window`, read on until the head that begins at `start` is whole."""
        while told(window[start:]) is None and len(window) - start < LONGEST_HEAD:
            if not (more := self._file.read()):
                break
            window += more
        return window
