"""One question to all cameras over HTTP."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from model.types import Question
from stream.moments.search import describe_search
from web.access.auth import MayAsk
from web.access.tokens import Caller
from web.ask import Answered
from web.ask_all import MOST_ASKED, OneAnswer, answers_of, in_order, merged, named_in, shown_by
from web.errors import BadValue, Refusal
from web.http.closing_stream import ClosingStream
from web.http.lookback.chosen import MOST_AT_ONCE, choose, thumbnail_at
from web.openapi import Responses, refuses
from web.realtime.server_events import EvidencePart, TimeUnderstood
from web.reports.time_report import clock, evidence_report, time_report
from web.services import Here, Services
from web.time_words.zone import zone_called

_LONGEST = 2000
_EVIDENCE = 3
_TOKENS = 96


routes = APIRouter(prefix="/v1", tags=["questions"], responses=refuses(400, 404, 422, 503))


class AskAll(BaseModel):
    """A question to several streams.

    Attributes:
        question: In words; words of time count for each stream.
        streams: Which; none is every one that the token may ask.
        timezone: Of whoever asks, such as `Europe/Berlin`; null is the service's own.
        stream: Whether each answer is sent as soon as it is there, as lines of JSON: `begun`, then an
            `answer` or `unanswered` for each stream, in no order, then `done` with what comes without
            this.
    """

    model_config = ConfigDict(extra="forbid")

    question: Annotated[str, Field(min_length=1, max_length=_LONGEST, pattern=r"\S")]
    streams: Annotated[tuple[str, ...], Field(max_length=MOST_AT_ONCE)] = ()
    timezone: Annotated[str | None, Field(max_length=64)] = None
    stream: bool = False


class StreamAnswer(BaseModel):
    """What one stream answers.

    Attributes:
        stream: Which.
        text: In words, times by the clock.
        sureness: How sure it is that the stream shows what the question names, 0 to 1; null if the
            question names nothing that moments can be matched on.
        seen_last: Media second until which that was plainly seen last; null if it was not.
        seen_last_clock: What a clock showed then, in ISO 8601.
        best: Where the moment begins that stands for the answer: of the newest sight, else what the
            answer rests on most; null if no moment does, as of what was never seen.
        best_end: Where it ends; null with `best`.
        thumbnail: Path of its picture; null with `best`.
        evidence: The moments that the answer rests on most, the weightiest first.
        time: The words of time in the question, if it had any.
    """

    stream: str
    text: str
    sureness: float | None
    seen_last: float | None
    seen_last_clock: str | None
    best: float | None
    best_end: float | None
    thumbnail: str | None
    evidence: tuple[EvidencePart, ...]
    time: TimeUnderstood | None


class Unanswered(BaseModel):
    """A stream that has no answer, and why."""

    stream: str
    reason: str


class AllAnswers(BaseModel):
    """What several streams answer, the one that counts most first.

    Attributes:
        text: All of it in a sentence or two; names the camera.
        understood: What the question names, by which the streams were compared; null if nothing.
        answers: In order.
        unanswered: Streams that have no answer.
        left_out: Streams that were not asked, because there are too many for one question.
    """

    text: str
    understood: str | None
    answers: list[StreamAnswer]
    unanswered: list[Unanswered]
    left_out: int


class AskBegun(BaseModel):
    """Who is asked.

    Attributes:
        understood: What the question names, by which the streams were compared; null if nothing.
        asked: Streams, in the order in which their answers count.
        left_out: Streams that are not asked, because there are too many for one question.
    """

    understood: str | None
    asked: list[str]
    left_out: int


class AskLine(BaseModel):
    """One line of an answer in pieces: one of these."""

    begun: AskBegun | None = None
    answer: StreamAnswer | None = None
    unanswered: Unanswered | None = None
    done: AllAnswers | None = None


_LINES: Responses = {
    200: {
        "description": "The answers, at once or line by line.",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
    }
}


@routes.post("/ask", response_model=AllAnswers, responses=_LINES)
async def ask_all(
    body: AskAll, request: Request, here: Here, caller: MayAsk
) -> Response | AllAnswers:
    """Ask several streams one question, in the background: what is asked of one alone goes first."""
    lines = _answering(body, here, caller)
    begun = await anext(lines)  # what goes wrong before the first answer still has a status
    if body.stream:
        return ClosingStream(_written(begun, lines), media_type="application/x-ndjson")
    done = AllAnswers(text="", understood=None, answers=[], unanswered=[], left_out=0)
    async with aclosing(lines):
        async for line in lines:
            if await request.is_disconnected():
                break  # nobody waits any more
            done = line.done or done
    return done


async def _written(
    begun: AskLine, lines: AsyncGenerator[AskLine, None]
) -> AsyncGenerator[str, None]:
    async with aclosing(lines):
        yield begun.model_dump_json(exclude_unset=True) + "\n"
        async for line in lines:
            yield line.model_dump_json(exclude_unset=True) + "\n"


async def _answering(body: AskAll, here: Services, caller: Caller) -> AsyncGenerator[AskLine, None]:
    """Ask the streams: who is asked, then each answer as it comes, then all of them in order.

    Raises:
        Refusal: 422 if the time zone is none.
    """
    try:
        zone = None if body.timezone is None else await zone_called(body.timezone)
    except BadValue as error:
        raise Refusal(422, str(error)) from None
    chosen, left_out = await choose(here, caller, "ask", body.streams)
    named = await named_in(body.question, here)
    understood = None if named is None else describe_search(named, here.watcher.lexicon.table)
    question = Question(body.question, tokens=_TOKENS, sampling=here.sampling)
    with here.admission.question(caller):
        shown = [await shown_by(status, question, named, here, zone) for status in chosen]
        ranked = in_order(shown, body.question)
        left_out += len(ranked[MOST_ASKED:])
        names = [shows.status.name for shows in ranked[:MOST_ASKED]]
        yield AskLine(begun=AskBegun(understood=understood, asked=names, left_out=left_out))
        for name in names:
            await here.audit.note(caller, "ask", name, question=body.question)
        answers = []
        async with aclosing(answers_of(ranked[:MOST_ASKED], named, here)) as coming:
            async for one in coming:
                answers.append(one)
                yield _line(here, one)
    answers.sort(key=lambda one: names.index(one.shows.status.name))
    lines = [_line(here, one) for one in answers]
    yield AskLine(
        done=AllAnswers(
            text=merged(answers, named, here),
            understood=understood,
            answers=[line.answer for line in lines if line.answer is not None],
            unanswered=[line.unanswered for line in lines if line.unanswered is not None],
            left_out=left_out,
        )
    )


def _line(here: Services, one: OneAnswer) -> AskLine:
    if one.answered is not None:
        return AskLine(answer=_report(here, one, one.answered))
    why_not = one.why_not or "It has no answer."
    return AskLine(unanswered=Unanswered(stream=one.shows.status.name, reason=why_not))


def _report(here: Services, one: OneAnswer, answered: Answered) -> StreamAnswer:
    shows, name = one.shows, one.shows.status.name
    parts = evidence_report(answered.finish, shows.reference)
    rests = sorted(parts, key=lambda part: -part.score)[:_EVIDENCE]
    newest = shows.newest
    sight = next(iter(rests), None) if newest is None else newest.best
    return StreamAnswer(
        stream=name,
        text=answered.text,
        sureness=None if shows.sureness is None else round(shows.sureness, 3),
        seen_last=None if newest is None else newest.end,
        seen_last_clock=None if newest is None else clock(newest.end, shows.reference),
        best=None if sight is None else sight.start,
        best_end=None if sight is None else sight.end,
        thumbnail=None if sight is None else thumbnail_at(here, name, sight.start),
        evidence=tuple(rests),
        time=time_report(shows.time, shows.reference),
    )
