"""Decodes chosen frames of a video file, and no more than they need.

Between two chosen frames everything up to the next keyframe is passed over undecoded, and of what
must be decoded the frames that no other is built on are left out.
"""

from collections.abc import Iterator, Sequence

import av
from av import VideoFrame
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from stream.file.index import PacketRun, packets

_SKIPS_UNREFERENCED = {"h264", "hevc", "mpeg2video", "mpeg4"}
"""Decoders that can be told packet by packet to leave out what no other frame is built on."""
_NEAR = 1e-4
_TOLD_EVERY = 32

Shown = tuple[float, VideoFrame]


def chosen_frames(
    container: InputContainer, video: VideoStream, runs: Sequence[PacketRun], step: float | None
) -> Iterator[Shown | None]:
    """Yield the frames that `runs` want with their times; now and then None, having got so far.

    Args:
        container: Opened anew.
        video: The track.
        runs: What to decode, in order.
        step: Seconds from one frame to the next of a file that does not say when each is shown.
    """
    waiting = iter(runs)
    decoding = next(waiting, None)
    run = None if decoding is None else _Decoding(video, decoding, step)
    try:
        for number, packet in enumerate(packets(container, video)):
            if run is None:
                return
            yield from run.take(number, packet)
            if number >= run.last:
                yield from run.end()
                decoding = next(waiting, None)
                run = None if decoding is None else _Decoding(video, decoding, step)
            if number % _TOLD_EVERY == 0:
                yield None
    except av.FFmpegError:
        pass  # damaged from here on: the end of what can be seen
    if run is not None:
        yield from run.end()


class _Decoding:
    """One run, being decoded."""

    def __init__(self, video: VideoStream, run: PacketRun, step: float | None) -> None:
        self.last = run.last
        self._context = video.codec_context
        self._base = float(video.time_base or 0)
        self._run = run
        self._step = step
        self._wanted = list(run.wanted)
        self._count = 0
        self._newest: Shown | None = None
        self._skips = step is None and self._context.name in _SKIPS_UNREFERENCED

    def take(self, number: int, packet: "Packet[VideoStream]") -> Iterator[Shown]:
        """Decode `packet` if it belongs to the run, and yield what is wanted of what comes."""
        if number < self._run.first:
            return
        if self._skips:
            needed = number in self._run.packets
            self._context.skip_frame = "DEFAULT" if needed else "NONREF"
        yield from self._decode(packet)

    def end(self) -> Iterator[Shown]:
        """Yield what the decoder still holds back, and let it forget everything."""
        yield from self._decode(None)
        self._context.flush_buffers()
        if self._wanted and self._newest is not None:
            yield self._newest  # the frame itself was damaged: the one before is next to it
            self._wanted.clear()

    def _decode(self, packet: "Packet[VideoStream] | None") -> Iterator[Shown]:
        try:
            frames = self._context.decode(packet)
        except av.FFmpegError:
            return  # the next keyframe mends it
        for frame in frames:
            time = self._time(frame)
            self._newest = (time, frame)
            if self._wanted and time >= self._wanted[0] - _NEAR:
                # A frame that stands for several is one frame.
                self._wanted = [wanted for wanted in self._wanted if wanted > time + _NEAR]
                self._newest = None
                yield time, frame

    def _time(self, frame: VideoFrame) -> float:
        self._count += 1
        if self._step is not None:
            return (self._count - 1) * self._step
        if frame.pts is None:
            return self._wanted[0] if self._wanted else self._run.wanted[-1]
        return frame.pts * self._base + self._run.offset
