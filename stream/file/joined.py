"""Joined files (`cat a.flv b.flv`) of formats that FFmpeg reads to the end of the first part, read as one.

FFmpeg takes the head of the second part for one of the pieces that it knows the size of, and stops
there, without a word. Here the parts are found by walking from piece to piece, and the heads between
them are left out. Where the clock starts again, `stream.file.media_clock` lets it go on. Of formats whose parts
have an index each, `stream.file.parts` has them played one after another. What comes from another encoder
on cannot be played on; it is cut off, also where FFmpeg would read it as damage, and `left_out` says so.

IVF: https://wiki.multimedia.cx/index.php/Duck_IVF
YUV4MPEG2: https://wiki.multimedia.cx/index.php/YUV4MPEG2
ASF: Advanced Systems Format Specification, revision 01.20.06, sections 3 to 5.
"""

import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition

from stream.file.container import open_input
from stream.file.parts import CONCAT, OPTIONS, parts_of, script_of, unread
from stream.file.pieces.flv import FLV, flv_pieces
from stream.file.pieces.programme import is_broadcast, read_to

SOUGHT_IN_PARTS = {"ivf", "yuv4mpegpipe", "asf", CONCAT}
"""Formats of which a time is looked for in the first part alone; of FLV it is known that it counts anew."""
_CHANGED = (
    "More of the file is not read: its last {:,.1f} MB, from byte {} on, are encoded in another way than "
    "what comes before, or are another program. Give each part by itself."
)
_Piece = tuple[int, int] | bytes
"""Where a part of the file begins and ends, or bytes that stand in its place."""
_ENOUGH = 512

_IVF = b"DKIF"
_IVF_FRAME_HEADER = 12

_Y4M = b"YUV4MPEG2 "
_Y4M_PLANES = {"420": (2, 2), "422": (2, 1), "411": (4, 1), "444": (1, 1)}

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF_OBJECT = 24
_ASF_DATA_HEADER = 50


@dataclass(frozen=True, slots=True)
class Joined:
    """A joined file, read as one.

    Attributes:
        file: To read from.
        format: Its name in FFmpeg.
        options: How FFmpeg must open it.
        dispositions: Of its tracks, where FFmpeg forgets them.
    """

    file: io.BufferedReader | io.BytesIO
    format: str
    options: dict[str, str] = field(default_factory=dict)
    dispositions: tuple[Disposition, ...] = ()

    def open(
        self, options: dict[str, str] | None, timeout: tuple[float, float] | None
    ) -> InputContainer:
        """Open it, with more `options`.

        Raises:
            FFmpegError: If it is nothing that FFmpeg can read.
        """
        more = (options or {}) | self.options
        container = open_input(self.file, self.format, more, timeout=timeout)
        for stream, disposition in zip(container.streams, self.dispositions, strict=False):
            stream.disposition = disposition
        return container


def open_joined(path: Path) -> Joined | None:
    """Return the parts of a joined file as one; None if it is something else. Blocks."""
    if not path.is_file():  # of a pipe nothing may be read ahead
        return None
    known = _pieces(path)
    if known is not None:
        name, pieces = known
        return None if pieces == [(0, path.stat().st_size)] else _joined(path, name, pieces)
    parts = parts_of(path)
    if parts is None or len(parts.played) == 1:
        return None
    return Joined(io.BytesIO(script_of(path, parts)), CONCAT, OPTIONS, parts.dispositions)


def left_out(path: Path) -> str:
    """Say what of a file is not played; nothing if all is. Blocks."""
    if not path.is_file():
        return ""
    known = _pieces(path)
    if known is None:
        parts = parts_of(path)
        return "" if parts is None else unread(parts.left_out)
    name, pieces = known
    last = pieces[-1]
    size = 0 if isinstance(last, bytes) else path.stat().st_size - last[1]
    if name == "asf":  # there an index comes behind the pictures
        return ""
    return changed(size, path.stat().st_size - size)


def changed(size: int, end: int | None) -> str:
    """Say that `size` bytes from byte `end` on are not read; nothing if there are none."""
    return _CHANGED.format(max(size / 1e6, 0.1), end) if size > 0 else ""


def _pieces(path: Path) -> tuple[str, list[_Piece]] | None:
    """Return a file's format in FFmpeg and the pieces that are read as one; None of formats not known here."""
    with path.open("rb") as file:
        size = path.stat().st_size
        head = file.read(_ENOUGH)
        for signature, (name, pieces_of) in _FORMATS.items():
            if head.startswith(signature):
                return name, pieces_of(file, size)
        if is_broadcast(file):
            return "mpegts", [(0, read_to(file, size))]
    return None


def _joined(path: Path, name: str, pieces: list[_Piece]) -> Joined:
    raw = _Pieces(path, pieces, sought=name not in SOUGHT_IN_PARTS)
    return Joined(io.BufferedReader(raw), name)


def _ivf(file: io.BufferedReader, size: int) -> list[_Piece]:
    """Return the first part with its header, the others without, up to one of another codec."""
    first = _read(file, 0, 12)
    pieces, begin = list[_Piece](), 0
    at = int.from_bytes(first[6:8], "little")
    while at < size:
        head = _read(file, at, _IVF_FRAME_HEADER)
        if head.startswith(_IVF):
            if head[8:12] != first[8:12]:
                return [*pieces, (begin, at)]
            pieces.append((begin, at))
            begin = at = at + max(int.from_bytes(head[6:8], "little"), 1)
            continue
        at += _IVF_FRAME_HEADER + int.from_bytes(head[:4], "little")
    return [*pieces, (begin, size)]


def _y4m(file: io.BufferedReader, size: int) -> list[_Piece]:
    """Return the first part with its header, the others without, up to one of another size."""
    first = _line(file, 0)
    picture = _y4m_picture(first)
    if picture is None:
        return [(0, size)]
    pieces, begin, at = list[_Piece](), 0, len(first)
    while at < size:
        line = _line(file, at)
        if line.startswith(b"FRAME"):
            at += len(line) + picture
            continue
        if not line.startswith(_Y4M):
            break
        if _y4m_picture(line) != picture:
            return [*pieces, (begin, at)]
        pieces.append((begin, at))
        begin = at = at + len(line)
    return [*pieces, (begin, size)]


def _y4m_picture(header: bytes) -> int | None:
    """Return how many bytes a picture takes; None of a kind that is not known."""
    fields = {field[:1]: field[1:] for field in header.decode("latin-1").split()[1:]}
    kind = re.fullmatch(r"(420|422|411|444)([a-z]\w*)?", fields.get("C", "420"))
    if kind is None or not (fields.get("W", "").isdigit() and fields.get("H", "").isdigit()):
        return None
    width, height = int(fields["W"]), int(fields["H"])
    across, down = _Y4M_PLANES[kind[1]]
    planes = width * height + 2 * math.ceil(width / across) * math.ceil(height / down)
    if kind[2] == "alpha":
        planes += width * height
    return planes * (2 if re.match(r"p\d", kind[2] or "") else 1)


def _asf(file: io.BufferedReader, size: int) -> list[_Piece]:
    """Return the first header, one of data that says how much there is in all, and the data of each."""
    data, header, at, parts = list[tuple[int, int]](), 0, 0, 0
    while at + _ASF_OBJECT <= size:
        head = _read(file, at, _ASF_OBJECT)
        length = int.from_bytes(head[16:24], "little")
        if head.startswith(_ASF):
            parts += 1
        elif head.startswith(_ASF_DATA):
            header = header or at
            data.append((at + _ASF_DATA_HEADER, min(at + length, size)))
        if length < _ASF_OBJECT:
            break
        at += length
    if parts < 2 or not data:
        return [(0, size)]
    whole = sum(end - begin for begin, end in data) + _ASF_DATA_HEADER
    first = bytearray(_read(file, header, _ASF_DATA_HEADER))
    first[16:24] = whole.to_bytes(8, "little")
    return [(0, header), bytes(first), *data]


_FORMATS: dict[bytes, tuple[str, Callable[[io.BufferedReader, int], list[_Piece]]]] = {
    FLV: ("flv", flv_pieces),
    _IVF: ("ivf", _ivf),
    _Y4M: ("yuv4mpegpipe", _y4m),
    _ASF: ("asf", _asf),
}


def _read(file: io.BufferedReader, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)


def _line(file: io.BufferedReader, at: int) -> bytes:
    file.seek(at)
    return file.readline(_ENOUGH)


class _Pieces(io.RawIOBase):
    """Pieces of a file, one after another."""

    def __init__(self, path: Path, pieces: list[_Piece], *, sought: bool) -> None:
        self._file = path.open("rb")
        self._pieces = pieces
        self._size = sum(map(_length, pieces))
        self._position = 0
        self._sought = sought

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._sought

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = (0, self._position, self._size)[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        before = 0
        for piece in self._pieces:
            within = self._position - before
            if 0 <= within < _length(piece):
                read = self._read(piece, within, memoryview(buffer))
                self._position += read
                return read
            before += _length(piece)
        return 0

    def _read(self, piece: _Piece, within: int, buffer: memoryview) -> int:
        if isinstance(piece, bytes):
            data = piece[within : within + len(buffer)]
            buffer[: len(data)] = data
            return len(data)
        begin, end = piece
        self._file.seek(begin + within)
        return self._file.readinto(buffer[: end - begin - within])

    def close(self) -> None:
        self._file.close()
        super().close()


def _length(piece: _Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
