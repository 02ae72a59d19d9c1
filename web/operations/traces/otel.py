"""Traces by OpenTelemetry: where the time of one question, or of one clip, went.

    question -> chat -> history, first word, words      `answers.py`
    clip -> encode, store                               `clips.py`

Names and attributes are those of the conventions for generative AI where they have any
(https://opentelemetry.io/docs/specs/semconv/gen-ai/). No text of questions and answers is told, nor
what an error says, which may quote it: only of which kind it is. Spans wait in a bounded queue, and a
thread of the SDK sends them: a collector that is away costs spans and nothing else. Needs the extra
`otel`: imported by nobody while `FLASHBACK_TRACES` is not set.
"""

import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, aclosing
from dataclasses import replace
from typing import cast

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from model.engine.contract import Engine, Past
from model.types import AnswerPiece, Clip, ClipTokens, Encoded, Question
from web.operations.traces.answers import AnswerSpans, FollowedSource, question_span
from web.operations.traces.clips import ClipSpans
from web.operations.traces.pen import Pen

_SEND_SECONDS = 5.0
"""For one batch of spans, further tries included."""
_CLOSE_SECONDS = 3.0
"""For the last spans; those of a collector that is away are lost."""


def _do_nothing() -> None:
    """Have nobody to tell."""


def tracing_to(endpoint: str, wall: Callable[[], float]) -> "OtelTracing":
    """Return tracing that sends to `endpoint`, where a collector takes OTLP over HTTP."""
    exporter = OTLPSpanExporter(endpoint, timeout=_SEND_SECONDS)
    return OtelTracing(BatchSpanProcessor(exporter), wall, give_up=exporter.shutdown)


class OtelTracing:
    """See `web.operations.traces.contract.Tracing`.

    Args:
        processor: Is given every span that has ended.
        wall: Unix seconds.
        give_up: Has the processor try to send no longer.
    """

    def __init__(
        self,
        processor: SpanProcessor,
        wall: Callable[[], float],
        give_up: Callable[[], None] = _do_nothing,
    ) -> None:
        self._give_up = give_up
        # Shut down by `close` alone: at the exit of the process it would wait for half a minute.
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "flashback"}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._pen = Pen(self._provider.get_tracer("flashback"), wall)
        self._clips = ClipSpans(self._pen)

    def traced(self, engine: Engine, *, reads_here: bool) -> Engine:
        """See `Tracing.traced`."""
        traced = _TracedEngine(engine, self._pen, self._clips, reads_here=reads_here)
        return cast("Engine", traced)

    def question(self) -> AbstractContextManager[None]:
        """See `Tracing.question`."""
        return question_span(self._pen)

    def encoded(self, stream: str, clip: ClipTokens) -> None:
        """See `Tracing.encoded`."""
        self._clips.name(stream, clip)

    def close(self) -> None:
        """See `Tracing.close`."""
        self._clips.close()
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)
        if closing.is_alive():
            self._give_up()
            closing.join(1)


class _TracedEngine:
    """An engine whose calls become spans; see `model.engine.contract.Engine`."""

    def __init__(self, engine: Engine, pen: Pen, clips: ClipSpans, *, reads_here: bool) -> None:
        self._engine = engine
        self._pen = pen
        self._clips = clips
        self._reads_here = reads_here

    async def encode(self, clip: Clip) -> Encoded:
        """See `Engine.encode`."""
        with self._clips.encoding(self._engine.encoder, len(clip.pixels)) as made:
            made.append(await self._engine.encode(clip))
        return made[0]

    async def learn(self, stream: str, clip: ClipTokens, after: float | None) -> None:
        """See `Engine.learn`; memory has the clip by now."""
        self._clips.stored(stream, clip)
        await self._engine.learn(stream, clip, after)

    async def answer(self, past: Past, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """See `Engine.answer`."""
        spans = AnswerSpans(self._pen, self._engine.name, past.stream, question)
        if self._reads_here:
            past = replace(past, source=FollowedSource(past.source, spans.note_read))
        with spans.following():
            async with aclosing(self._engine.answer(past, question)) as pieces:
                async for piece in pieces:
                    spans.see(piece)
                    yield piece

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)  # whatever else an engine does is not followed
