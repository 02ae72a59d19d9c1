"""What the service says of watches and of what they saw, over WebSocket and HTTP alike."""

from typing import Literal

from stream.watches.records import Event, Verdict
from web.realtime.stream_events import ServerMessage
from web.realtime.wire_items import Wire


class SightingReport(Wire):
    """A clip that an event rests on.

    Attributes:
        start: First media second; the thumbnail has its name.
        end: Last media second.
        score: How sure it is that the clip fulfils the watch's condition, 0 to 1.
    """

    start: float
    end: float
    score: float


class AlertReport(Wire):
    """One time that a watch fired.

    Attributes:
        id: Names the event, the same each time that it is told, whichever way; it may be told twice where
            a process is killed in between.
        watch: The watch's id.
        question: What it asks.
        stream: Where it was seen.
        at: Unix second when it fired.
        start: Media second where the condition began to hold.
        fired: Media second when it had held long enough.
        end: Media second until when it held; so far, while it is open.
        open: Whether it goes on.
        peak: The highest score of a clip.
        verdict: What the model said when it was asked: `confirmed`, `rejected`, `failed` (it could
            not be asked) or `unverified` (it was not asked, was not clear, or hardly sees the thing).
        why: That in a sentence; also that what is said to be gone is hard to see, so may be there still.
        evidence: The clips that made it fire, the newest last.
        clip: Path of a film (MP4) of it, some seconds longer on either side; null if there is none, or
            none any more.
    """

    id: str
    watch: str
    question: str
    stream: str
    at: float
    start: float
    fired: float
    end: float
    open: bool
    peak: float
    verdict: Verdict
    why: str
    evidence: tuple[SightingReport, ...]
    clip: str | None


class Alert(ServerMessage):
    """A watch fired, on this stream or another; it comes once more when that is over."""

    type: Literal["flashback.alert"] = "flashback.alert"
    alert: AlertReport


def alert_report(event: Event, clip: str | None = None) -> AlertReport:
    """Return `event` for the wire, with the path of its film."""
    return AlertReport(
        id=event.id,
        watch=event.watch,
        question=event.question,
        stream=event.stream,
        at=event.at,
        start=event.start,
        fired=event.fired,
        end=event.end,
        open=event.open,
        peak=event.peak,
        verdict=event.verdict,
        why=event.why,
        evidence=tuple(
            SightingReport(start=s.start, end=s.end, score=s.score) for s in event.evidence
        ),
        clip=clip,
    )
