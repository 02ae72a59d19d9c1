"""Keeps a pulled source coming: cameras, playlists, files on other machines.

One reader process per source; it is killed when it goes silent and started anew for as long as the
source is wanted: a camera that is away for an hour comes back by itself. What is wrong is said in
words, without the source's credentials.
"""

import asyncio
import logging
from contextlib import aclosing
from dataclasses import replace

from stream.backoff import Backoff
from stream.feed import Clock, Feed
from stream.live import LiveStream
from stream.pull_order import Over, Shown
from stream.pull_reader import PullSettings, Reader, make_order
from stream.source_url import BadSource, Resolver, SourceUrl
from stream.status import SourceKind

log = logging.getLogger(__name__)


class Puller:
    """Feeds one stream from one source until closed."""

    def __init__(
        self,
        source: SourceUrl,
        live: LiveStream,
        *,
        settings: PullSettings,
        monotonic: Clock,
        trusted: bool = False,
        resolver: Resolver | None = None,
    ) -> None:
        """Take what to pull.

        Args:
            source: From `read_source`.
            live: The stream to feed.
            settings: How.
            monotonic: Seconds that never go back, as `time.monotonic` has them.
            trusted: Whether the operator named the source: any address is fine then.
            resolver: Finds addresses; None asks the system.
        """
        self.source = source
        self._live = live
        self._settings = settings
        self._monotonic = monotonic
        self._trusted = trusted
        self._resolver = resolver
        self._work: asyncio.Task[None] | None = None
        self._feed: Feed | None = None
        self._told = ""

    def start(self) -> None:
        """Begin to pull.

        Raises:
            TooManyStreams: If every place for a stream with a source is taken.
        """
        self._feed = self._live.open_feed(_kind(self.source))
        self._work = asyncio.create_task(self._pull(self._feed))
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
        waits = Backoff(self._settings.first_retry, self._settings.longest_retry)
        feed.say("connecting", f"Connecting to {self.source.shown}.")
        while not feed.closed:
            seen = feed.frames
            over = await self._read_once(feed)
            if feed.frames > seen:
                waits.reset()
                self._told = ""
            self._tell_operator(over.reason)
            if over.final:
                feed.close(over.reason)
                return
            wait = waits.next()
            feed.say("retrying", f"{over.reason} The next try is in {max(1, round(wait))} s.")
            await _wait_closed(feed, wait)

    async def _read_once(self, feed: Feed) -> Over:
        """Read until the source ends or fails, and say why."""
        try:
            order = await make_order(
                self.source, self._settings, trusted=self._trusted, resolver=self._resolver
            )
        except BadSource as error:
            # A name that is unknown may be known again; a forbidden address may move, too.
            return Over(str(error))
        order = replace(order, rate=feed.wanted_rate)
        reader = Reader(order)
        try:
            async with aclosing(reader.reports(self._settings.silence)) as reports:
                async for report in reports:
                    if isinstance(report, Over):
                        return report
                    if isinstance(report, Shown):
                        _take(reader, report, feed)
                        reader.set_rate(feed.wanted_rate)
                    if feed.closed:
                        return Over(feed.reason)
        finally:
            await reader.close()
        return Over("The reader of this source ended unexpectedly.")

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


def _take(reader: Reader, shown: Shown, feed: Feed) -> None:
    slot = feed.admit(shown.time, shown.captured, shown.seen)
    if slot is not None and (pixels := reader.picture(shown)) is not None:
        feed.give(slot, pixels)


async def _wait_closed(feed: Feed, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await feed.wait_closed()
    except TimeoutError:
        return
