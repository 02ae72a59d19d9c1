"""What a person waits for while an event is verified: the same question alone and beside, in turn.

Both questions of a pair follow each other at once, first one way round and then the other, so that a machine
that is slower for a while is so for both. The verifying question is asked first, and the person's comes at
another point of its way each time.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from model.engine.contract import ClipSource, Engine, Past
from model.types import Question, Words

_PERSON = Question("What do you see?", tokens=8)
_LOOKS_AT = 3
"""Clips that an event rests on."""


@dataclass(frozen=True, slots=True)
class FirstWords:
    """Seconds to a person's first word.

    Attributes:
        alone: While nothing else was asked.
        beside: While an event was being verified.
    """

    alone: float
    beside: float

    @property
    def ratio(self) -> float:
        """How many times as long it took."""
        return self.beside / self.alone


async def pairs(
    engine: Engine, store: ClipSource, stream: str, starts: Sequence[float], count: int
) -> list[FirstWords]:
    """Measure so many pairs on a stream whose clips begin at `starts`."""
    whole, event = Past(stream, store), _event(stream, store, starts)
    await _first_word(engine, whole)  # which reads the history
    lasts = await _verify(engine, event)
    found = []
    for number in range(count):
        wait = lasts * (number + 0.5) / count
        if number % 2:
            beside = await _beside(engine, whole, event, wait)
            alone = await _first_word(engine, whole)
        else:
            alone = await _first_word(engine, whole)
            beside = await _beside(engine, whole, event, wait)
        found.append(FirstWords(alone, beside))
    return found


def _event(stream: str, store: ClipSource, starts: Sequence[float]) -> Past:
    return Past(stream, store, ((starts[-_LOOKS_AT:][0], starts[-1]),), once=True)


async def _beside(engine: Engine, whole: Past, event: Past, wait: float) -> float:
    verifying = asyncio.create_task(_verify(engine, event))
    await asyncio.sleep(wait)
    took = await _first_word(engine, whole)
    await verifying
    return took


async def _verify(engine: Engine, event: Past) -> float:
    """Put the question that verifies an event; return how long that took."""
    began = time.perf_counter()
    asked = Question("Is there a dog?", tokens=24, background=True)
    async with aclosing(engine.answer(event, asked)) as pieces:
        async for _ in pieces:
            pass
    return time.perf_counter() - began


async def _first_word(engine: Engine, past: Past) -> float:
    began, first = time.perf_counter(), 0.0
    async with aclosing(engine.answer(past, _PERSON)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Words) and not first:
                first = time.perf_counter() - began
    return first or time.perf_counter() - began
