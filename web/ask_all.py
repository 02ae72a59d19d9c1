"""Asks several streams one question, two at a time, and merges what they answer.

    question --read_search--> what it names --find--> how surely each stream shows that, and when
             --shows nothing of it--> "I have not seen a dog.", at once
             --else ask, in the background--> answers as they come --> in order of that

The scores in an answer's evidence say where *it* looked; of two streams they say nothing. What compares
streams is what their moments show: whether the thing that the question names is there, how surely, and
how lately where "last" is asked for. A person's question to one stream goes before each of these.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from zoneinfo import ZoneInfo

from memory.errors import EncoderMismatch
from model.types import Finish, Question, Usage
from model.vision.things import SURE
from stream.errors import BadInput
from stream.moments.search import FoundStretch, Search, describe_search, find, read_search
from stream.past.presence import Shown
from stream.past.thing_index import Remembered
from stream.status import StreamStatus
from web.ask import Answered, Stopwatch, ask_whole, failing_as_asked
from web.camera_words import of_one_camera
from web.errors import Refusal
from web.reports.time_report import refusal, time_report
from web.services import Services
from web.time_words.apply import apply_aside, reference_of
from web.time_words.extent import Reference
from web.time_words.spoken import SpokenClocks
from web.time_words.understand import TimeAsked

MOST_ASKED = 8
"""Streams that one question is put to: those that show what it names, then the newest."""
_AT_ONCE = 2
"""Streams that wait for the language model: it writes so many answers at once in the background, and of more the
histories would take each other's room."""
_LATEST = re.compile(
    r"\b(last|latest|lately|recently|newest|now|currently|still|where|cameras?)\b",
    re.IGNORECASE,
)
"""What asks for the newest sight of a thing, rather than for the surest."""
_OTHER_THINGS = re.compile(
    r"\b(besides?|except|other|else|apart|but|instead|without|not?|never|nothing|nobody)\b|n't\b",
    re.IGNORECASE,
)
"""What may ask for something else than the thing that is named."""


@dataclass(frozen=True, slots=True)
class Shows:
    """What one stream shows of what a question names.

    Attributes:
        status: Of the stream.
        reference: The time of whoever asks.
        question: As it is put to this stream.
        time: What was understood of its words of time.
        sureness: How sure it is that the stream shows it, 0 to 1; None if nothing was named.
        newest: The newest stretch that plainly shows it.
        clips: What was gone through, if no moment of it shows anything of what was named; else nothing.
    """

    status: StreamStatus
    reference: Reference
    question: Question
    time: TimeAsked | None
    sureness: float | None = None
    newest: FoundStretch | None = None
    clips: Sequence[Shown] = ()

    @property
    def seen_at(self) -> float:
        """Unix second until which it was seen last; minus infinity if it never was."""
        return -inf if self.newest is None else self.newest.at


@dataclass(frozen=True, slots=True)
class OneAnswer:
    """What one stream answers; one that cannot says why."""

    shows: Shows
    answered: Answered | None
    why_not: str | None = None


async def named_in(text: str, here: Services) -> Search | None:
    """Return what `text` names that moments can be matched on; None if that is nothing, or too much."""
    if await here.watcher.trouble() is not None:
        return None
    try:
        return await asyncio.to_thread(read_search, of_one_camera(text), here.watcher.lexicon)
    except BadInput:
        return None


async def shown_by(
    status: StreamStatus,
    question: Question,
    named: Search | None,
    here: Services,
    zone: ZoneInfo | None,
) -> Shows:
    """Return how surely a stream shows what is `named`, in the time that the question is about."""
    reference = reference_of(status, here.clocks.wall(), zone)
    put, time = await apply_aside(question, reference)
    put = replace(put, text=of_one_camera(put.text), background=True)
    return await _looked_through(Shows(status, reference, put, time), named, here)


async def _looked_through(shows: Shows, named: Search | None, here: Services) -> Shows:
    """Return `shows` with how surely its stream shows what is `named`, as it is remembered now."""
    if named is None:
        return shows
    since, until = shows.question.since, shows.question.until
    try:
        seen = await here.index.read(
            shows.status.name, -inf if since is None else since, inf if until is None else until
        )
    except EncoderMismatch:
        return shows
    return await asyncio.to_thread(_matched, shows, named, seen, here)


def in_order(shown: Iterable[Shows], question: str) -> list[Shows]:
    """Return the streams in the order in which their answers count.

    Where the latest is asked for, it is the newest sight of what the question names; else how surely
    it is seen, then how lately. A question that names nothing is left in the order of the streams.
    """
    if _LATEST.search(question):
        return sorted(shown, key=lambda one: (-one.seen_at, -(one.sureness or 0.0)))
    return sorted(shown, key=lambda one: (-round(one.sureness or 0.0, 1), -one.seen_at))


async def answers_of(
    ranked: Sequence[Shows], named: Search | None, here: Services
) -> AsyncGenerator[OneAnswer, None]:
    """Put the question to every stream, and yield each answer as soon as it is there; use `aclosing`."""
    turn = asyncio.Semaphore(_AT_ONCE)
    tasks = [asyncio.create_task(_answer_of(shows, named, here, turn)) for shows in ranked]
    try:
        for coming in asyncio.as_completed(tasks):
            yield await coming
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _answer_of(
    shows: Shows, named: Search | None, here: Services, turn: asyncio.Semaphore
) -> OneAnswer:
    """Put the question to one stream, with times said by the clock.

    Args:
        shows: What the stream shows of what the question names.
        named: What that is.
        here: What answers.
        turn: Is held by whoever may need the language model.
    """
    stopwatch = Stopwatch(here.clocks.monotonic)
    try:
        with failing_as_asked():
            live = await here.registry.find(shows.status.name)
            if shows.clips:  # the language model knows no more of it, and is slow
                await live.wait_for_given(shows.question)
                shows = await _looked_through(shows, named, here)
            if named is not None and shows.clips:
                return OneAnswer(shows, _unseen(shows.clips, _described(named, here), stopwatch))
            async with turn:
                answered = await ask_whole(live, shows.question, stopwatch)
    except Refusal as failure:
        time = time_report(shows.time, shows.reference)
        return OneAnswer(shows, None, refusal(failure, time, shows.reference))
    spoken = SpokenClocks(shows.reference)
    text = spoken.feed(answered.text) + spoken.end()
    return OneAnswer(shows, replace(answered, text=text))


def _unseen(clips: Sequence[Shown], name: str, stopwatch: Stopwatch) -> Answered:
    frames = sum(clip.frames for clip in clips)
    usage = Usage(len(clips), frames, 0, 0, 0, 0, clips[0].start, clips[-1].end)
    took = stopwatch.total_ms
    return Answered(f"I have not seen {name}.", Finish("stop", (), usage), took, took)


def merged(answers: Iterable[OneAnswer], named: Search | None, here: Services) -> str:
    """Return in a sentence or two what all cameras say: the first answer, and who else has seen it."""
    said = [one for one in answers if one.answered is not None]
    if not said:
        return "No camera has an answer."
    best, *others = said
    assert best.answered is not None
    text = f"{best.shows.status.name}: {best.answered.text}"
    if named is None:
        return text
    if all(one.shows.clips for one in said):
        return f"No camera has shown {_described(named, here)}."
    if best.shows.newest is None:
        return f"No camera surely shows that. {text}"
    also = [one.shows.status.name for one in others if one.shows.newest is not None]
    return f"{text} Also seen on {', '.join(also)}." if also else text


def _described(named: Search, here: Services) -> str:
    return describe_search(named, here.watcher.lexicon.table)


def _matched(shows: Shows, named: Search, seen: Remembered, here: Services) -> Shows:
    found = find(named, [seen], here.watcher.lexicon.table)
    plain = [one for one in found if one.score >= SURE]
    newest = max(plain, key=lambda one: one.at, default=None)
    none = not found and seen.whole and _asks_of_one(named, shows.question.text)
    sureness = found[0].score if found else 0.0
    return replace(shows, sureness=sureness, newest=newest, clips=seen.clips if none else ())


def _asks_of_one(named: Search, text: str) -> bool:
    """Say whether `text` is about one kind of thing, and what never showed it knows no more to say."""
    condition = named.condition
    one = len(condition.positive) == 1 and not condition.negative
    return one and _OTHER_THINGS.search(text) is None
