"""A made-up day: hours of routine in front of a camera, with a few events at known ages.

What `training/streams/world.py` is to a stream of minutes. Scenes of a routine come again and again; planted
among them, so long before the end, are pairs of events with things that nothing else in the day shows:
one thing, then several of another. Not one pixel is drawn: 24 hours of clips take seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from model.types import ClipTokens
from model.vision.things import Thing, pack
from model.zoo.lite import LOOK, THINGS
from training.lite.made_up import seen_of
from training.streams.world import World

PERIOD = 4.0
"""Seconds from clip to clip: four frames, one a second."""
EVENT_CLIPS = 5
"""Clips that one event is shown for."""
ROUTINE = 12
"""Scenes that the day is made of, besides its events."""
ABSENT = 16
"""Words that are set aside to ask about: nothing in the day shows them."""
LOOKS = 4
"""Ways that the visual tokens of one scene come in."""
Scene = tuple[Thing, ...]


@dataclass(frozen=True, slots=True)
class DayEvent:
    """Two things, shown one after the other.

    Attributes:
        age: How long before the end of the day it was, in seconds.
        one: What was shown first; one, in a clear place.
        several: What was shown then; more than one.
        clip: Number of the clip it begins with.
    """

    age: float
    one: Thing
    several: Thing
    clip: int

    @property
    def start(self) -> float:
        """Media time of its beginning, in seconds."""
        return self.clip * PERIOD

    @property
    def turn(self) -> float:
        """Media time at which the first thing gives way to the second, in seconds."""
        return self.start + EVENT_CLIPS * PERIOD

    @property
    def end(self) -> float:
        """Media time of its end, in seconds."""
        return self.turn + EVENT_CLIPS * PERIOD


class Day:
    """A day before a camera. Two of the same seed are the same.

    Args:
        world: Its words, and how eyes err.
        seconds: How long.
        ages: How long before its end events were, in seconds; those it is too short for are left out.
        seed: Decides everything.
        routine: Scenes it is made of besides; 1 is a picture that never changes.
    """

    def __init__(
        self,
        world: World,
        seconds: float,
        ages: Sequence[float],
        seed: int,
        routine: int = ROUTINE,
    ) -> None:
        random = np.random.default_rng([seed, 77])
        self.world, self.seed = world, seed
        self.count = int(seconds // PERIOD)
        clips = sorted({self.count - round(age / PERIOD) - 2 * EVENT_CLIPS for age in ages})
        clips = [clip for clip in clips if clip >= 0]
        words = _words(world, random, 2 * len(clips) + ABSENT + 3 * routine)
        planted, rest = words[: 2 * len(clips)], words[2 * len(clips) :]
        self.absent, usual = rest[:ABSENT], rest[ABSENT:]
        self.events = [
            self._event(random, clip, *planted[2 * number : 2 * number + 2])
            for number, clip in enumerate(clips)
        ]
        self._apart = frozenset((*planted, *self.absent))
        self._routine = [
            tuple(world.thing(random, word) for word in usual[3 * n : 3 * n + 1 + n % 3])
            for n in range(routine)
        ]

    def clips(self) -> Iterator[ClipTokens]:
        """Yield the day's clips in order of time."""
        random = np.random.default_rng([self.seed, 78])
        looks: dict[Scene, list[Tensor]] = {}
        for number, scene in enumerate(self._scenes(random)):
            things = self._report(random, scene)
            if scene not in looks:
                looks[scene] = [
                    pad(seen_of(scene, self.world, random), (LOOK, 0)) for _ in range(LOOKS)
                ]
            visual = looks[scene][int(random.integers(LOOKS))]
            named = torch.zeros(THINGS, visual.shape[1])
            named[:, LOOK:] = pack(things, THINGS)
            values = torch.cat([named, visual]).to(torch.float16)
            start = number * PERIOD
            yield ClipTokens(values, start, start + 0.75 * PERIOD)

    def _scenes(self, random: np.random.Generator) -> Iterator[Scene]:
        planted = {}
        for event in self.events:
            for n in range(EVENT_CLIPS):
                planted[event.clip + n] = (event.one,)
                planted[event.clip + EVENT_CLIPS + n] = (event.several,)
        scene, left = 0, 0
        for number in range(self.count):
            if left == 0:
                scene, left = int(random.integers(len(self._routine))), int(random.integers(8, 60))
            left -= 1
            yield planted.get(number, self._routine[scene])

    def _report(self, random: np.random.Generator, scene: Scene) -> Scene:
        allowed = {thing.word for thing in scene}
        while True:
            said = self.world.report(random, scene)
            if not any(t.word in self._apart and t.word not in allowed for t in said):
                return said

    def _event(self, random: np.random.Generator, clip: int, first: int, then: int) -> DayEvent:
        table = self.world.table
        one, several = self.world.thing(random, first), self.world.thing(random, then)
        # The middle of a ninth of the picture: which one is beyond doubt.
        x, y = (int(random.integers(3)) / 3 + 1 / 6 for _ in range(2))
        one = replace(one, count=1, movement=None, kind=None, x=x, y=y)
        count = int(random.integers(2, 5)) if table[then].plural != table[then].name else 1
        several = replace(several, count=count, movement=None, kind=None)
        age = (self.count - clip - 2 * EVENT_CLIPS) * PERIOD
        return DayEvent(age, one, several, clip)


def _words(world: World, random: np.random.Generator, count: int) -> list[int]:
    """Return words of which none may rightly be called by another's name."""
    table = world.table
    chosen: list[int] = []
    names: set[str] = set()
    broader: set[str] = set()
    for number in random.permutation(len(table)).tolist():
        word = table[number]
        mine = {word.name, *word.others}
        if mine & (names | broader) or names & set(word.broader):
            continue
        chosen.append(number)
        names |= mine
        broader |= set(word.broader)
        if len(chosen) == count:
            break
    return chosen
