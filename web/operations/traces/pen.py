"""Begins spans, at the service's own time, and says how they failed without what the error says."""

import asyncio
from collections.abc import Callable, Mapping

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from model.errors import CodedError
from web.errors import WebError


class Pen:
    """Writes spans.

    Args:
        tracer: Makes them.
        wall: Unix seconds.
    """

    def __init__(self, tracer: Tracer, wall: Callable[[], float]) -> None:
        self._tracer = tracer
        self._wall = wall

    def now(self) -> int:
        """Return Unix nanoseconds, as spans count."""
        return int(self._wall() * 1e9)

    def begin(
        self,
        name: str,
        parent: Span | None = None,
        *,
        at: int | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
    ) -> Span:
        """Begin a span, now or at an earlier time; without a parent it begins a trace."""
        return self._tracer.start_span(
            name,
            context=Context() if parent is None else set_span_in_context(parent, Context()),
            kind=kind,
            attributes=attributes,
            start_time=self.now() if at is None else at,
        )

    def stage(self, name: str, parent: Span, began: int, ended: int) -> None:
        """Write a span of what is over."""
        self.begin(name, parent, at=began).end(ended)


def note_error(span: Span, error: BaseException) -> None:
    """Let `span` say how it failed; being stopped, as by hanging up, is not a failure."""
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        span.set_attribute("flashback.cancelled", True)
        return
    # Not what it says: that may quote a question.
    kind = error.code if isinstance(error, CodedError | WebError) else type(error).__name__
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))
