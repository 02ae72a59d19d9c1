"""One source's way into a stream: from its pictures to clips.

Whatever the source is, it asks of every picture whether it is wanted and converts only those. The
feed gives them their media time, groups them, and knows whether pictures still come.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from model.types import Clip
from stream.clipper import Clipper
from stream.frame import Frame, Picture
from stream.sampler import FrameSampler
from stream.status import SourceKind, State
from stream.timeline import Clock, Timeline

WATCHED_RATE = 10.0


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one picture: it is wanted, and belongs here.

    Attributes:
        time: Media time in seconds.
        captured: Monotonic time of its arrival, in seconds.
        sampled: Whether it goes to memory; else it is only for those who watch.
    """

    time: float
    captured: float
    sampled: bool = True


@dataclass(frozen=True, slots=True)
class FeedPorts:
    """What connects a feed to its stream.

    Attributes:
        elapsed: Media time of a monotonic time.
        clip: Takes a finished clip and the monotonic time its newest frame arrived at.
        changed: Is told of every change of state or reason.
        room: Waits until a clip can be taken without losing another.
        shown: Takes every picture that was converted, for those who watch.
        watched: Says whether anyone watches.
    """

    elapsed: Callable[[float], float]
    clip: Callable[[Clip, float], None]
    changed: Callable[[], None]
    room: Callable[[], Awaitable[None]]
    shown: Callable[[Picture], None]
    watched: Callable[[], bool]


class Feed:
    """One source's way into a stream. Opened by `LiveStream.open_feed`; close it when done.

    All methods are for the event loop's thread and, but for `room`, return at once. When another
    source takes the stream over, this feed is closed and ignores everything from then on.

    Attributes:
        source: What feeds.
        own_times: Whether media time is the source's own instead of the time of arrival.
        state: Of the source, as `StreamStatus.state`.
        reason: Why, as a sentence for people.
        frames: Pictures that arrived.
        sampled: Pictures of those that were looked at.
        newest: The picture looked at last, RGB; None before the first.
    """

    def __init__(
        self,
        source: SourceKind,
        *,
        own_times: bool,
        timeline: Timeline,
        sampler: FrameSampler,
        clipper: Clipper,
        monotonic: Clock,
        ports: FeedPorts,
    ) -> None:
        self.source = source
        self.own_times = own_times
        self.state: State = "connecting"
        self.reason = "Waiting for the first picture."
        self.frames = 0
        self.sampled = 0
        self.newest: Picture | None = None
        self._timeline = timeline
        self._sampler = sampler
        self._watched = FrameSampler(WATCHED_RATE)
        self._clipper = clipper
        self._monotonic = monotonic
        self._ports = ports
        self._arrived: float | None = None
        self._captured = 0.0
        self._closed = asyncio.Event()

    @property
    def closed(self) -> bool:
        """Whether this feed is over: closed by its source, taken over, or the stream closed."""
        return self._closed.is_set()

    async def wait_closed(self) -> None:
        """Wait until this feed is over."""
        await self._closed.wait()

    def accepts(self, time: float, captured: float | None = None, seen: int = 1) -> Slot | None:
        """Return a slot if the picture at `time` is wanted, else None.

        Ask for every picture that arrives, before converting it: this counts it, keeps the
        stream live, and converts nothing that would be thrown away.

        Args:
            time: Seconds on the source's own clock, of any origin.
            captured: Monotonic time of arrival, in seconds; None is now.
            seen: Pictures that arrived since the last call, this one included.
        """
        captured = self._monotonic() if captured is None else captured
        media = self._arrive(time, captured, seen)
        if media is None:
            return None
        if self._sampler.accepts(media):
            return Slot(media, captured)
        watched = self._ports.watched() and self._watched.accepts(media)
        return Slot(media, captured, sampled=False) if watched else None

    @property
    def due_in(self) -> float:
        """Seconds until the next picture is wanted for memory; not above zero when it is."""
        return self._sampler.due - self._ports.elapsed(self._monotonic())

    @property
    def wanted_rate(self) -> float:
        """How many pictures per second are wanted now, by memory and by those who watch."""
        return max(self._sampler.rate, WATCHED_RATE if self._ports.watched() else 0.0)

    def admit(self, time: float, captured: float, seen: int) -> Slot | None:
        """Return a slot for a picture that a reader elsewhere picked at `wanted_rate`.

        Args:
            time: Seconds on the source's own clock, of any origin.
            captured: Monotonic time of arrival, in seconds.
            seen: Pictures that arrived there since the last one, this one included.
        """
        media = self._arrive(time, captured, seen)
        if media is None:
            return None
        picked = self._sampler.accepts(media)
        # Picked twice at almost the same rate, every other picture would fall between the two.
        return Slot(media, captured, sampled=picked or not self._ports.watched())

    def place(self, time: float) -> Slot | None:
        """Return the slot of a picture that was chosen beforehand: it is wanted whatever the pace.

        Args:
            time: Seconds on the source's own clock.
        """
        captured = self._monotonic()
        media = self._arrive(time, captured, 1)
        return None if media is None else Slot(media, captured)

    def note(self, captured: float, seen: int) -> None:
        """Count pictures that arrived elsewhere and are not wanted: the stream is live all the same.

        Args:
            captured: Monotonic time of the newest one's arrival, in seconds.
            seen: How many.
        """
        if not self.closed:
            self._count(captured, seen)

    def give(self, slot: Slot, pixels: Picture) -> None:
        """Hand over the RGB picture that `slot` was made for, in the order of the slots."""
        if self.closed:
            return
        self.newest = pixels
        self._ports.shown(pixels)
        if not slot.sampled:
            return
        self.sampled += 1
        before, self._captured = self._captured, slot.captured
        for clip in self._clipper.add(Frame(pixels, slot.time)):
            whole = clip.end == slot.time
            self._ports.clip(clip, slot.captured if whole else before)

    async def room(self) -> None:
        """Wait until a clip can be given without losing another: for a source that can wait."""
        await self._ports.room()

    def say(self, state: State, reason: str) -> None:
        """Show the source's own trouble: `connecting` or `retrying`, and why."""
        if not self.closed:
            self._flush()
            self._show(state, reason)

    def check(self, stalled_after: float) -> None:
        """Show the feed as stalled if no picture came for `stalled_after` seconds."""
        if self.state != "live" or self._arrived is None or self.own_times:
            return
        if self._monotonic() - self._arrived >= stalled_after:
            self._flush()
            self._show("stalled", f"No picture for {stalled_after:g} seconds.")

    def flush(self) -> None:
        """Make a clip of the pictures given so far, for who wants them looked at now."""
        if not self.closed:
            self._flush()

    def close(self, reason: str) -> None:
        """End: flush the clip begun, and show `reason`. Safe to call twice."""
        if self.closed:
            return
        self._flush()
        self._closed.set()
        self._show("ended", reason)

    def _arrive(self, time: float, captured: float, seen: int) -> float | None:
        if self.closed:
            return None
        self._count(captured, seen)
        return self._timeline.media_time(time, self._ports.elapsed(captured))

    def _count(self, captured: float, seen: int) -> None:
        self.frames += seen
        self._arrived = captured
        if self.state != "live":
            self._show("live", "Pictures arrive.")

    def _flush(self) -> None:
        for clip in self._clipper.flush():
            self._ports.clip(clip, self._captured)

    def _show(self, state: State, reason: str) -> None:
        if (state, reason) != (self.state, self.reason):
            self.state, self.reason = state, reason
            self._ports.changed()
