"""Tests a source before it is used: can it be opened, and what is it?"""

from contextlib import aclosing
from dataclasses import asdict, dataclass

from stream.address.source_url import SourceUrl
from stream.errors import BadSource
from stream.frames.timeline import Clock
from stream.pull.messages import Opened, SourceEnded, Waiting
from stream.pull.process import PullSettings, Reader, make_order, no_reader

_LATE_KEYFRAME = (
    "Video arrives, but no keyframe came within {seconds:g} seconds, and before one there is no "
    "picture. Such a source can be pulled, and shows its first picture late; better let the camera "
    "send keyframes more often."
)


@dataclass(frozen=True, slots=True)
class Probe(Opened):
    """What a test of a source found.

    Attributes:
        first_picture: Seconds until the first picture was there; until it was clear that it takes
            long, for those who are patient.
    """

    first_picture: float


async def probe(
    source: SourceUrl,
    *,
    settings: PullSettings,
    monotonic: Clock,
    trusted: bool = False,
    patient: bool = False,
) -> Probe:
    """Test a source: open it, wait for its first picture, let go.

    Args:
        source: What to test.
        settings: How it is pulled.
        monotonic: Seconds that never go back, as `time.monotonic` has them.
        trusted: Whether the operator named the source.
        patient: Whether video whose first keyframe does not come soon is fine, too.

    Raises:
        BadSource: If it cannot be used; with the reason.
    """
    began = monotonic()
    order = await make_order(source, settings, trusted=trusted)
    try:
        reader = Reader(order)
        try:
            opened = await _first_picture(reader, settings.open_within, patient, monotonic)
        finally:
            await reader.close()
    except OSError as error:
        raise BadSource(no_reader(error)) from None
    return Probe(**asdict(opened), first_picture=monotonic() - began)


async def _first_picture(reader: Reader, within: float, patient: bool, monotonic: Clock) -> Opened:
    """Wait for it, and return what the source is.

    Raises:
        BadSource: If it does not come; with the reason.
    """
    opened: Opened | None = None
    began = monotonic()
    async with aclosing(reader.reports(within)) as reports:
        async for report in reports:
            if isinstance(report, SourceEnded):
                raise BadSource(report.reason)
            if isinstance(report, Opened):
                opened = report
            elif opened is not None and (patient or not isinstance(report, Waiting)):
                return opened
            elif monotonic() - began > within:
                raise BadSource(_LATE_KEYFRAME.format(seconds=within))
    raise BadSource("The reader of this source ended unexpectedly.")
