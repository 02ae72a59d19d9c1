"""One question of one caller, from admission to the last word: admitted, put, answered in the caller's times.

    Inquiry.pieces(find) --> Words, Words, ..., Finish     timed, times said by the caller's clock
                   else --> Refusal(status, text, code)    in the words of time that were asked about

The WebSocket and chat completions differ in what they write of it, and in how they find what is asked.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from model.types import AnswerPiece, Finish, Question, Words
from stream.live import LiveStream
from web.access.tokens import Caller
from web.ask import Answerable, Stopwatch, failing_as_asked
from web.errors import Refusal
from web.realtime.server_events import EvidencePart, TimeUnderstood, Timings
from web.reports.time_report import evidence_report, refusal, time_report
from web.services import Services
from web.time_words.apply import apply_aside, reference_of
from web.time_words.extent import Reference
from web.time_words.spoken import by_the_clock
from web.time_words.understand import TimeAsked


@dataclass(frozen=True, slots=True)
class Put:
    """A question as it is put.

    Attributes:
        subject: What is asked.
        question: Without words of time, if they were understood.
        reference: What times are measured from.
        time: What was understood of words of time.
        by_the_clock: Whether the answer says times by the clock of whoever asks.
    """

    subject: Answerable
    question: Question
    reference: Reference = Reference(0.0)  # noqa: RUF009 - a frozen value
    time: TimeAsked | None = None
    by_the_clock: bool = False


async def put_to(live: LiveStream, question: Question, wall: float, zone: ZoneInfo | None) -> Put:
    """Return `question` as it is put to a stream at the Unix second `wall`.

    Args:
        live: What is asked.
        question: In words as they came.
        wall: When it was asked.
        zone: In which whoever asks reads a clock; None if that is not known.
    """
    reference = reference_of(live.status(), wall, zone)
    asked, time = await apply_aside(question, reference)
    return Put(live, asked, reference, time, by_the_clock=zone is not None)


class Inquiry:
    """Asks one question.

    Args:
        here: What answers.
        caller: Who asks.

    Attributes:
        text: The words so far.
        finish: How the answer ended; None before it.
    """

    def __init__(self, here: Services, caller: Caller) -> None:
        self.text = ""
        self.finish: Finish | None = None
        self._admission = here.admission
        self._asked = here.asked
        self._caller = caller
        self._stopwatch = Stopwatch(here.clocks.monotonic)
        self._put: Put | None = None

    async def pieces(self, find: Callable[[], Awaitable[Put]]) -> AsyncGenerator[AnswerPiece, None]:
        """Ask, and yield the answer as it comes; use `aclosing`.

        Args:
            find: Finds what is asked; called once there is a place for the question.

        Raises:
            Refusal: If there is no answer, or no more of it.
        """
        try:
            with failing_as_asked(), self._admission.question(self._caller):
                put = self._put = await find()
                if isinstance(put.subject, LiveStream):
                    self._asked.note(put.subject.name)
                pieces = put.subject.ask(put.question)
                pieces = by_the_clock(pieces, put.reference if put.by_the_clock else None)
                async with aclosing(pieces):
                    async for piece in pieces:
                        self._note(piece)
                        yield piece
        except Refusal as failure:
            raise Refusal(
                failure.status,
                refusal(failure, self.time, self._reference),
                failure.headers,
                code=failure.code,
                param=failure.param,
            ) from failure

    def _note(self, piece: AnswerPiece) -> None:
        self._stopwatch.see(piece)
        if isinstance(piece, Words):
            self.text += piece.text
        else:
            self.finish = piece

    @property
    def _reference(self) -> Reference:
        return Reference(0.0) if self._put is None else self._put.reference

    @property
    def time(self) -> TimeUnderstood | None:
        """What was understood of words of time, for the wire."""
        return None if self._put is None else time_report(self._put.time, self._reference)

    @property
    def evidence(self) -> tuple[EvidencePart, ...]:
        """What the answer rests on, for the wire; nothing before its end."""
        return evidence_report(self.finish, self._reference) if self.finish else ()

    @property
    def timings(self) -> Timings:
        """How long the answer took until now, for the wire."""
        return Timings(
            first_token_ms=self._stopwatch.first_token_ms, total_ms=self._stopwatch.total_ms
        )
