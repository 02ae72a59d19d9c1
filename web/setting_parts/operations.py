"""Settings: what operators watch, and the bounds on everybody."""

from pathlib import Path
from typing import Literal

from web.setting_parts.group import Group, field
from web.setting_parts.values import (
    TracesUrl,
)


class OperationsSettings(Group):
    """What operators watch, and the bounds on everybody."""

    log: Literal["text", "json"] = field(
        "text",
        "how the log is written to standard error: for people, or as JSON, one object a line",
    )
    traces: TracesUrl = field(
        None,
        "OpenTelemetry collector that is sent traces of questions and clips, by OTLP over HTTP: "
        "http://HOST:4318; needs the extra otel",
    )
    audit_log: Path | None = field(
        None,
        "file to note in who asked what of which stream and who forgot what, as JSON lines; none by default",
    )
    audit_log_mb: int = field(
        16, "size at which that file is set aside; four older ones are kept", ge=1
    )
    drain_seconds: float = field(
        0.0,
        "how long after SIGTERM streams and questions are taken as before while /ready says 503, so that "
        "a load balancer has time to notice",
        ge=0,
        le=3600,
    )
    finish_seconds: float = field(
        5.0, "how long after that answers that are being written may take to end", ge=0, le=3600
    )
    max_streams: int = field(32, "live streams in all", ge=1)
    max_streams_per_token: int = field(16, "live streams of one token", ge=1)
    max_connections: int = field(64, "open WebSockets in all", ge=1)
    max_connections_per_token: int | None = field(
        None,
        "open WebSockets of one token; by default half of all where there are several tokens",
        ge=1,
    )
    max_viewers: int = field(16, "WHEP viewers in all; each costs one video encoder", ge=0)
    max_viewers_per_token: int | None = field(
        None,
        "WHEP viewers of one token; by default half of all where there are several tokens",
        ge=0,
    )
