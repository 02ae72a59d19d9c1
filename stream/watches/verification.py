"""Asks the model whether what a watch has matched is so: one question about those moments, yes or no, or how many."""

import asyncio
import re
from contextlib import aclosing
from dataclasses import dataclass

from memory.errors import EncoderMismatch, StoreUnavailable
from model.errors import EngineBusy, ModelError
from model.types import Question, Words
from model.vision.vocabulary import WordTable, with_article
from stream.errors import StreamClosed, UnknownStream
from stream.registry import Registry
from stream.watches.condition import Clause, Condition
from stream.watches.records import Event, Verdict, Watch

_WITHIN_SECONDS = 30.0
_ANSWER_TOKENS = 24
_YES = re.compile(r"\W*(yes|there (is|are) (?!no\b)|i see (?!no\b))", re.IGNORECASE)
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNT = re.compile(
    r"\b(?P<more>(?:more than|over) )?(?<![:\d])(?P<number>\d+(?![:\d]|\.\d| ?(?:s|seconds?|minutes?|hours?)\b)"
    rf"|none|{'|'.join(_NUMBERS)})\b",
    re.IGNORECASE,
)
"""How many, but not when or for how long."""
_NO = re.compile(
    r"\W*(no\b|not\b|there (is|are) no\b|i (have|did|do) not|i (haven't|didn't|don't))",
    re.IGNORECASE,
)


class Verification:
    """Asks about events.

    Args:
        registry: The streams.
        table: The words.
    """

    def __init__(self, registry: Registry, table: WordTable) -> None:
        self._registry = registry
        self._table = table

    async def __call__(self, watch: Watch, event: Event) -> tuple[Verdict, str]:
        """Return what the model says of `event`, and that in a sentence."""
        asked = question_of(watch.condition, self._table)
        text = asked.text
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                answer = await self._ask(event, text)
        except TimeoutError:
            return "unverified", f"The model had no time for “{text}”."
        except (EngineBusy, StreamClosed) as error:
            return "unverified", f"The model could not be asked: {error}"
        except (EncoderMismatch, ModelError, StoreUnavailable, UnknownStream) as error:
            return "failed", f"The model could not be asked: {error}"
        return judge(asked, answer)

    async def _ask(self, event: Event, text: str) -> str:
        live = await self._registry.find(event.stream)
        await live.looked()  # what it rests on is being written
        since = event.evidence[0].start if event.evidence else event.start
        question = Question(
            text, tokens=_ANSWER_TOKENS, since=since, until=event.fired, background=True
        )
        async with aclosing(live.ask(question)) as pieces:
            words = [piece.text async for piece in pieces if isinstance(piece, Words)]
        return "".join(words).strip()


@dataclass(frozen=True, slots=True)
class VerifyingQuestion:
    """What is asked about a condition.

    Attributes:
        text: The question.
        expected: Whether the thing should be there, or so many of it.
        at_least: How many; 1 is asked with yes or no.
    """

    text: str
    expected: bool
    at_least: int = 1


def question_of(condition: Condition, table: WordTable) -> VerifyingQuestion:
    """Return what to ask about a condition: of several clauses the one that counts, else the first."""
    clauses = condition.positive or condition.negative
    clause = max(clauses, key=lambda one: one.at_least)  # the first of those that are alike
    return VerifyingQuestion(_question(clause, table), bool(condition.positive), clause.at_least)


def judge(asked: VerifyingQuestion, answer: str) -> tuple[Verdict, str]:
    """Return what an answer says of an event, and that in a sentence."""
    said = f"Asked “{asked.text}”, the model said “{answer[:200]}”."
    is_so = _is_so(answer) if asked.at_least == 1 else _are_so_many(answer, asked.at_least)
    if is_so is None:
        return "unverified", said
    return ("confirmed" if is_so == asked.expected else "rejected"), said


def _is_so(answer: str) -> bool | None:
    """Return whether an answer is yes; None if it is not clear."""
    if _YES.match(answer):
        return True
    return False if _NO.match(answer) else None


def _are_so_many(answer: str, at_least: int) -> bool | None:
    """Return whether an answer counts so many or more; None if it counts nothing, or does not say which."""
    counts = {_number(found) for found in _COUNT.finditer(answer)}
    if not counts:  # "I have not seen any": no number, and clear
        return False if _is_so(answer) is False else None
    return counts.pop() >= at_least if len(counts) == 1 else None


def _number(found: re.Match[str]) -> int:
    word = found["number"].lower()
    number = 0 if word == "none" else int(word) if word.isdecimal() else _NUMBERS.index(word)
    return number + (found["more"] is not None)


def _question(clause: Clause, table: WordTable) -> str:
    word, colour = clause.words[0], f"{clause.colour} " if clause.colour else ""
    if clause.at_least > 1:
        number = table.number.get(word)
        plural = f"{word}s" if number is None else table[number].plural
        return f"How many {colour}{plural} are there?"
    return f"Is there {with_article(f'{colour}{word}')}?"
