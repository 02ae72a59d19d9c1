"""Keeps a pulled source coming: cameras, playlists, files on other machines.

One reader process per source; it is killed when it goes silent and started anew for as long as the
source is wanted: a camera that is away for an hour comes back by itself. What is wrong is said in
words, without the source's credentials.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from stream.backoff import Backoff
from stream.feed import Clock, Feed
from stream.live import LiveStream
from stream.picture_ring import Picture, PictureRing
from stream.pull_order import Opened, Over, PullOrder, Report, Shown, Transport, report_from_line
from stream.source_url import BadSource, Network, Resolver, SourceUrl, pin, read_networks

log = logging.getLogger(__name__)

# What a reader needs of the environment; the service's own secrets are not among it.
ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "TZ")
RATE_CHANGE = 0.05
LONGEST_LINE = 64 * 1024
EVERYWHERE = read_networks(["0.0.0.0/0", "::/0"])


@dataclass(frozen=True, slots=True)
class PullSettings:
    """How sources are pulled.

    Attributes:
        allowed: Private networks that callers' sources may be in.
        transport: Of RTSP, for sources the operator named; those of callers come over TCP.
        open_within: Seconds until the first answer.
        silence: Seconds without a picture after which the reader is killed.
        first_retry: Seconds before the second try.
        longest_retry: Most seconds between two tries.
        longest_side: Pictures are scaled down to this many pixels.
    """

    allowed: tuple[Network, ...] = ()
    transport: Transport = "tcp"
    open_within: float = 10.0
    silence: float = 20.0
    first_retry: float = 1.0
    longest_retry: float = 30.0
    longest_side: int = 640


@dataclass(frozen=True, slots=True)
class Probe:
    """What a test of a source found.

    Attributes:
        codec: Its name in FFmpeg.
        width: In pixels.
        height: In pixels.
        rate: Pictures per second, as the source says; None if it does not.
        first_picture: Seconds until the first picture was there.
    """

    codec: str
    width: int
    height: int
    rate: float | None
    first_picture: float


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

    def start(self) -> None:
        """Begin to pull.

        Raises:
            TooManyStreams: If every place for a stream with a source is taken.
        """
        self._feed = self._live.open_feed("file" if self.source.scheme == "file" else "url")
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
            if over.final:
                feed.close(over.reason)
                return
            if feed.frames > seen:
                waits.reset()
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

    def _done(self, work: asyncio.Task[None]) -> None:
        if not work.cancelled() and (error := work.exception()) is not None:
            log.error("pulling %s failed", self.source.shown, exc_info=error)
            if self._feed is not None:
                self._feed.close("An internal error ended this source; the log says more.")


class Reader:
    """One reader process, from its start to its certain end."""

    def __init__(self, order: PullOrder) -> None:
        self._ring = PictureRing.make(order.side)
        self._order = replace(order, memory=self._ring.descriptor)
        self._rate = order.rate
        self._process: asyncio.subprocess.Process | None = None

    async def reports(self, silence: float) -> AsyncGenerator[Report, None]:
        """Start the process and yield what it reports.

        The last is an `Over`, unless the process dies: then the reports just end. Silence for
        longer than `silence` seconds is an `Over`, too.
        """
        process = await self._start()
        assert process.stdout is not None
        # Opening has a limit of its own inside; what hangs all the same is ended here.
        patience = self._order.open_within + silence
        while True:
            try:
                async with asyncio.timeout(patience):
                    line = await process.stdout.readline()
            except TimeoutError:
                yield Over(f"No picture came for {patience:g} seconds.")
                return
            if not line:
                return
            report = report_from_line(line)
            if isinstance(report, Shown):
                patience = silence
            yield report

    def set_rate(self, rate: float) -> None:
        """Tell the process how many pictures per second are wanted now."""
        if abs(rate - self._rate) > RATE_CHANGE * self._rate and self._process is not None:
            self._rate = rate
            assert self._process.stdin is not None
            self._process.stdin.write(f"{rate}\n".encode())

    def picture(self, shown: Shown) -> Picture | None:
        """Return the picture of `shown`; None if a newer one has taken its place."""
        return self._ring.read(shown.number, shown.height, shown.width)

    async def close(self) -> None:
        """Kill the process and let go of the memory."""
        self._ring.close()
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        while await process.stdout.read(LONGEST_LINE):
            pass  # the pipe is let go of only once it is empty
        await process.wait()

    async def _start(self) -> asyncio.subprocess.Process:
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        environment["OMP_NUM_THREADS"] = "1"
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "stream.pull_process",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=[self._ring.descriptor],
            env=environment,
            limit=LONGEST_LINE,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(self._order.to_line())
        return self._process


async def make_order(
    source: SourceUrl,
    settings: PullSettings,
    *,
    trusted: bool,
    resolver: Resolver | None = None,
) -> PullOrder:
    """Resolve and check the address of `source`, and return the order to read it.

    Raises:
        BadSource: If its name is not known or it may not be reached.
    """
    allowed = EVERYWHERE if trusted else settings.allowed
    address = "" if source.scheme == "file" else await pin(source, allowed, resolver)
    return PullOrder(
        scheme=source.scheme,
        host=source.host,
        port=source.port,
        path=source.path,
        username=source.username,
        password=source.password,
        address=address,
        memory=-1,
        allowed=tuple(str(network) for network in allowed),
        trusted=trusted,
        transport=settings.transport,
        side=settings.longest_side,
        open_within=settings.open_within,
        silence=settings.silence,
    )


async def probe(
    source: SourceUrl,
    *,
    settings: PullSettings,
    monotonic: Clock,
    trusted: bool = False,
    resolver: Resolver | None = None,
) -> Probe:
    """Test a source: open it, wait for its first picture, let go.

    Raises:
        BadSource: If it cannot be used; with the reason.
    """
    began = monotonic()
    reader = Reader(await make_order(source, settings, trusted=trusted, resolver=resolver))
    opened: Opened | None = None
    try:
        async with aclosing(reader.reports(settings.open_within)) as reports:
            async for report in reports:
                if isinstance(report, Over):
                    raise BadSource(report.reason)
                if isinstance(report, Opened):
                    opened = report
                elif opened is not None:
                    took = monotonic() - began
                    return Probe(opened.codec, opened.width, opened.height, opened.rate, took)
    finally:
        await reader.close()
    raise BadSource("The reader of this source ended unexpectedly.")


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
