"""Joined FLV files, read as one.

FFmpeg takes the header of the second part for a tag and stops there, without a word. Here the
parts are found by walking from tag to tag, and the headers between them are left out.
FLV: Adobe Flash Video File Format Specification, version 10.1, annex E.
"""

import io
from pathlib import Path

_SIGNATURE = b"FLV\x01"
_HEADER = 13  # with the size of the tag before, which is 0
_TAG_HEADER = 11
_TAG_TRAILER = 4


def open_joined_flv(path: Path) -> io.BufferedReader | None:
    """Return the parts of a joined FLV file as one; None if it is something else. Blocks."""
    if not path.is_file():  # of a pipe nothing may be read ahead
        return None
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            return None
        parts = _parts(file, path.stat().st_size)
    return None if len(parts) == 1 else io.BufferedReader(_Parts(path, parts))


def _parts(file: io.BufferedReader, size: int) -> list[tuple[int, int]]:
    """Return where each part begins and ends; the first with its header, the others without."""
    parts, begin, at = list[tuple[int, int]](), 0, _HEADER
    while at < size:
        file.seek(at)
        head = file.read(_TAG_HEADER)
        if head.startswith(_SIGNATURE):
            parts.append((begin, at))
            begin = at = at + _HEADER
            continue
        at += _TAG_HEADER + int.from_bytes(head[1:4], "big") + _TAG_TRAILER
    return [*parts, (begin, size)]


class _Parts(io.RawIOBase):
    """Pieces of a file, one after another."""

    def __init__(self, path: Path, parts: list[tuple[int, int]]) -> None:
        self._file = path.open("rb")
        self._parts = parts
        self._size = sum(end - begin for begin, end in parts)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = (0, self._position, self._size)[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        before = 0
        for begin, end in self._parts:
            within = self._position - before
            if 0 <= within < end - begin:
                self._file.seek(begin + within)
                read = self._file.readinto(memoryview(buffer)[: end - begin - within])
                self._position += read
                return read
            before += end - begin
        return 0

    def close(self) -> None:
        self._file.close()
        super().close()
