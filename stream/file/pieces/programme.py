"""Where a broadcast (MPEG-TS) becomes one that is not read on: its video is encoded otherwise, or moves.

Of one program FFmpeg follows tracks that get other numbers, or a table that does, not both at once,
and never another codec under the same number: what comes then is not seen, without a word. Its tables
come several times a second, so of a large file some places are looked at, and then the one between two
that differ is sought.

Tables: ISO/IEC 13818-1, sections 2.4.3 and 2.4.4.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_SYNC = 0x47
_LAYOUTS = ((188, 0), (192, 4), (204, 0))
"""Bytes from one packet to the next, and those before each (M2TS has a time there)."""
_DAMAGED, _BEGINS, _HAS_ADAPTATION, _HAS_PAYLOAD = 0x80, 0x40, 0x20, 0x10
_PACKET = 188
_WINDOW = 4 * 2**20
_PLACES = 24
_ENOUGH = 5
_MOST_UNKNOWN = _ENOUGH * 204 + 4
_PROGRAMS, _PROGRAM = 0x00, 0x02
_HEAD_OF_SECTION, _CHECKSUM = 8, 4
_POLYNOMIAL = 0x104C11DB7  # with the bit that falls out at the top
_VIDEO = {0x01: 2, 0x02: 2, 0x10: 0x10, 0x1B: 0x1B, 0x24: 0x24, 0x33: 0x33, 0x42: 0x42, 0xEA: 0xEA}
"""Types of video as tables name them; MPEG-1 and 2 have one decoder."""


@dataclass(frozen=True, slots=True)
class _Video:
    """What a program's table says of its video.

    Attributes:
        table: Number of the table's packets, and of the program.
        track: Number of the video's packets.
        kind: How it is encoded.
    """

    table: tuple[int, int]
    track: int
    kind: int

    def leads_to(self, other: "_Video") -> bool:
        """Say whether what comes later is read on."""
        return other.kind == self.kind and (other.track == self.track or other.table == self.table)


def may_be_broadcast(head: bytes) -> bool:
    """Say whether what begins with a few bytes may be an MPEG-TS."""
    return any(head[before : before + 1] == bytes([_SYNC]) for _, before in _LAYOUTS)


def is_broadcast(file: io.BufferedReader) -> bool:
    """Say whether this is an MPEG-TS."""
    file.seek(0)
    return _layout(file.read(_ENOUGH * 204 + 4)) is not None


def read_to(file: io.BufferedReader, size: int) -> int:
    """Return how far a file of `size` bytes is read: all of it, unless it is a broadcast of one program."""
    file.seek(0)
    layout = _layout(file.read(_ENOUGH * 204 + 4))
    if layout is None:
        return size
    step = max(_WINDOW, size // _PLACES)
    shown: _Video | None = None
    before = 0
    for begin in range(0, size, step):
        for at, video in _videos(file, layout, begin, min(begin + _WINDOW, size)):
            if shown is not None and not shown.leads_to(video):
                return _first(file, layout, (before, at), shown)
            before, shown = at, video
    for at, video in _videos(file, layout, max(size - _WINDOW, before), size):
        if shown is not None and not shown.leads_to(video):
            return _first(file, layout, (before, at), shown)
        before, shown = at, video
    return size


def _first(
    file: io.BufferedReader, layout: tuple[int, int], between: tuple[int, int], shown: _Video
) -> int:
    """Return where the first table stands that is not read on, of two places that are known."""
    low, high = between
    while high - low > 2 * _WINDOW:
        middle = (low + high) // 2
        for at, video in _videos(file, layout, middle, middle + _WINDOW):
            if shown.leads_to(video):
                low, shown = at, video
            else:
                high = at
            break
        else:
            break  # no table for long
    for at, video in _videos(file, layout, low, high):
        if not shown.leads_to(video):
            return at
        shown = video
    return high


def _layout(head: bytes) -> tuple[int, int] | None:
    for step, before in _LAYOUTS:
        marks = head[before : before + _ENOUGH * step : step]
        if len(marks) == _ENOUGH and set(marks) == {_SYNC}:
            return step, before
    return None


def _videos(
    file: io.BufferedReader, layout: tuple[int, int], begin: int, end: int
) -> Iterator[tuple[int, _Video]]:
    """Yield where tables of a broadcast of one program stand, from `begin` to `end`, and its video."""
    begin -= begin % layout[0]
    file.seek(begin)
    for at, video in _Tables(layout).videos(file.read(end - begin)):
        yield begin + at, video


class BroadcastTables:
    """Reads the tables of a broadcast as it comes, to tell where it becomes one that is not read on.

    Attributes:
        fresh: Whether no table of what is read on came since it began anew.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._tables: _Tables | None = None
        self._rest = b""
        self._shown: _Video | None = None
        self.fresh = True

    def begin_anew(self) -> None:
        """Take what comes next for the beginning of a packet, as that of a segment is."""
        self._rest = b""
        self.fresh = True

    def ends_in(self, data: bytes) -> int | None:
        """Return how much is read on of `data`, which follows what was given before; None for all of it."""
        before = len(self._rest)
        window = self._rest + data
        if self._tables is None and (layout := _layout(window)) is not None:
            self._tables = _Tables(layout)
        if self._tables is None:
            self._rest = window[-_MOST_UNKNOWN:]
            return None
        for at, video in self._tables.videos(window):
            if self._shown is not None and not self._shown.leads_to(video):
                return max(at - before, 0)
            self._shown, self.fresh = video, False
        self._rest = window[len(window) - len(window) % self._tables.step :]
        return None


class _Tables:
    """Finds the tables of a broadcast of one program.

    Attributes:
        step: Bytes from one packet to the next.
    """

    def __init__(self, layout: tuple[int, int]) -> None:
        self.step, self._before = layout
        self._table: int | None = None

    def videos(self, data: bytes) -> Iterator[tuple[int, _Video]]:
        """Yield where tables stand in `data`, which begins with a packet, and the video of each."""
        rows = np.frombuffer(data, np.uint8, len(data) // self.step * self.step)
        rows = rows.reshape(-1, self.step)[:, self._before : self._before + _PACKET]
        marks = (rows[:, 0] == _SYNC) & (rows[:, 1] & (_BEGINS | _DAMAGED) == _BEGINS)
        tracks = (rows[:, 1].astype(np.uint16) & 0x1F) << 8 | rows[:, 2]
        # Sections begin with a byte that says how far on they do, 0 in all but a few.
        for row in np.flatnonzero(marks & (rows[:, 3] & _HAS_PAYLOAD != 0)):
            if tracks[row] not in {0, self._table}:
                continue
            section = _section(rows[row].tobytes())
            if tracks[row] == 0 and section[:1] == bytes([_PROGRAMS]):
                self._table = _only_program(section)
            elif section[:1] == bytes([_PROGRAM]) and (found := _video_in(section)) is not None:
                program = int.from_bytes(section[3:5], "big")
                yield int(row) * self.step, _Video((int(tracks[row]), program), *found)


def _section(packet: bytes) -> bytes:
    """Return the table that begins in a packet; nothing if it does not end there."""
    at = 4 + (1 + packet[4] if packet[3] & _HAS_ADAPTATION else 0)
    at += 1 + int.from_bytes(packet[at : at + 1], "big")
    section = packet[at:]
    length = 3 + (int.from_bytes(section[1:3], "big") & 0xFFF)
    if not _HEAD_OF_SECTION + _CHECKSUM <= length <= len(section):
        return b""
    return section[:length] if _is_sound(section[:length]) else b""


@lru_cache(maxsize=64)  # the same tables come over and over
def _is_sound(section: bytes) -> bool:
    """Say whether a table's checksum is right: with it, nothing is left of the sum."""
    rest = 0xFFFFFFFF
    for byte in section:
        rest ^= byte << 24
        for _ in range(8):
            rest = (rest << 1) ^ (_POLYNOMIAL if rest & 0x80000000 else 0)
    return rest == 0


def _only_program(section: bytes) -> int | None:
    """Return the number of the table of the only program; None if there are several."""
    entries = section[_HEAD_OF_SECTION:-_CHECKSUM]
    tables = [
        int.from_bytes(entries[at + 2 : at + 4], "big") & 0x1FFF
        for at in range(0, len(entries) - 3, 4)
        if entries[at : at + 2] != b"\0\0"  # of the network, no program
    ]
    return tables[0] if len(tables) == 1 else None


def _video_in(section: bytes) -> tuple[int, int] | None:
    """Return the number and the kind of the first video of a program; None if it has none."""
    at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
    while at + 5 <= len(section) - _CHECKSUM:
        if (kind := _VIDEO.get(section[at])) is not None:
            return int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF, kind
        at += 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF)
    return None
