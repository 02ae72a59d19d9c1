"""A file's own times, made to go on where its clock starts again.

Recordings that were joined (`cat a.ts b.ts`, a DVD's VOBs, a recorder that restarted) begin to
count anew in their middle, and one damaged time stamp may lie days ahead. What is shown then is
still the next picture.
"""

import math

from av import ContainerFormat
from av.container import InputContainer
from av.video.stream import VideoStream

# As FFmpeg's own tools take it for containers whose clock may start again at any time.
_LONGEST_BROADCAST_GAP = 10.0
_LONGEST_GAP = 3600.0
_TIMES_MAY_JUMP = 0x200  # FFmpeg's AVFMT_TS_DISCONT
_NO_TIMES = 0x80  # AVFMT_NOTIMESTAMPS
_STEPS_IN_A_GAP = 10
_STEPS_BACK = 2
_STEPS_REORDERED = 10
_SHORTEST_BACK = 0.1
_USUAL_RATE = 25


class MediaClock:
    """Tells for every picture, in order, its time from the beginning; never goes back.

    Attributes:
        restarted: Whether the file's own clock started again so far.
    """

    def __init__(
        self, begins: float, step: float, longest_gap: float, steps_back: int = _STEPS_BACK
    ) -> None:
        """Start at 0.

        Args:
            begins: What the file calls its beginning, in seconds.
            step: Seconds between two pictures where nothing tells.
            longest_gap: Seconds between two pictures beyond which the file's clock has started
                again; so it has where it goes back by more than `steps_back`.
            steps_back: Of `step` seconds: by so much the order of times may be disturbed.
        """
        self.restarted = False
        self._step = step
        self._longest_gap = max(longest_gap, _STEPS_IN_A_GAP * step)
        self._longest_back = max(_SHORTEST_BACK, steps_back * step)
        self._offset = -begins
        self._last: float | None = None
        self._trusts_next = False

    def sought(self) -> None:
        """Take the next time for what it says: the file is read on from elsewhere."""
        self._trusts_next = True

    def time(self, own: float | None) -> float:
        """Return the time of the next picture.

        Args:
            own: What the file says, in seconds; None or not a number if it says nothing.
        """
        following = 0.0 if self._last is None else self._last + self._step
        if own is None or not math.isfinite(own):
            self._last = following
            return following
        if not self._trusts_next:
            self._follow(own, following)
        self._trusts_next = False
        self._last = max(self._last or 0.0, own + self._offset)
        return self._last

    def _follow(self, own: float, following: float) -> None:
        ahead = own + self._offset - following
        if -self._longest_back - self._step <= ahead <= self._longest_gap:
            return
        self.restarted = self.restarted or self._last is not None
        self._offset = following - own


def frame_rate(container: InputContainer, video: VideoStream) -> float:
    """Return how many frames a second there are where nothing tells when each is shown."""
    # FFmpeg says 25 of what has no container, though the video itself may know better.
    known = container.format.flags & _NO_TIMES and video.codec_context.framerate
    return float(known or video.average_rate or _USUAL_RATE)


def clock_of(container: InputContainer, video: VideoStream, *, packets: bool = False) -> MediaClock:
    """Return the clock of `video`, at its beginning.

    Args:
        container: That holds it.
        video: Whose times they are.
        packets: Whether those of packets are told, which may come in another order than pictures.
    """
    begins = 0.0 if container.start_time is None else container.start_time / 1_000_000
    longest = _LONGEST_BROADCAST_GAP
    if not starts_again(container.format):
        longest = max(_LONGEST_GAP, (container.duration or 0) / 1_000_000)
    reordered = packets and video.codec_context.has_b_frames
    return MediaClock(
        begins,
        step=1 / frame_rate(container, video),
        longest_gap=longest,
        steps_back=_STEPS_REORDERED if reordered else _STEPS_BACK,
    )


def starts_again(container: ContainerFormat) -> bool:
    """Say whether files of this format may count anew at any time, and have no index of times."""
    return bool(container.flags & _TIMES_MAY_JUMP)
