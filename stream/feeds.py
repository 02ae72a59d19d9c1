"""The feeds of one stream, one at a time: the newest wins, and media time goes on over all of them."""

import math
from collections.abc import Callable
from dataclasses import replace

from memory.store import Moment
from model.engine.contract import Engine
from stream.channels import Broadcast
from stream.feed import Feed
from stream.frames.blackout import Blackout
from stream.frames.clipper import Clipper
from stream.frames.faces import FaceBlur
from stream.frames.frame import Picture
from stream.frames.sampler import FrameSampler
from stream.frames.timeline import ArrivalTimeline, Clock, MediaTimeline, OwnTimeline
from stream.past.record import LiveRecord
from stream.pipeline import Pipeline
from stream.reel import Reel
from stream.settings import StreamSettings
from stream.status import SourceKind, StreamStatus


class Feeds:
    """The feed that a stream has now, and what those before it counted."""

    def __init__(
        self,
        record: LiveRecord,
        *,
        engine: Engine,
        settings: StreamSettings,
        pipeline: Pipeline,
        pictures: Broadcast[Picture],
        reel: Reel,
        wall: Clock,
        monotonic: Clock,
        on_change: Callable[[], None],
    ) -> None:
        """Take what every feed is given.

        Args:
            record: Knows when the stream began.
            engine: Says how clips must be.
            settings: How the stream samples its source.
            pipeline: Takes finished clips.
            pictures: Take every picture that was converted.
            reel: Keeps the newest of these.
            wall: Unix seconds; read when a source connects.
            monotonic: Seconds that never go back.
            on_change: Is told of every change of state or reason.
        """
        self._record = record
        self._engine = engine
        self._settings = settings
        self._pipeline = pipeline
        self._pictures = pictures
        self._reel = reel
        self._wall = wall
        self._monotonic = monotonic
        self._on_change = on_change
        self._sampler = FrameSampler(settings.rate)
        self._blackout = Blackout(settings.zones, record.name)
        self._faces = FaceBlur(settings.blur_faces, record.name)
        self._feed: Feed | None = None
        self._frames_before = self._sampled_before = 0

    @property
    def open(self) -> bool:
        """Whether there is a source now."""
        return self._feed is not None and not self._feed.closed

    @property
    def begun(self) -> Moment | None:
        """When the pictures were seen that wait for others to make a clip; None if there are none."""
        return None if self._feed is None else self._feed.begun

    @property
    def newest_picture(self) -> Picture | None:
        """The frame sampled last, RGB; None before the first."""
        return None if self._feed is None else self._feed.newest

    def begin(self, source: SourceKind, *, own_times: bool, longest_gap: float | None) -> Feed:
        """Open the next one, as `LiveStream.open_feed` has it; the one before it is closed."""
        self.close("Another source took over.")
        if self._feed is not None:
            self._frames_before += self._feed.frames
            self._sampled_before += self._feed.sampled
        # A first clip within a second: who has just connected wants to ask. Whatever comes, its
        # first picture is looked at.
        first_ones = 0 if own_times else self._engine.frames_per_clip
        self._sampler.burst(first_ones, self._settings.first_rate)
        # Later than all before, if only just: a clip that starts when another does replaces it.
        newest = self._pipeline.newest
        earliest = 0.0 if newest is None else math.nextafter(newest, math.inf)
        began = self._monotonic() - max(self._wall() - self._record.began, earliest)
        timeline: MediaTimeline = OwnTimeline(earliest) if own_times else ArrivalTimeline(earliest)
        self._feed = Feed(
            source,
            own_times=own_times,
            timeline=timeline,
            sampler=self._sampler,
            clipper=Clipper(
                self._engine.frames_per_clip,
                self._settings.longest_gap if longest_gap is None else longest_gap,
                cuts=self._engine.one_scene,
            ),
            monotonic=self._monotonic,
            pipeline=self._pipeline,
            blackout=self._blackout,
            faces=self._faces,
            watchers=self._pictures,
            reel=self._reel,
            began=began,
            on_change=self._on_change,
        )
        self._on_change()
        return self._feed

    def close(self, reason: str) -> None:
        """Close the feed, if there is one."""
        if self._feed is not None:
            self._feed.close(reason)

    def check(self) -> None:
        """Show the feed as stalled if pictures stopped coming."""
        if self._feed is not None:
            self._feed.check(self._settings.stalled_after)

    def shown_in(self, status: StreamStatus) -> StreamStatus:
        """Return `status` with what the feeds know: state, source, and pictures in all."""
        feed = self._feed
        if feed is None:
            return status
        return replace(
            status,
            state=feed.state,
            reason=feed.reason,
            source=feed.source,
            frames=self._frames_before + feed.frames,
            sampled=self._sampled_before + feed.sampled,
        )
