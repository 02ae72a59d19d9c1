"""What a day is asked about, and what makes an answer right: recall by age and kind of question.

Every event gives a question of each kind; questions about what was never shown stand beside those
about what was. An answer has its evidence beside it: whether the moment that weighed most in it lies
in the event.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from model.errors import NothingSeen
from model.types import Evidence, Question, Words
from model.vision.things import place_of
from model.vision.vocabulary import Word, with_article
from stream.past.recall import Recall
from training.dialogue.now import NUMBERS
from training.sample_stream.sample_truth import second_of
from training.streams.day import Day, DayEvent
from web.time_words.apply import apply
from web.time_words.extent import Reference

KINDS = ("what", "when", "order", "count", "where", "ever", "never")
LONGEST = 24
NEAR = 8.0
"""Seconds by which a time may be wrong, or `NEAR_SHARE` of how long ago it was, if that is more."""
NEAR_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class RecallCase:
    """One question about a day.

    Attributes:
        kind: One of `KINDS`.
        age: How long ago its event was, in seconds; of what never was, that of the event beside it.
        text: The question.
        right: Says whether an answer is right.
        moment: Where the event lies, in media seconds; None if it never was.
    """

    kind: str
    age: float
    text: str
    right: Callable[[str], bool]
    moment: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class RecallOutcome:
    """What was answered.

    Attributes:
        case: The question.
        answer: In words.
        right: Whether it is.
        found: Whether the evidence that weighs most lies in the event; None if there is no event, or no
            evidence.
        first: Seconds to its first word; None if it was refused.
    """

    case: RecallCase
    answer: str
    right: bool
    found: bool | None
    first: float | None


def cases(day: Day) -> Iterator[RecallCase]:
    """Yield every question about `day`."""
    table = day.world.table
    for number, event in enumerate(day.events):
        one, several = table[event.one.word], table[event.several.word]
        first, then = (event.start, event.turn), (event.turn, event.end)
        whole = (event.start, event.end)
        at = event.start + (event.turn - event.start) / 2

        def case(kind: str, text: str, right: Callable[[str], bool], moment: tuple[float, float] | None, age: float = event.age) -> RecallCase:  # fmt: skip
            return RecallCase(kind, age, text, right, moment)

        yield case("what", f"What was shown at {at:.0f} seconds?", _names(one), first)
        yield case("when", f"When was the {one.name} shown?", _tells_time(event), first)
        yield case("order", f"What came after the {one.name}?", _names(several), whole)
        said = NUMBERS[event.several.count]
        yield case("count", f"How many {several.plural} were there?", _says(said), then)
        yield case("where", f"Where was the {one.name}?", _says(*place_of(event.one).split()), first)  # fmt: skip
        yield case("ever", f"Was there {with_article(one.name)}?", _begins("yes"), first)
        never = table[day.absent[number % len(day.absent)]]
        yield case("never", f"Was there {with_article(never.name)}?", _begins("no", "i have not"), None)  # fmt: skip


class Pupil:
    """Who is asked: a stream, as its users ask it, or one that has shown less.

    Args:
        recall: Answers.
        end: Media time at which is asked, in seconds.
        times: Whether words of time become a range, which memory is read for.
    """

    def __init__(self, recall: Recall, end: float, *, times: bool = True) -> None:
        self._recall, self._reference, self._times = recall, Reference(end), times

    async def answer(self, case: RecallCase) -> RecallOutcome:
        """Ask and judge; what lies before all that is remembered is said to be, which is not right."""
        question = Question(case.text, tokens=LONGEST)
        if self._times:
            question, _ = apply(question, self._reference)
        evidence: Sequence[Evidence] = ()
        text, first, began = "", None, perf_counter()
        try:
            async with aclosing(self._recall.ask(question)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Words):
                        first = perf_counter() - began if first is None else first
                        text += piece.text
                    else:
                        evidence = piece.evidence
        except NothingSeen as error:
            text = str(error)
        return RecallOutcome(case, text.strip(), case.right(text), found(case, evidence), first)


def found(case: RecallCase, evidence: Sequence[Evidence]) -> bool | None:
    """Return whether the evidence that weighs most lies in the event."""
    if case.moment is None or not evidence:
        return None
    best = evidence[int(np.argmax([one.score for one in evidence]))]
    return best.start <= case.moment[1] and best.end >= case.moment[0]


def _words(answer: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", answer.lower())


def _says(*keys: str) -> Callable[[str], bool]:
    def right(answer: str) -> bool:
        said = f" {' '.join(_words(answer))} "
        return all(f" {key} " in said for key in keys)

    return right


def _names(word: Word) -> Callable[[str], bool]:
    called = [" ".join(_words(name)) for name in (word.name, word.plural, *word.others)]

    def right(answer: str) -> bool:
        return any(_says(name)(answer) for name in called)

    return right


def _begins(*starts: str) -> Callable[[str], bool]:
    def right(answer: str) -> bool:
        return " ".join(_words(answer)).startswith(starts)

    return right


def _tells_time(event: DayEvent) -> Callable[[str], bool]:
    near = max(NEAR, NEAR_SHARE * event.age)

    def right(answer: str) -> bool:
        told = second_of(answer)
        return told is not None and event.start - near <= told <= event.turn + near

    return right
