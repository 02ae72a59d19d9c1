"""What the service tells a reader process, and what it hears back.

One JSON object a line: the order and later changes of the rate go in, reports come out. Light to
import: a reader process loads neither the model nor the network stack of the service.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Literal

Transport = Literal["tcp", "udp"]


@dataclass(frozen=True, slots=True)
class Place:
    """How far a source was read, where it can be read on from there; also a report of it.

    Attributes:
        position: Seconds from its beginning, of what has an end.
        segment: Sequence number of the newest segment of a playlist.
        name: The segment's name: who writes a playlist may count anew.
        missing: Segments that the server did not have, since the source was opened.
    """

    position: float | None = None
    segment: int | None = None
    name: str = ""
    missing: int = 0


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """What to read and how.

    Attributes:
        scheme: As in `SourceUrl`.
        host: As in `SourceUrl`.
        port: As in `SourceUrl`.
        path: As in `SourceUrl`.
        username: As in `SourceUrl`.
        password: As in `SourceUrl`.
        address: The checked address of the host.
        allowed: Networks that may be reached although they are private.
        own: Addresses that lead to this machine, beside those that it has.
        certificates: A PEM file of certificates to trust beside the system's; None for none.
        trusted: Whether the operator named this source: then FFmpeg may dial it by itself.
        transport: Of RTSP; UDP for trusted sources alone.
        redirects: How many are followed, of trusted RTSP sources; HTTP has its own rules.
        rate: Pictures per second that are wanted.
        sample_rate: Pictures per second that memory wants of them.
        side: Shorter side of a picture, in pixels; larger ones are scaled down.
        open_within: Seconds for the first picture.
        silence: Seconds without data after which the source counts as lost.
        memory: File descriptor of the picture ring.
        after: How far an earlier reader came; None to begin at the beginning.
    """

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)  # secrets may stand in it
    address: str
    memory: int
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    allowed: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    certificates: str | None = None
    trusted: bool = False
    transport: Transport = "tcp"
    redirects: int = 5
    rate: float = 2.0
    sample_rate: float = 2.0
    side: int = 360
    open_within: float = 10.0
    silence: float = 20.0
    after: Place | None = None

    def to_line(self) -> bytes:
        """Return the order as it is sent."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "ReaderConfig":
        """Return the order as it was sent."""
        fields = json.loads(line)
        after = fields["after"] and Place(**fields["after"])
        tuples = {name: tuple(fields[name]) for name in ("allowed", "own")}
        return cls(**{**fields, **tuples, "after": after})


@dataclass(frozen=True, slots=True)
class Opened:
    """Report: the source is open.

    Attributes:
        codec: Its name in FFmpeg.
        width: In pixels.
        height: In pixels.
        rate: Pictures per second, as the source says; None if it does not.
        length: Seconds until its end, where that is known.
        live: Whether it has no end.
    """

    codec: str
    width: int
    height: int
    rate: float | None
    length: float | None
    live: bool


@dataclass(frozen=True, slots=True)
class FrameReady:
    """Report: a picture is in the ring.

    Attributes:
        number: Its number there.
        height: In pixels.
        width: In pixels.
        time: When it belongs, on the reader's monotonic clock, in seconds.
        captured: When it arrived, on the same clock.
        seen: Pictures that arrived since the last report, this one included.
        sampled: Whether it is for memory; else it is only for those who watch.
    """

    number: int
    height: int
    width: int
    time: float
    captured: float
    seen: int
    sampled: bool


@dataclass(frozen=True, slots=True)
class FramesSkipped:
    """Report: pictures arrive, and none of them is wanted yet.

    Attributes:
        captured: When the newest arrived, on the reader's monotonic clock, in seconds.
        seen: Pictures that arrived since the last report.
    """

    captured: float
    seen: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Report: packets arrive, and no picture can be made of them before the first keyframe."""


@dataclass(frozen=True, slots=True)
class SourceEnded:
    """Report: the source ended or failed.

    Attributes:
        reason: As a sentence for people, without credentials.
        final: Whether there is no use in trying again.
    """

    reason: str
    final: bool = False


Report = Opened | FrameReady | FramesSkipped | Waiting | Place | SourceEnded
_KINDS: dict[str, type[Report]] = {
    kind.__name__: kind for kind in (Opened, FrameReady, FramesSkipped, Waiting, Place, SourceEnded)
}


def report_to_line(report: Report) -> bytes:
    """Return `report` as it is sent."""
    return json.dumps([type(report).__name__, asdict(report)]).encode() + b"\n"


def report_from_line(line: bytes) -> Report:
    """Return the report as it was sent.

    Raises:
        ValueError: If it is none.
    """
    try:
        name, fields = json.loads(line)
        return _KINDS[name](**fields)
    except (KeyError, TypeError) as error:
        raise ValueError("this is not a report of a reader") from error
