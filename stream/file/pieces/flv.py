"""Flash Video that was joined, or whose encoder changes: one header, and tags of one codec.

FFmpeg takes the head of the second part for a tag, and video of another codec for another track.

Adobe Flash Video File Format Specification, version 10.1, annex E.
https://veovera.org/docs/enhanced/enhanced-rtmp-v2
"""

import io
from typing import TypeAlias

FLV = b"FLV\x01"
_HEADER = 13  # with the size of the tag before, which is 0
_TAG_HEADER = 11
_TAG_TRAILER = 4
_VIDEO = 9
_TYPE = 0x1F
_ENHANCED, _COMMAND = 0x8, 0x5
_WITH_PICTURES = {0, 1, 3}
"""Kinds of packets behind an enhanced header: what the decoder is told, and two of pictures."""
_SAME = {b"avc1": 7, b"hvc1": 12}
"""What the old header may name as well."""
_Codec: TypeAlias = bytes | int
_Piece: TypeAlias = tuple[int, int] | bytes


def flv_pieces(file: io.BufferedReader, size: int) -> list[_Piece]:
    """Return the first part with its header, the others without, up to video of another codec."""
    pieces, begin, at = list[_Piece](), 0, _HEADER
    shown: _Codec | None = None
    length = 0
    while at < size:
        file.seek(at - _TAG_TRAILER)
        # Where the tag before says another length the file is damaged: this is none perhaps.
        sound = int.from_bytes(file.read(_TAG_TRAILER), "big") == length
        head = file.read(_TAG_HEADER + 5)
        if head.startswith(FLV):
            pieces.append((begin, at))
            begin = at = at + _HEADER
            length = 0
            continue
        codec = _codec(head) if sound else None
        if codec is not None and shown not in {None, codec}:
            return [*pieces, (begin, at)]
        shown = shown if codec is None else codec
        length = _TAG_HEADER + int.from_bytes(head[1:4], "big")
        at += length + _TAG_TRAILER
    return [*pieces, (begin, size)]


class Tags:
    """Reads the tags of a Flash Video as it comes, to tell where it becomes one that is not read on."""

    def __init__(self) -> None:
        """Begin with the header."""
        self._given = 0
        self._rest = b""
        self._next = _HEADER
        self._length = 0
        self._shown: _Codec | None = None

    def ends_in(self, data: bytes) -> int | None:
        """Return how much is read on of `data`, which follows what was given before; None for all of it."""
        window, begin = self._rest + data, self._given - len(self._rest)
        self._given += len(data)
        while (at := self._next - begin) + _TAG_HEADER + 5 <= len(window):
            head = window[at : at + _TAG_HEADER + 5]
            sound = int.from_bytes(window[at - _TAG_TRAILER : at], "big") == self._length
            codec = _codec(head) if sound else None
            if head.startswith(FLV) or (codec is not None and self._shown not in {None, codec}):
                return max(self._next - self._given + len(data), 0)
            self._shown = self._shown if codec is None else codec
            self._length = _TAG_HEADER + int.from_bytes(head[1:4], "big")
            self._next += self._length + _TAG_TRAILER
        self._rest = window[max(self._next - _TAG_TRAILER - begin, 0) :]
        return None


def _codec(tag: bytes) -> _Codec | None:
    """Return the codec of a tag that holds video; None of another."""
    data = tag[_TAG_HEADER : _TAG_HEADER + min(int.from_bytes(tag[1:4], "big"), 5)]
    if not data or tag[0] & _TYPE != _VIDEO:
        return None
    kind = data[0] >> 4
    if not kind & _ENHANCED:
        return None if kind == _COMMAND else data[0] & 0xF
    if len(data) < 5 or kind & 0x7 == _COMMAND or data[0] & 0xF not in _WITH_PICTURES:
        return None
    return _SAME.get(data[1:], data[1:])
