"""The spans of a question: let in, the past read from memory, the first word, the other words.

What one question makes an engine do, a second look too, is one trace; what a watch asks of itself is
one of its own.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.trace import Span, SpanKind

from model.engine.contract import ClipSource, Extent
from model.types import AnswerPiece, ClipTokens, Finish, Question
from web.operations.request_id import current_request
from web.operations.traces.pen import Pen, note_error

_asked: ContextVar[Span | None] = ContextVar("question_span", default=None)


@contextmanager
def question_span(pen: Pen) -> Iterator[None]:
    """Write the span of a question, in which this task then asks an engine."""
    span = pen.begin("question", kind=SpanKind.SERVER)
    if (key := current_request()) is not None:
        span.set_attribute("flashback.request_id", key)
    _asked.set(span)
    try:
        yield
    except BaseException as error:
        note_error(span, error)
        raise
    finally:
        # Not `reset`: a stream of lines that its reader left may be closed in another context.
        _asked.set(None)
        span.end(pen.now())


class AnswerSpans:
    """The spans of one answer; its stages follow one another without a gap.

    Args:
        pen: Writes them.
        model: Answers.
        stream: Asked about.
        question: What is asked.
    """

    def __init__(self, pen: Pen, model: str, stream: str, question: Question) -> None:
        self._pen = pen
        self._model = model
        self._span = pen.begin(
            f"chat {model}",
            _asked.get(),
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "flashback",
                "gen_ai.request.model": model,
                "gen_ai.request.max_tokens": question.tokens,
                "flashback.stream": stream,
                "flashback.background": question.background,
            },
        )
        self._began = self._stage_began = pen.now()
        self._read_until: int | None = None
        self._writing = self._finished = False

    @contextmanager
    def following(self) -> Iterator[None]:
        """End the spans with what is done inside, and say how that failed."""
        try:
            yield
        except BaseException as error:
            if not self._finished:  # else it was closed because all had been said
                note_error(self._span, error)
            raise
        finally:
            if not self._writing:
                self._end_history()
            now = self._pen.now()
            stage = "words" if self._writing else "first word"
            self._pen.stage(stage, self._span, self._stage_began, now)
            self._span.end(now)

    def note_read(self) -> None:
        """Note that until now memory was read."""
        self._read_until = self._pen.now()

    def see(self, piece: AnswerPiece) -> None:
        """Note that `piece` came now."""
        if not self._writing:
            self._begin_words()
        if isinstance(piece, Finish):
            self._finished = True
            usage = piece.usage
            self._span.set_attributes(
                {
                    "gen_ai.response.model": self._model,
                    "gen_ai.response.finish_reasons": (piece.reason,),
                    "gen_ai.usage.input_tokens": usage.prompt_tokens + usage.tokens_kept,
                    "gen_ai.usage.output_tokens": usage.answer_tokens,
                    "flashback.clips": usage.clips,
                    "flashback.visual_tokens": usage.visual_tokens,
                    "flashback.tokens_kept": usage.tokens_kept,
                }
            )

    def _begin_words(self) -> None:
        self._end_history()
        now = self._pen.now()
        self._pen.stage("first word", self._span, self._stage_began, now)
        seconds = (now - self._began) / 1e9
        self._span.set_attribute("gen_ai.response.time_to_first_chunk", seconds)
        self._stage_began, self._writing = now, True

    def _end_history(self) -> None:
        """Say how long memory was read, if that could be seen."""
        if self._read_until is not None:
            self._pen.stage("history", self._span, self._stage_began, self._read_until)
            self._stage_began = self._read_until


class FollowedSource:
    """A `ClipSource` that says when it has been read.

    Args:
        source: Is read.
        on_read: Is told after each time.
    """

    def __init__(self, source: ClipSource, on_read: Callable[[], None]) -> None:
        self._source = source
        self._on_read = on_read

    async def find(self, stream: str) -> Extent | None:
        """See `ClipSource.find`."""
        found = await self._source.find(stream)
        self._on_read()
        return found

    async def clips(
        self, stream: str, after: float = float("-inf"), until: float = float("inf")
    ) -> AsyncIterator[ClipTokens]:
        """See `ClipSource.clips`."""
        async for clip in self._source.clips(stream, after, until):
            yield clip
        self._on_read()
