"""Tests a source before it is used: can it be opened, and what is it?"""

from contextlib import aclosing
from dataclasses import asdict, dataclass

from stream.feed import Clock
from stream.lookup import Resolver
from stream.pull_order import Opened, Over
from stream.pull_reader import PullSettings, Reader, make_order, no_reader
from stream.source_url import BadSource, SourceUrl


@dataclass(frozen=True, slots=True)
class Probe:
    """What a test of a source found.

    Attributes:
        codec: Its name in FFmpeg.
        width: In pixels.
        height: In pixels.
        rate: Pictures per second, as the source says; None if it does not.
        length: Seconds until its end; None if it has none that is known: it is live.
        first_picture: Seconds until the first picture was there.
    """

    codec: str
    width: int
    height: int
    rate: float | None
    length: float | None
    first_picture: float


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
    order = await make_order(source, settings, trusted=trusted, resolver=resolver)
    try:
        reader = Reader(order)
        try:
            opened = await _first_picture(reader, settings.open_within)
        finally:
            await reader.close()
    except OSError as error:
        raise BadSource(no_reader(error)) from None
    return Probe(**asdict(opened), first_picture=monotonic() - began)


async def _first_picture(reader: Reader, within: float) -> Opened:
    """Wait for it, and return what the source is.

    Raises:
        BadSource: If it does not come; with the reason.
    """
    opened: Opened | None = None
    async with aclosing(reader.reports(within)) as reports:
        async for report in reports:
            if isinstance(report, Over):
                raise BadSource(report.reason)
            if isinstance(report, Opened):
                opened = report
            elif opened is not None:
                return opened
    raise BadSource("The reader of this source ended unexpectedly.")
