"""How a stream's status reads on the wire, over HTTP and WebSocket alike."""

from dataclasses import asdict

from stream.status import StreamStatus
from web.realtime.stream_events import StreamReport


def report(status: StreamStatus, origin: str | None = None) -> StreamReport:
    """Return `status` for the wire; `origin` is where a pulled source comes from, redacted."""
    return StreamReport.model_validate(asdict(status) | {"origin": origin})
