"""One source's way into a stream: from its pictures to clips.

Whatever the source is, it asks of every picture whether it is wanted and converts only those. The
feed gives them their media time, groups them, and knows whether pictures still come.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from memory.store import Moment
from model.types import Clip
from stream.channels import Broadcast
from stream.frames.blackout import Blackout
from stream.frames.clipper import Clipper
from stream.frames.faces import FaceBlur
from stream.frames.frame import Frame, Picture, Slot
from stream.frames.sampler import FrameSampler
from stream.frames.timeline import Clock, MediaTimeline
from stream.pipeline import Pipeline
from stream.reel import Reel
from stream.status import SourceKind, State

WATCHED_RATE = 10.0


class _Arrival(NamedTuple):
    """When a picture arrived, monotonic, and how long it took from there to its clip; in seconds."""

    captured: float
    late: float


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
        sampled: Frames of those that were sampled.
        newest: The frame sampled last, RGB; None before the first.
    """

    def __init__(
        self,
        source: SourceKind,
        *,
        own_times: bool,
        timeline: MediaTimeline,
        sampler: FrameSampler,
        clipper: Clipper,
        monotonic: Clock,
        pipeline: Pipeline,
        blackout: Blackout,
        faces: FaceBlur,
        watchers: Broadcast[Picture],
        reel: Reel,
        began: float,
        on_change: Callable[[], None],
    ) -> None:
        """Take what a stream gives to every source, and what this one has of its own.

        Args:
            source: What feeds.
            own_times: As the attribute.
            timeline: Gives pictures their media time.
            sampler: Picks those that go to memory.
            clipper: Makes clips of them.
            monotonic: Seconds that never go back.
            pipeline: Takes finished clips.
            blackout: Paints what nobody is to see.
            faces: Blurs whom nobody is to recognise.
            watchers: Take every picture that was converted.
            reel: Keeps the newest of these.
            began: Monotonic time of media time zero, in seconds.
            on_change: Is told of every change of state or reason.
        """
        self.source = source
        self.own_times = own_times
        self.state: State = "connecting"
        self.reason = "Waiting for the first picture."
        self.frames = 0
        self.sampled = 0
        self.newest: Picture | None = None
        self._timeline = timeline
        self._sampler = sampler
        self._for_watchers = FrameSampler(WATCHED_RATE)
        self._clipper = clipper
        self._monotonic = monotonic
        self._pipeline = pipeline
        self._blackout = blackout
        self._faces = faces
        self._watchers = watchers
        self._reel = reel
        self._began = began
        self._on_change = on_change
        self._arrived: float | None = None
        self._newest = _Arrival(0.0, 0.0)
        self._closed = asyncio.Event()

    @property
    def closed(self) -> bool:
        """Whether this feed is over: closed by its source, taken over, or the stream closed."""
        return self._closed.is_set()

    @property
    def begun(self) -> Moment | None:
        """When the pictures were seen that wait for others to make a clip; None if there are none."""
        return self._clipper.begun

    async def wait_closed(self) -> None:
        """Wait until this feed is over."""
        await self._closed.wait()

    def offer(self, time: float, captured: float | None = None, seen: int = 1) -> Slot | None:
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
        watched = self._watched and self._for_watchers.accepts(media)
        return Slot(media, captured, sampled=False) if watched else None

    @property
    def due_in(self) -> float:
        """Seconds until the next picture is wanted for memory; not above zero when it is."""
        return self._sampler.due - (self._monotonic() - self._began)

    @property
    def wanted_rate(self) -> float:
        """How many pictures per second are wanted now, by memory and by those who watch."""
        return max(self._sampler.rate, WATCHED_RATE if self._watched else 0.0)

    @property
    def sample_rate(self) -> float:
        """How many pictures per second memory wants now."""
        return self._sampler.rate

    def offer_selected(
        self, time: float, captured: float, seen: int, *, sampled: bool
    ) -> Slot | None:
        """Return a slot for a picture that a reader elsewhere picked at `wanted_rate`.

        Args:
            time: Seconds on the source's own clock, of any origin.
            captured: Monotonic time of arrival, in seconds.
            seen: Pictures that arrived there since the last one, this one included.
            sampled: Whether the reader picked it for memory, at `sample_rate`.
        """
        media = self._arrive(time, captured, seen)
        if media is None:
            return None
        if sampled:
            self._sampler.picked(media)
        return Slot(media, captured, sampled)

    def place(self, time: float) -> Slot | None:
        """Return the slot of a picture that was chosen beforehand: it is wanted whatever the pace.

        Args:
            time: Seconds on the source's own clock.
        """
        captured = self._monotonic()
        media = self._arrive(time, captured, 1)
        return None if media is None else Slot(media, captured)

    def count_skipped(self, captured: float, seen: int) -> None:
        """Count pictures that arrived elsewhere and are not wanted: the stream is live all the same.

        Args:
            captured: Monotonic time of the newest one's arrival, in seconds.
            seen: How many.
        """
        if not self.closed:
            self._count(captured, seen)

    async def hand_over(self, slot: Slot, pixels: Picture) -> None:
        """Take the RGB picture that `slot` was made for, in the order of the slots.

        Where faces are blurred this takes a tenth of a second, by which others are not held up.
        """
        self._push(slot, await self._faces(pixels))

    def push(self, slot: Slot, pixels: Picture) -> None:
        """Take a picture at once, of a stream whose faces may be seen.

        Raises:
            ValueError: If they may not: a picture must not get past `hand_over`.
        """
        if self._faces.wanted:
            raise ValueError("faces of this stream are blurred: pictures come by hand_over")
        self._push(slot, pixels)

    def _push(self, slot: Slot, pixels: Picture) -> None:
        if self.closed:
            return
        pixels = self._blackout(pixels)
        self.newest = pixels
        self._watchers.publish(pixels)
        self._reel.push(slot.time, pixels)
        if not slot.sampled:
            return
        self.sampled += 1
        arrival = _Arrival(slot.captured, self._monotonic() - slot.captured)
        before, self._newest = self._newest, arrival
        for clip in self._clipper.add(Frame(pixels, slot.time)):
            self._hand_on(clip, arrival if clip.end == slot.time else before)

    async def room(self) -> None:
        """Wait until a clip can be given without losing another: for a source that can wait."""
        await self._pipeline.room()

    def report_state(self, state: State, reason: str) -> None:
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
        return self._timeline.media_time(time, captured - self._began)

    def _count(self, captured: float, seen: int) -> None:
        self.frames += seen
        self._arrived = captured
        if self.state != "live":
            self._show("live", "Pictures arrive.")

    def _flush(self) -> None:
        for clip in self._clipper.flush():
            self._hand_on(clip, self._newest)

    def _hand_on(self, clip: Clip, newest: _Arrival) -> None:
        paced = not self.own_times
        self._pipeline.put(clip, newest.captured, late=newest.late, paced=paced)
        self._sampler.rate = self._pipeline.rate

    @property
    def _watched(self) -> bool:
        return self._watchers.readers > 0

    def _show(self, state: State, reason: str) -> None:
        if (state, reason) != (self.state, self.reason):
            self.state, self.reason = state, reason
            self._on_change()
