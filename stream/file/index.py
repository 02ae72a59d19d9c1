"""Every frame of a video file: when it is shown, and from where it can be decoded.

Made by reading the file through once without decoding, which takes a second for an hour. Containers
have indexes of their own, but some have none, some are wrong, and they know nothing of files whose
clock starts again in the middle (recordings that were joined): here the time goes on.
"""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import av
import numpy as np
from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.video.stream import VideoStream

from stream.file.media_clock import frame_rate
from stream.file.tracks import packets_of

_TOLERANCE = 1.0
"""Seconds by which a clock may jump back without having started again."""
_LONGEST_BROADCAST_GAP, _LONGEST_GAP = 10.0, 3600.0
"""Seconds between two frames beyond which the clock has started again, if it may at any time, or not."""
_TOLD_EVERY = 500


@dataclass(frozen=True, slots=True)
class PacketRun:
    """Packets to decode in one go, from one that needs no other.

    Attributes:
        first: Number of the first packet.
        last: Number of the last.
        offset: To add to the file's own times, in seconds.
        wanted: Times of the frames that are wanted, in order, in seconds from the beginning.
        packets: Numbers of the packets that hold them.
    """

    first: int
    last: int
    offset: float
    wanted: Sequence[float]
    packets: frozenset[int]


class FilmIndex:
    """Knows the frames of one file by the packets they come in.

    Attributes:
        timed: Whether the file tells when each frame is shown; else they are evenly spaced.
        step: Seconds from one frame to the next where nothing tells.
        at: How far the file was read, in seconds.
    """

    def __init__(self, container: InputContainer, video: VideoStream) -> None:
        """Start empty.

        Args:
            container: Just opened.
            video: The track.
        """
        self.timed = True
        self.step = 1 / frame_rate(container, video)
        self._times = array("d")
        self._keys: list[int] = []
        begins = 0.0 if container.start_time is None else container.start_time / av.time_base
        # Of every clock: the packet at which it begins, and what is added to its times.
        self._clocks = [(0, -begins)]
        self._decoded_at: float | None = None
        # When the first frame of the newest clock is shown by it, and the latest.
        self._first = self._latest = math.inf
        self.at = 0.0
        self._longest_gap = _LONGEST_GAP
        if Flags.ts_discont in Flags(container.format.flags):
            self._longest_gap = _LONGEST_BROADCAST_GAP
        self._longest_gap = max(self._longest_gap, 10 * self.step)

    @property
    def frames(self) -> int:
        """How many frames the file has."""
        return len(self._in_order())

    @property
    def length(self) -> float:
        """Seconds from the first frame to the end of the last."""
        order = self._in_order()
        if not len(order):
            return 0.0
        if not self.timed:
            return len(order) * self.step
        return self.at - float(self._times[order[0]])

    def add(self, packet: "Packet[VideoStream]") -> None:
        """Note the next packet of the file."""
        number = len(self._times)
        if packet.is_keyframe:
            self._keys.append(number)
        if packet.pts is None or packet.time_base is None:
            self.timed = False
            self._times.append(np.nan)
            self.at += self.step
            return
        base = float(packet.time_base)
        lasts = packet.duration * base if packet.duration else self.step
        shown = packet.pts * base
        decoded = None if packet.dts is None else packet.dts * base
        if packet.is_keyframe and shown <= self._first < self._latest:
            # Back at its beginning, however short the part was that began there before.
            self._begin_clock(decoded, shown, number)
        elif decoded is not None:
            self._follow(decoded, shown, number)
        self._note(shown)
        time = shown + self._clocks[-1][1]
        # What an edit list leaves out is decoded, as others are built on it, and never shown.
        self._times.append(np.nan if packet.is_discard else time)
        if not packet.is_discard:
            self.at = max(self.at, time + lasts)

    def between(self, start: float, end: float) -> range:
        """Return the frames that are shown from `start` to `end` seconds after the first, by number."""
        order = self._in_order()
        times = [self._time(int(packet)) for packet in order]
        begin = times[0] if times else 0.0
        first, stop = bisect_left(times, begin + start), bisect_right(times, begin + end)
        return range(first, max(first, stop))

    def runs(self, frames: Sequence[int]) -> list[PacketRun]:
        """Return what to decode to see `frames` (by number, in the order in which they are shown)."""
        order = self._in_order()
        packets = sorted(int(order[frame]) for frame in frames)
        if not self.timed:
            return [self._run(0, packets)] if packets else []
        runs: list[tuple[int, list[int]]] = []
        for packet in packets:
            first, wanted = self._decodable_from(packet), [packet]
            earliest = self._clocks[self._clock_of(packet)][0]
            # Also where one ends just before the next begins: the decoder need not be emptied.
            while runs and earliest <= runs[-1][1][-1] >= first - 1:
                before, earlier = runs.pop()
                first, wanted = min(first, before), earlier + wanted
            runs.append((first, wanted))
        return [self._run(first, wanted) for first, wanted in runs]

    def _run(self, first: int, packets: list[int]) -> PacketRun:
        begins = self._clock_of(packets[0])
        wanted = sorted(self._time(packet) for packet in packets)
        return PacketRun(first, packets[-1], self._clocks[begins][1], wanted, frozenset(packets))

    def _decodable_from(self, packet: int) -> int:
        """Return the keyframe from which the frame of `packet` can be decoded.

        A frame that is shown before its keyframe is built on the one before, too.
        """
        earliest = self._clocks[self._clock_of(packet)][0]
        place = bisect_right(self._keys, packet) - 1
        while place >= 0 and self._keys[place] >= earliest:
            if not self._times[self._keys[place]] > self._times[packet]:
                return self._keys[place]
            place -= 1
        return earliest

    def _clock_of(self, packet: int) -> int:
        return bisect_right(self._clocks, packet, key=lambda clock: clock[0]) - 1

    def _time(self, packet: int) -> float:
        return self._times[packet] if self.timed else packet * self.step

    def _in_order(self) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
        """Return the packets in the order in which their frames are shown, each time once."""
        if not self.timed or not self._times:
            return np.arange(len(self._times))
        times = np.frombuffer(self._times)
        _, first = np.unique(times, return_index=True)
        return first[np.isfinite(times[first])]

    def _follow(self, own: float, shown: float, number: int) -> None:
        """Let time go on where the file's own clock, by which packets are decoded, starts again.

        Some containers have no such clock: there it lags behind what was shown before.
        """
        if self._decoded_at is not None:
            ahead = own + self._clocks[-1][1] - self._decoded_at
            if not -_TOLERANCE <= ahead <= self._longest_gap:
                self._begin_clock(own, shown, number)
        self._decoded_at = own + self._clocks[-1][1]

    def _begin_clock(self, own: float | None, shown: float, number: int) -> None:
        """Begin another clock with a packet that is decoded at `own` by it, if that is known."""
        offset = self.at - shown
        if own is not None and self._decoded_at is not None:
            offset = max(offset, self._decoded_at + self.step - own)
        self._clocks.append((number, offset))
        self._decoded_at = None if own is None else own + offset
        self._first = self._latest = math.inf

    def _note(self, shown: float) -> None:
        if self._first == math.inf:
            self._first = self._latest = shown
        self._latest = max(self._latest, shown)


def read_index(container: InputContainer, video: VideoStream) -> Iterator[FilmIndex]:
    """Read the file through; yield the index as it grows, the last time when it is whole."""
    index = FilmIndex(container, video)
    try:
        for number, packet in enumerate(packets(container, video)):
            index.add(packet)
            if number % _TOLD_EVERY == 0:
                yield index
    except av.FFmpegError:
        pass  # damaged from here on: the end of what can be seen
    yield index


def packets(container: InputContainer, video: VideoStream) -> "Iterator[Packet[VideoStream]]":
    """Yield the packets that hold frames of `video`; the first of them is number 0."""
    return (packet for packet in packets_of(container, video) if packet.size)
