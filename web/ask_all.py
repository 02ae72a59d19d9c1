"""Asks several streams one question, one after another, and merges what they answer.

    question --read_search--> what it names --find--> how surely each stream shows that, and when
             --ask, in the background, those first--> answers --> in order of that

The scores in an answer's evidence say where *it* looked; of two streams they say nothing. What compares
streams is what their moments show: whether the thing that the question names is there, how surely, and
how lately where "last" is asked for. A person's question to one stream goes before each of these.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from zoneinfo import ZoneInfo

from memory.errors import EncoderMismatch
from model.types import Question
from model.vision.things import SURE
from stream.errors import BadInput
from stream.moments.search import FoundStretch, Search, find, read_search
from stream.past.thing_index import Remembered
from stream.status import StreamStatus
from web.ask import Answered, Stopwatch, ask_whole, failing_as_asked
from web.errors import Refusal
from web.reports.time_report import refusal, time_report
from web.services import Services
from web.time_words.apply import apply_aside, reference_of
from web.time_words.extent import Reference
from web.time_words.spoken import SpokenClocks
from web.time_words.understand import TimeAsked

MOST_ASKED = 8
"""Streams that one question is put to: those that show what it names, then the newest."""
_LATEST = re.compile(
    r"\b(last|latest|lately|recently|newest|now|currently|still|where)\b", re.IGNORECASE
)
"""What asks for the newest sight of a thing, rather than for the surest."""


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
    """

    status: StreamStatus
    reference: Reference
    question: Question
    time: TimeAsked | None
    sureness: float | None = None
    newest: FoundStretch | None = None

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
        return await asyncio.to_thread(read_search, text, here.watcher.lexicon)
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
    shows = Shows(status, reference, replace(put, background=True), time)
    if named is None:
        return shows
    since = -inf if put.since is None else put.since
    until = inf if put.until is None else put.until
    try:
        seen = await here.index.read(status.name, since, until)
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


async def answer_of(shows: Shows, here: Services) -> OneAnswer:
    """Put the question to one stream, with times said by the clock."""
    try:
        with failing_as_asked():
            live = await here.registry.find(shows.status.name)
            answered = await ask_whole(live, shows.question, Stopwatch(here.clocks.monotonic))
    except Refusal as failure:
        time = time_report(shows.time, shows.reference)
        return OneAnswer(shows, None, refusal(failure, time, shows.reference))
    spoken = SpokenClocks(shows.reference)
    text = spoken.feed(answered.text) + spoken.end()
    return OneAnswer(shows, replace(answered, text=text))


def merged(answers: Iterable[OneAnswer], named: Search | None) -> str:
    """Return in a sentence or two what all cameras say: the first answer, and who else has seen it."""
    said = [one for one in answers if one.answered is not None]
    if not said:
        return "No camera has an answer."
    best, *others = said
    assert best.answered is not None
    text = f"{best.shows.status.name}: {best.answered.text}"
    if named is None:
        return text
    if best.shows.newest is None:
        return f"No camera surely shows that. {text}"
    also = [one.shows.status.name for one in others if one.shows.newest is not None]
    return f"{text} Also seen on {', '.join(also)}." if also else text


def _matched(shows: Shows, named: Search, seen: Remembered, here: Services) -> Shows:
    found = find(named, [seen], here.watcher.lexicon.table)
    plain = [one for one in found if one.score >= SURE]
    newest = max(plain, key=lambda one: one.at, default=None)
    return replace(shows, sureness=found[0].score if found else 0.0, newest=newest)
