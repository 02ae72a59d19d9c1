"""Where the parts of a joined file begin, found by walking from box to box, or by the first bytes of each.

MP4: ISO/IEC 14496-12, section 4.2. Matroska: https://www.rfc-editor.org/rfc/rfc9559
EBML: https://www.rfc-editor.org/rfc/rfc8794
"""

import io
import re
from collections.abc import Callable, Iterator
from itertools import islice

MOST_PARTS = 1000
FILE_TYPE, INDEX = b"ftyp", b"moov"
_BOX, _LARGE_BOX = 8, 16
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_DOCUMENT_TYPE = re.compile(rb"\x42\x82.{1,8}(webm|matroska)", re.DOTALL)
_SIGNATURES = (b"nut/multimedia container\0", b".RMF\0\0\0\x12")
_ENOUGH, _CHUNK = 64, 2**20


def begins_of(file: io.BufferedReader, size: int) -> list[int]:
    """Return where the parts of a file of `size` bytes begin, as far as its format is known here."""
    head = file.read(_ENOUGH)
    if head[4:8] == FILE_TYPE:
        return _mp4_begins(file, size)
    if head.startswith(_EBML):
        return _matroska_begins(file, size)
    signature = next((one for one in _SIGNATURES if head.startswith(one)), None)
    if signature is None:
        return [0]
    file.seek(0)
    return list(islice(_all_of(signature, file), MOST_PARTS))


def _mp4_begins(file: io.BufferedReader, size: int) -> list[int]:
    def head_at(at: int) -> bytes:
        file.seek(at)
        return file.read(_LARGE_BOX)

    begins, indexed = [0], False
    for at, kind in boxes(head_at, size):
        if kind == FILE_TYPE and indexed:
            begins.append(at)
            indexed = False
        indexed = indexed or kind == INDEX
    return begins


def boxes(head_at: Callable[[int], bytes], size: int) -> Iterator[tuple[int, bytes]]:
    """Yield where the boxes of an MP4 of `size` bytes begin, and their kinds.

    Args:
        head_at: Returns the 16 bytes at a place, or what there is of them.
        size: Of the file, in bytes.
    """
    at = 0
    while at + _BOX <= size:
        head = head_at(at)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[_BOX:_LARGE_BOX], "big")
        yield at, kind
        if length < _BOX:  # to the end of the file, or damage
            return
        at += length


def _matroska_begins(file: io.BufferedReader, size: int) -> list[int]:
    """Go from element to element; behind one that says no length the next head is looked for."""
    begins, at = list[int](), 0
    while at < size and len(begins) <= MOST_PARTS:
        file.seek(at)
        head = file.read(_ENOUGH)
        length, known = _element_length(head)
        if head.startswith(_EBML):
            begins.append(at)
        elif not (head.startswith(_SEGMENT) and known):
            file.seek(at + 1)
            found = (n for n in _all_of(_EBML, file) if _is_matroska(file, n))
            if (at := next(found, size)) == size:
                break
            continue
        at += length
    return begins


def matroska_end(head: bytes) -> int | None:
    """Return how long a Matroska that begins with `head` is; None if it is none, or does not say."""
    if not head.startswith(_EBML):
        return None
    begins, _ = _element_length(head)
    length, known = _element_length(head[begins:])
    return begins + length if head.startswith(_SEGMENT, begins) and known else None


def _element_length(head: bytes) -> tuple[int, bool]:
    """Return how long an element with an id of four bytes is, and whether it says that."""
    if len(head) < 12 or not head[4]:
        return 0, False
    width = 9 - head[4].bit_length()
    length = int.from_bytes(head[4 : 4 + width], "big") & (1 << 7 * width) - 1
    return 4 + width + length, length != (1 << 7 * width) - 1


def _is_matroska(file: io.BufferedReader, at: int) -> bool:
    file.seek(at)
    return _DOCUMENT_TYPE.search(file.read(_ENOUGH)) is not None


def _all_of(signature: bytes, file: io.BufferedReader) -> Iterator[int]:
    """Yield where `signature` stands from where the file is on; others may read it meanwhile."""
    at, rest = file.tell(), b""
    while True:
        file.seek(at + len(rest))
        if not (data := rest + file.read(_CHUNK))[len(rest) :]:
            return
        found = data.find(signature)
        while found >= 0:
            yield at + found
            found = data.find(signature, found + 1)
        rest = data[-len(signature) + 1 :]
        at += len(data) - len(rest)
