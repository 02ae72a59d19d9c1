"""Which packets of a source to decode, so that no more is decoded than sampling needs.

Every picture of motion JPEG stands alone, and so does every keyframe: where keyframes come as
often as pictures are wanted, nothing else is decoded. Elsewhere at least the pictures no other
is built on are left out.
"""

import errno
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import av
from av import VideoFrame
from av.video.codeccontext import VideoCodecContext

from stream.file.media_clock import clock_of, starts_again
from stream.file.skipping import SkipRule
from stream.file.tracks import VideoPacket, packets_of
from stream.frames.sampler import FrameSampler
from stream.frames.timeline import ArrivalTimeline
from stream.pull.io.open import OpenSource, check_size

_INTRA_ONLY_CODECS = {
    "mjpeg",
    "png",
    "gif",
    "rawvideo",
    "prores",
    "dnxhd",
    "ffv1",
    "jpeg2000",
    "bmp",
}
_KEYFRAMES_REMEMBERED = 6
_SLACK = 1.1
_DAMAGED_IN_A_ROW = 200
_TOLERANCE = 2.0
_BEHIND = 5.0
_MEASURED_AFTER = 1.0
_HEARTBEAT_SECONDS = 1.0
_SHORTEST_BEAT = 0.25
_MAX_SILENT_PERIODS = 3
_LONGEST_WITHOUT_KEYFRAME = 600.0


@dataclass(frozen=True, slots=True)
class NoKeyframe:
    """Packets come, and not one picture can be made of them before the first keyframe."""


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """A picture that is wanted.

    Attributes:
        picture: As decoded.
        time: When it belongs, on the clock of arrival.
        captured: When it arrived.
        sampled: Whether it is for memory; else it is only for those who watch.
    """

    picture: VideoFrame
    time: float
    captured: float
    sampled: bool


class Picker:
    """Reads an open source and yields what is wanted of it.

    Attributes:
        rate: Pictures per second that are wanted; may be set at any time.
        sample_rate: Pictures per second that memory wants of them; may be set at any time.
        seen: Pictures that arrived so far.
        decoded: Pictures of those that were decoded.
        position: Seconds from the beginning of what has an end; None of what has none.
    """

    def __init__(
        self,
        source: OpenSource,
        rate: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        after: float = 0.0,
        sample_rate: float | None = None,
    ) -> None:
        """Take what to read.

        Args:
            source: Open.
            rate: Pictures per second that are wanted.
            clock: Monotonic seconds.
            sleep: Waits that many seconds.
            after: So many seconds from the beginning were seen already.
            sample_rate: Pictures per second that memory wants; None for all that are wanted.
        """
        self.rate = rate
        self.sample_rate = rate if sample_rate is None else sample_rate
        self.seen = 0
        self.decoded = 0
        self._source = source
        self._clock = clock
        self._sleep = sleep
        self._sampler = FrameSampler(rate)
        self._samples = FrameSampler(self.sample_rate)
        self._timeline = ArrivalTimeline(float("-inf"), _TOLERANCE)
        self._keyframes: deque[float] = deque(maxlen=_KEYFRAMES_REMEMBERED)
        alone = source.video.codec_context.name in _INTRA_ONLY_CODECS
        self._alone = alone or source.snapshots is not None
        self._await_keyframe = False
        self._skip_rule = SkipRule()
        self._file_clock = clock_of(source.container, source.video, packets=True)
        self._pace_offset: float | None = None
        self._began: float | None = None
        self._decoded_at: float | None = None
        self._told = self._picked = float("-inf")
        self.position: float | None = None
        self._after = after
        self._keyframe_came = False
        if after:
            self._skip_to(after)

    def pictures(self) -> Iterator[Picked]:
        """Yield what is wanted until the source ends.

        Raises:
            InvalidDataError: If nothing can be decoded for long.
            BadSource: If a picture is too large.
        """
        return (event for event in self.events() if isinstance(event, Picked))

    def events(self) -> Iterator[Picked | NoKeyframe | float]:
        """Yield what is wanted; in between, once a second, when the newest picture arrived.

        Not for ever, though: packets that no picture comes of are no sign of life, but before the
        first keyframe of a source, which may take a minute.

        Raises:
            InvalidDataError: If nothing can be decoded for long.
            BadSource: If a picture is too large.
        """
        began = self._clock()
        for event in self._packets():
            now = self._clock()
            if isinstance(event, Picked):
                self._picked = self._told = now
                yield event
            elif not self._keyframe_came and self._picked == -math.inf:
                if now - began > _LONGEST_WITHOUT_KEYFRAME:
                    raise av.error.InvalidDataError(errno.EINVAL, "no keyframe")
                if now - self._told >= _HEARTBEAT_SECONDS:
                    self._told = now
                    yield NoKeyframe()
            elif (
                now - self._told >= _HEARTBEAT_SECONDS
                and now - self._picked <= _MAX_SILENT_PERIODS / self.rate
            ):
                self._told = now
                yield event

    def _packets(self) -> Iterator[Picked | float]:
        damaged = 0
        for packet in self._demux():
            if not packet.size:
                yield from self._drain(packet)
                continue
            if self._source.appetite is not None:
                self._source.appetite.satisfy()
            self._sampler.rate = self.rate
            self._keyframe_came = self._keyframe_came or packet.is_keyframe
            for now in self._hold_back(packet):
                yield now
            self.seen += not self._behind
            now = self._clock()
            try:
                yield from self._pick(packet, now)
                damaged = 0
                yield now
            except av.error.InvalidDataError:
                damaged += self._keyframe_came  # what comes before one cannot be decoded
                if damaged == _DAMAGED_IN_A_ROW:
                    raise

    def _demux(self) -> Iterator[VideoPacket]:
        if self._source.snapshots is not None:
            return self._source.snapshots.packets(self._wait_until_due)
        return packets_of(self._source.container, self._source.video)

    def _wait_until_due(self, damaged: bool) -> None:
        if damaged:  # then it is due still, and the next one may be as bad
            self._sleep(1 / self.rate)
        self._sampler.rate = self.rate  # may be raised meanwhile
        while (early := self._sampler.due - self._clock()) > 0:
            self._sleep(min(early, _SHORTEST_BEAT))
            self._sampler.rate = self.rate

    def _skip_to(self, position: float) -> None:
        """Go to `position`; where only reading tells where that is, it is read up to there."""
        container = self._source.container
        length = (container.duration or 0) / av.time_base
        if position >= length or starts_again(container.format):
            return
        try:
            container.seek(int(position * av.time_base) + (container.start_time or 0))
        except (av.FFmpegError, OSError):
            return
        self._file_clock.sought()

    @property
    def _behind(self) -> bool:
        """Whether what comes now was seen by an earlier reader."""
        return self.position is not None and self.position < self._after

    def _pick(self, packet: VideoPacket, now: float) -> Iterator[Picked]:
        if packet.is_keyframe:
            self._keyframes.append(now)
        if self._alone:
            # Of a file that is one picture no more come, whatever its decoder waits for.
            yield from self._decode_alone(packet, now, flush=self._source.snapshots is not None)
        elif self._keyframes_suffice(now):
            self._await_keyframe = True
            if packet.is_keyframe:
                yield from self._decode_alone(packet, now, flush=True)
        else:
            yield from self._decode_all(packet, now)

    def _decode_alone(self, packet: VideoPacket, now: float, flush: bool) -> Iterator[Picked]:
        if self._behind:
            return
        time = self._timeline.media_time(self._time(packet), now)
        if not self._sampler.accepts(time):
            return
        pictures = list(packet.decode())
        context = packet.stream.codec_context
        if flush:
            # A decoder that reorders holds a picture back until more come, and none will.
            pictures += context.decode(None)
            context.flush_buffers()
        self.decoded += len(pictures)
        for picture in pictures[:1]:
            check_size(picture)
            yield self._picked_at(picture, time, now)

    def _decode_all(self, packet: VideoPacket, now: float) -> Iterator[Picked]:
        if self._await_keyframe and not packet.is_keyframe:
            return
        self._await_keyframe = False
        skips = self._skip_rule.skips(self._arrival_rate(now), self.rate)
        self._context.skip_frame = "NONREF" if skips else "DEFAULT"
        yield from self._decoded(packet.decode(), now)

    def _drain(self, end: VideoPacket) -> Iterator[Picked]:
        """Yield what a decoder that reorders still holds at the `end`, each in its turn."""
        if self._alone or self._await_keyframe:
            return
        for picture in end.decode():
            if self._source.paced and picture.time is not None and self._decoded_at is not None:
                self._sleep(min(max(picture.time - self._decoded_at, 0.0), _BEHIND))
            yield from self._decoded([picture], self._clock())

    def _decoded(self, pictures: list[VideoFrame], now: float) -> Iterator[Picked]:
        for picture in pictures:
            check_size(picture)
            if self._behind:
                continue
            self.decoded += 1
            own = math.nan if picture.time is None or not self._source.timed else picture.time
            self._decoded_at = now if math.isnan(own) else own
            self._skip_rule.decoded(self._decoded_at, self.rate)
            time = self._timeline.media_time(own, now)
            if self._sampler.accepts(time):
                yield self._picked_at(picture, time, now)

    def _picked_at(self, picture: VideoFrame, time: float, now: float) -> Picked:
        self._samples.rate = self.sample_rate
        due = self._samples.accepts(time)
        # Picked twice at almost the same rate, every other picture would fall between the two.
        return Picked(picture, time, now, sampled=due or self.rate <= self.sample_rate)

    def _arrival_rate(self, now: float) -> float:
        """Return how many pictures per second come; 0 until that is known."""
        if self._began is None:
            self._began = now
        lasted = now - self._began
        return self.seen / lasted if lasted > _MEASURED_AFTER else 0.0

    def _keyframes_suffice(self, now: float) -> bool:
        """Say whether keyframes alone come as often as pictures are wanted."""
        if len(self._keyframes) < _KEYFRAMES_REMEMBERED:
            return False
        # The longest gap counts: cuts bring extra keyframes, and their mean would deceive.
        longest = max(b - a for a, b in pairwise([*self._keyframes, now]))
        return longest <= _SLACK / self.rate

    def _hold_back(self, packet: VideoPacket) -> Iterator[float]:
        """Wait until the packet's time has come, if its source would not; a sign of life a beat."""
        if not (self._source.paced or self._source.lasts):
            return
        stamp = packet.pts if packet.dts is None else packet.dts
        own = None if stamp is None or packet.time_base is None else stamp * packet.time_base
        time = self._file_clock.time(None if own is None else float(own))
        if self._source.finite or self._source.lasts:
            self.position = time
        if self._behind:
            self._picked = self._clock()  # what was seen is passed over: it is no silence
            return
        if not self._source.paced:
            return
        now = self._clock()
        if self._pace_offset is None or now - (self._pace_offset + time) > _BEHIND:
            self._pace_offset = now - time
        while (early := self._pace_offset + time - self._clock()) > _HEARTBEAT_SECONDS:
            self._sleep(_HEARTBEAT_SECONDS)
            self._picked = self._clock()  # nothing was due: it is no silence
            yield self._picked
        if early > 0:
            self._sleep(early)

    def _time(self, packet: VideoPacket) -> float:
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is None or packet.time_base is None or not self._source.timed:
            return math.nan
        return float(stamp * packet.time_base)

    @property
    def _context(self) -> VideoCodecContext:
        return self._source.video.codec_context
