"""How a stream's status reads on the wire, over HTTP and WebSocket alike."""

from stream.status import StreamStatus
from web.realtime.stream_events import LossReport, StreamReport


def report(status: StreamStatus, origin: str | None = None) -> StreamReport:
    """Return `status` for the wire; `origin` is where a pulled source comes from, redacted."""
    lost = status.lost
    return StreamReport(
        name=status.name,
        state=status.state,
        reason=status.reason,
        source=status.source,
        origin=origin,
        began=status.began,
        end=status.end,
        clips=status.clips,
        frames=status.frames,
        sampled=status.sampled,
        rate=status.rate,
        lost=LossReport(
            overload=lost.overload, failed=lost.failed, unwritten=lost.unwritten, full=lost.full
        ),
        unwritten=status.unwritten,
        frame_age_ms=_ms(status.frame_age),
        frame_age_p50_ms=_ms(status.frame_age_p50),
        frame_age_p99_ms=_ms(status.frame_age_p99),
        encode_ms=None if status.encode_ms is None else round(status.encode_ms, 1),
        memory=status.memory,
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
