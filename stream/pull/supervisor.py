"""Keeps a pulled source coming: cameras, playlists, files on other machines.

One reader process per source; it is killed when it goes silent and started anew for as long as the
source is wanted: a camera that is away for an hour comes back by itself. What is wrong is said in
words, without the source's credentials.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace

from stream.address.source_url import SourceUrl
from stream.backoff import Backoff
from stream.errors import BadSource
from stream.feed import Feed
from stream.frames.timeline import Clock
from stream.live import LiveStream
from stream.pull.finishing import wait_all
from stream.pull.messages import (
    FrameReady,
    FramesSkipped,
    Opened,
    Place,
    Report,
    SourceEnded,
    Waiting,
)
from stream.pull.process import PullSettings, Reader, make_order, no_reader
from stream.status import SourceKind

log = logging.getLogger(__name__)

Wait = Callable[[float], Awaitable[None]]

_NO_KEYFRAME = (
    "Video arrives; its first keyframe, before which there is no picture, has not come yet."
)


class Puller:
    """Feeds one stream from one source until closed, or until another source takes it over.

    Attributes:
        source: What is pulled.
        waits_for_keyframe: Whether video arrives of which no picture can be made yet.
        breaks: How often the source was lost after it had shown something, and cannot be read on from there.
    """

    def __init__(
        self,
        source: SourceUrl,
        live: LiveStream,
        *,
        settings: PullSettings,
        monotonic: Clock,
        trusted: bool = False,
        wait: Wait = asyncio.sleep,
    ) -> None:
        """Take what to pull.

        Args:
            source: From `read_source`.
            live: The stream to feed.
            settings: How.
            monotonic: Seconds that never go back, as `time.monotonic` has them.
            trusted: Whether the operator named the source: any address is fine then.
            wait: Waits that many seconds between two tries.
        """
        self.source = source
        self._live = live
        self._settings = settings
        self._monotonic = monotonic
        self._trusted = trusted
        self._wait = wait
        self._work: asyncio.Task[None] | None = None
        self._feed: Feed | None = None
        self._told = ""
        self._place: Place | None = None
        self.waits_for_keyframe = False
        self.breaks = 0

    def start(self) -> None:
        """Begin to pull.

        Raises:
            NoRoom: If every place for a stream with a source is taken.
        """
        self._feed = self._live.open_feed(_kind(self.source))
        self._work = asyncio.create_task(_until_closed(self._feed, self._pull(self._feed)))
        self._work.add_done_callback(self._done)

    @property
    def over(self) -> bool:
        """Whether it has ended for good."""
        return self._work is not None and self._work.done()

    async def wait_over(self) -> None:
        """Wait until it has ended for good."""
        if self._work is not None:
            await asyncio.wait([self._work])

    async def close(self, reason: str = "The source was removed.") -> None:
        """Stop pulling and end the reader process. Safe to call twice."""
        if self._feed is not None:
            self._feed.close(reason)
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def _pull(self, feed: Feed) -> None:
        """Read the source again and again, until it ends for good."""
        waits = Backoff(self._settings.first_retry, self._settings.longest_retry)
        feed.report_state("connecting", f"Connecting to {self.source.shown}.")
        while not feed.closed:
            seen = feed.frames
            over = await self._read_once(feed)
            if feed.frames > seen:
                waits.reset()
                self._told = ""
                self.breaks += not over.final and self._place is None
            self._tell_operator(over.reason)
            if over.final:
                feed.close(over.reason)
                return
            wait = waits.next()
            feed.report_state(
                "retrying", f"{over.reason} The next try is in {max(1, round(wait))} s."
            )
            await self._wait(wait)

    async def _read_once(self, feed: Feed) -> SourceEnded:
        """Read until the source ends or fails, and say why."""
        try:
            order = await make_order(self.source, self._settings, trusted=self._trusted)
        except BadSource as error:
            # A name that is unknown may be known again; a forbidden address may move, too.
            return SourceEnded(str(error))
        try:
            wanted = replace(
                order,
                rate=feed.wanted_rate,
                sample_rate=feed.sample_rate,
                side=self._live.frame_side,
                after=self._place,
            )
            reader = Reader(wanted)
            try:
                return await self._listen(reader, feed)
            finally:
                self.waits_for_keyframe = False
                await reader.close()
        except OSError as error:
            return SourceEnded(no_reader(error))

    async def _listen(self, reader: Reader, feed: Feed) -> SourceEnded:
        over = SourceEnded("The reader of this source ended unexpectedly.")
        opened, seen = False, feed.frames
        async with aclosing(reader.reports(self._settings.silence)) as reports:
            async for report in reports:
                if isinstance(report, SourceEnded):
                    over = report
                    break
                opened = opened or isinstance(report, Opened)
                await self._take(report, reader, feed)
                reader.set_rates(feed.wanted_rate, feed.sample_rate)
        if opened and feed.frames == seen and self._place is not None and self._place.position:
            self._place = None  # what is there now has not got so far
        return over

    async def _take(self, report: Report, reader: Reader, feed: Feed) -> None:
        if isinstance(report, Waiting) and not self.waits_for_keyframe:
            feed.report_state("connecting", _NO_KEYFRAME)
        self.waits_for_keyframe = isinstance(report, Waiting)
        if isinstance(report, FrameReady):
            await _show(report, reader, feed)
        elif isinstance(report, FramesSkipped):
            feed.count_skipped(report.captured, report.seen)
        elif isinstance(report, Place):
            self._tell_missing(report.missing)
            self._place = report

    def _tell_missing(self, count: int) -> None:
        """Log, ever more rarely, how many segments of a playlist were not there."""
        before = 0 if self._place is None else self._place.missing
        if count.bit_length() > (before if before <= count else 0).bit_length():
            log.warning("%s: segments that its server does not have: %d", self.source.shown, count)

    def _tell_operator(self, reason: str) -> None:
        """Log once, of a source that the operator named, why it does not come."""
        if self._trusted and reason != self._told and not (self._feed and self._feed.closed):
            log.warning("%s: %s", self.source.shown, reason)
            self._told = reason

    def _done(self, work: asyncio.Task[None]) -> None:
        if not work.cancelled() and (error := work.exception()) is not None:
            log.error("pulling %s failed", self.source.shown, exc_info=error)
            if self._feed is not None:
                self._feed.close("An internal error ended this source; the log says more.")


def _kind(source: SourceUrl) -> SourceKind:
    if source.is_device:
        return "device"
    return "file" if source.is_local else "url"


async def _show(shown: FrameReady, reader: Reader, feed: Feed) -> None:
    slot = feed.offer_selected(shown.time, shown.captured, shown.seen, sampled=shown.sampled)
    if slot is not None and (pixels := reader.picture(shown)) is not None:
        await feed.hand_over(slot, pixels)


async def _until_closed(feed: Feed, work: Coroutine[None, None, None]) -> None:
    """Do `work` until it is done or the feed is over, which ends it at once."""
    working = asyncio.create_task(work)
    closing = asyncio.create_task(feed.wait_closed())
    try:
        await asyncio.wait([working, closing], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, closing):
            task.cancel()
        await wait_all([working, closing])
    if not working.cancelled():
        working.result()
