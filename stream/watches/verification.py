"""Asks the model whether what a watch has matched is so: one yes/no question about those moments."""

import asyncio
import re
from contextlib import aclosing

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
        text, expected = question_of(watch.condition, self._table)
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                answer = await self._ask(event, text)
        except TimeoutError:
            return "unverified", f"The model had no time for “{text}”."
        except (EngineBusy, StreamClosed) as error:
            return "unverified", f"The model could not be asked: {error}"
        except (EncoderMismatch, ModelError, StoreUnavailable, UnknownStream) as error:
            return "failed", f"The model could not be asked: {error}"
        return judge(text, answer, expected=expected)

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


def question_of(condition: Condition, table: WordTable) -> tuple[str, bool]:
    """Return what to ask about a condition, and whether the answer should be yes."""
    if condition.positive:
        return _question(condition.positive[0], table), True
    return _question(condition.negative[0], table), False


def judge(question: str, answer: str, *, expected: bool) -> tuple[Verdict, str]:
    """Return what an answer says of an event, and that in a sentence."""
    said = f"Asked “{question}”, the model said “{answer[:200]}”."
    if _YES.match(answer):
        return ("confirmed" if expected else "rejected"), said
    if _NO.match(answer):
        return ("rejected" if expected else "confirmed"), said
    return "unverified", said


def _question(clause: Clause, table: WordTable) -> str:
    word = clause.words[0]
    if clause.at_least > 1:
        number = table.number.get(word)
        plural = f"{word}s" if number is None else table[number].plural
        return f"Are there any {f'{clause.colour} ' if clause.colour else ''}{plural}?"
    name = f"{clause.colour} {word}" if clause.colour else word
    return f"Is there {with_article(name)}?"
