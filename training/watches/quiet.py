"""Made-up long quiet streams with a few events planted: reports of an imperfect eye, not one pixel.

A stream shows the same few things for an hour. What the eye reports of them is as wrong as that of
`training/streams/world.py`, and in ways that come in rows, which fool a rule more easily than single errors:
a likeness that is half believed for minutes, and changes of lighting in which much is missed and one
and the same wrong thing is seen.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from model.vision.things import Thing
from model.vision.vocabulary import COLOURS
from stream.watches.condition import ABSENCE_SECONDS, Clause, Condition
from training.streams.world import Mix, World

CLIP_SECONDS = 4.0
CLIPS_AN_HOUR = 900
GONE_SECONDS = 60.0
Kind = Literal["there", "colour", "count", "nobody", "gone"]
KINDS: tuple[Kind, ...] = ("there", "colour", "count", "nobody", "gone")
LIGHTING_EVERY = 150
"""Clips between two changes of lighting."""


@dataclass(frozen=True, slots=True)
class QuietWatch:
    """A watch, and what its stream truly shows.

    Attributes:
        kind: What sort of condition it is.
        condition: What is watched for.
        quiet: The things that are there while it does not hold.
        event: Those that are there while it holds.
        word: The word that it turns on.
    """

    kind: Kind
    condition: Condition
    quiet: tuple[Thing, ...]
    event: tuple[Thing, ...]
    word: int


def case(world: World, random: np.random.Generator, kind: Kind) -> QuietWatch:
    """Return a watch of some kind with its stream."""
    background = world.things(random, Mix(few=0.5))[:3]
    word = world.word(random)
    while (
        any(word == t.word for t in background)
        or world.table[word].plural == world.table[word].name
    ):
        word = world.word(random)
    name = world.table[word].name
    thing = replace(world.thing(random, word), count=1, colour=0, movement=None)
    # In front of what is there already as often as behind it.
    first = bool(random.random() < 0.5)

    def beside(*more: Thing) -> tuple[Thing, ...]:
        return (*more, *background) if first else (*background, *more)

    if kind == "there":
        return QuietWatch(kind, Condition((Clause((name,)),)), beside(), beside(thing), word)
    if kind == "colour":
        other = replace(thing, colour=int(random.integers(1, len(COLOURS))))
        wanted = Condition((Clause((name,), colour=COLOURS[0]),))
        return QuietWatch(kind, wanted, beside(other), beside(thing), word)
    if kind == "count":
        few, many = int(random.integers(1, 3)), 4
        wanted = Condition((Clause((name,), at_least=many),))
        return QuietWatch(kind, wanted, beside(replace(thing, count=few)), beside(replace(thing, count=many)), word)  # fmt: skip
    gone = kind == "gone"
    hold = GONE_SECONDS if gone else ABSENCE_SECONDS
    wanted = Condition(negative=(Clause((name,)),), hold_s=hold, after_seen=gone)
    return QuietWatch(kind, wanted, beside(thing), beside(), word)


class Eye:
    """Reports clip after clip of one stream.

    Args:
        world: Makes the errors of single clips.
        random: Where chance comes from.
        word: What the likeness that comes and goes is taken for.
    """

    def __init__(self, world: World, random: np.random.Generator, word: int) -> None:
        self._world, self._random = world, random
        self._likeness = replace(world.thing(random, word), count=1, movement=None)
        self._believed = 0.2
        self._lighting = 0
        self._wrong = self._likeness

    def clips(
        self, truth: tuple[Thing, ...], count: int, *, likeness: bool
    ) -> Iterator[list[Thing]]:
        """Yield what is reported of `count` clips that show `truth`.

        Args:
            truth: What is there, the main thing first.
            count: How many.
            likeness: Whether something is there that is like what is watched for.
        """
        random = self._random
        for _ in range(count):
            said = list(self._world.report(random, truth))
            if self._lighting == 0 and random.random() < 1 / LIGHTING_EVERY:
                self._lighting = int(random.integers(2, 6))
                like = (
                    self._world.like(random, truth[0].word) if truth else self._world.word(random)
                )
                self._wrong = self._world.thing(random, like)
            if self._lighting:
                self._lighting -= 1
                said = [t for t in said if random.random() < 0.6]
                if random.random() < 0.7 and all(
                    t.word != self._wrong.word for t in (*said, *truth)
                ):
                    said.append(replace(self._wrong, sure=0.55))
            if likeness:
                self._believed += 0.15 * (0.2 - self._believed) + float(random.normal(0, 0.05))
                if self._believed > 0.25:
                    said.append(replace(self._likeness, sure=min(self._believed, 1.0)))
            yield said
