"""★ Ask a stream: the words as they come, how long they took, and one kind of failure.

    live.ask(question) --> Words, Words, ..., Finish     timed by a `Stopwatch`
    inside `failing_as_asked` else --> Refusal(status, text, code)

The WebSocket, HTTP and `flashback ask` all ask inside it, so that what goes wrong has one code, one
status and one sentence, whoever is told. What has to be done first (find the stream, take a place in
the queue) fails in the same way.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from memory.errors import StoreError
from model.errors import ModelError
from model.types import AnswerPiece, Finish, Question, Words
from stream.errors import StreamError
from web.errors import RETRY_SECONDS, Full, Refusal
from web.time_words.spoken import by_the_clock

log = logging.getLogger(__name__)

_NOTHING_SEEN = "Nothing has been seen yet; ask again when a clip is remembered."
_NO_SUCH_STREAM = (
    "Nothing has been seen yet of a stream of this name, of which none is known now: GET /v1/streams "
    "lists those there are."
)

_KINDS = (StreamError, StoreError, ModelError, Full)
# Code, HTTP status and text of what may go wrong, by the code of the package where it did; `{reason}` is
# the error's own words.
_FAILURES: Mapping[str, tuple[str, int, str]] = {
    "unknown_stream": ("nothing_seen", 404, _NO_SUCH_STREAM),
    "nothing_in_range": ("nothing_seen", 404, "{reason}"),  # it names what there is
    "nothing_seen": ("nothing_seen", 404, _NOTHING_SEEN),
    "store_unavailable": (
        "memory_unavailable",
        503,
        "What was seen cannot be recalled now; try again soon. {reason}",
    ),
    "encoder_mismatch": (
        "foreign_memory",
        500,
        "What is remembered of this stream was made by another vision encoder; start the service "
        "with that model, or forget the stream.",
    ),
    "rate_limit_exceeded": ("rate_limit_exceeded", 429, "{reason}"),
    "quota_full": ("engine_busy", 503, "{reason}"),
    "engine_busy": (
        "engine_busy",
        503,
        "Too many questions are waiting; try again in a few seconds.",
    ),
    "question_too_long": (
        "question_too_long",
        400,
        "The question is longer than can be read at once ({reason}); ask in fewer words.",
    ),
    "engine_failed": (
        "engine_failed",
        500,
        "The network failed on this question; the log of the service says more.",
    ),
}


class Stopwatch:
    """Times one answer, from now.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._first: float | None = None

    @property
    def first_token_ms(self) -> float | None:
        """Milliseconds to the first word; None before it."""
        return None if self._first is None else _ms(self._first - self._began)

    @property
    def total_ms(self) -> float:
        """Milliseconds until now."""
        return _ms(self._clock() - self._began)

    def see(self, piece: AnswerPiece) -> None:
        """Note that `piece` came now."""
        if self._first is None and isinstance(piece, Words):
            self._first = self._clock()


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer.

    Attributes:
        text: In words.
        finish: Why it ended, what it rests on and what it was made from.
        first_token_ms: From the question to the first word; None without words.
        total_ms: From the question to the end.
    """

    text: str
    finish: Finish
    first_token_ms: float | None
    total_ms: float


class Answerable(Protocol):
    """What can be asked: a stream, or pictures."""

    def ask(self, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Answer as `LiveStream.ask` does."""
        ...


async def ask_whole(live: Answerable, question: Question, stopwatch: Stopwatch) -> Answered:
    """Answer `question` from what `live` has shown, and return when all is said.

    Raises:
        Refusal: If there is no answer.
    """
    words = []
    with failing_as_asked():
        async with aclosing(by_the_clock(live.ask(question), None)) as pieces:
            async for piece in pieces:
                stopwatch.see(piece)
                if isinstance(piece, Words):
                    words.append(piece.text)
                else:
                    finish: Finish = piece
    text = "".join(words).strip()
    return Answered(text, finish, stopwatch.first_token_ms, stopwatch.total_ms)


@contextmanager
def failing_as_asked() -> Iterator[None]:
    """Turn whatever keeps a question from being answered into `Refusal`.

    Raises:
        Refusal: In its place, if it stands in `_FAILURES`; anything else goes on as it is.
    """
    try:
        yield
    except _KINDS as error:
        if error.code not in _FAILURES:
            raise
        code, status, text = _FAILURES[error.code]
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.exception("no answer: %s", code)
        headers = {"Retry-After": RETRY_SECONDS} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
        if isinstance(error, Full) and error.of_token:
            headers = error.headers
        raise Refusal(status, text.format(reason=error), headers, code=code) from error


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
