"""What the eyes of `lite` report of a clip, against what is true of it; no language model is asked.

A wrong answer may be the fault of the eyes or of the reading. Here the things that a clip is encoded to
are compared with the plan that the clip was drawn from, or with the list beside the sample film.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch

from model.types import Clip
from model.vision.things import MOVEMENTS, SURE, Thing, place_of
from model.vision.vocabulary import COLOURS, WordTable
from training.drawn.backgrounds import HELD_OUT_KINDS
from training.drawn.drawings import Sprites
from training.drawn.scenes import draw_scene, plan_scene
from training.drawn.takes import TakePart, movement_of, see, some_take
from training.sample_stream.sample import PARTS, SECONDS, Drawing, SamplePart
from training.sample_stream.sample_clips import sample_clips

FIRST_SEED = 1_700_000
"""Scenes from here on are neither trained on nor asked about by `training/exams/exam.py`."""
STILL = "still"
PHASES = (0.0, 0.25, 0.5, 0.75)
"""Seconds of the sample film before the first frame: as many times it is looked at."""
_BANDS = (0.7, 0.9)
"""Of sureness: what is said plainly is told apart by it."""
_MARGIN = 0.05
"""A middle nearer than this to the edge of a third of the frame may be said to lie on either side."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What is true of a thing, or of several of a kind, that a clip shows; None is not known.

    Attributes:
        words: Names that are right.
        count: How many.
        colour: Of a plain shape.
        movement: One of `MOVEMENTS`, or `still`; of one thing alone.
        place: Its middle, from the left and from the top; of one thing alone.
    """

    words: frozenset[str]
    count: int | None = None
    colour: str | None = None
    movement: str | None = None
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Seeing:
    """A clip, what is true of it, and whether that is all there is to see."""

    clip: Clip
    facts: tuple[Fact, ...]
    whole: bool


def drawn(sprites: Sprites, count: int) -> Iterator[Seeing]:
    """Yield clips of scenes that nothing was trained on, `count` of them."""
    random = np.random.default_rng(3)
    for number in range(count):
        scene = plan_scene(FIRST_SEED + number, sprites, HELD_OUT_KINDS)
        take = some_take(random, number, scene)
        pictures = draw_scene(scene, sprites)
        pixels = torch.from_numpy(np.stack([pictures[n] for n in take.pictures]))
        yield Seeing(Clip(pixels, 0.0, 3.0), tuple(_fact(s) for s in see(scene, take)), whole=True)


def _fact(seen: TakePart) -> Fact:
    fact = Fact(frozenset([seen.thing.name]), seen.count, seen.thing.colour)
    if seen.count > 1:
        return fact
    return replace(fact, movement=seen.movement, place=(seen.x, seen.y))


def sample(frame_side: int) -> Iterator[Seeing]:
    """Yield the clips of the sample film, as a live stream brings them."""
    for phase in PHASES:
        for clip in sample_clips(frame_side, len(PARTS) * SECONDS, skip=phase):
            number, since = divmod(clip.start, SECONDS)
            facts = _facts(PARTS[int(number)], since, clip.end - number * SECONDS)
            yield Seeing(clip, facts, whole=isinstance(PARTS[int(number)].picture, Drawing))


def _facts(part: SamplePart, since: float, until: float) -> tuple[Fact, ...]:
    """Return what is true of a part between two of its seconds."""
    known = [Fact(frozenset([s.word, *s.also]), s.count) for s in part.shows]
    drawing = part.picture
    if not isinstance(drawing, Drawing):
        return tuple(known)
    [thing], [start], [stop], [fact] = drawing.things, drawing.start, drawing.end, known
    way = (stop.x - start.x, stop.y - start.y)
    far, share = [d * (until - since) / SECONDS for d in way], until / SECONDS
    place = start.x + way[0] * share, start.y + way[1] * share
    return (replace(fact, colour=thing.colour, movement=movement_of(*far), place=place),)


@dataclass(frozen=True, slots=True)
class EyesVerdict:
    """Whether one thing that is reported of a clip, or should be, is right."""

    kind: str
    right: bool


def judge(seeing: Seeing, things: Sequence[Thing], table: WordTable) -> Iterator[EyesVerdict]:
    """Yield what is right and what is not in what the eyes report plainly.

    Where a thing is not named, nothing else is asked about it.
    """
    plain = [thing for thing in things if thing.sure >= SURE]
    facts = seeing.facts
    if len(facts) == 1:
        yield EyesVerdict("main thing", bool(plain) and _is(plain[0], facts[0], table))
    for fact in facts:
        named = next((thing for thing in plain if _is(thing, fact, table)), None)
        yield EyesVerdict("named", named is not None)
        if named is not None:
            yield from _details(fact, named)
    if seeing.whole:
        for thing in plain:
            yield EyesVerdict("what is named is there", any(_is(thing, f, table) for f in facts))


def calibration(seeing: Seeing, things: Sequence[Thing], table: WordTable) -> Iterator[EyesVerdict]:
    """Yield whether what is said is there, by how surely it is said; of a clip of which all is known."""
    for thing in things if seeing.whole else ():
        below = next((most for most in _BANDS if thing.sure < most), 1.0)
        kind = "with a perhaps" if thing.sure < SURE else f"sure, below {below}"
        yield EyesVerdict(f"said {kind}", any(_is(thing, f, table) for f in seeing.facts))


def _is(thing: Thing, fact: Fact, table: WordTable) -> bool:
    return table[thing.word].name in fact.words


def _details(fact: Fact, thing: Thing) -> Iterator[EyesVerdict]:
    if fact.count is not None:
        yield EyesVerdict("count of one" if fact.count == 1 else "count of several", fact.count == thing.count)  # fmt: skip
    if fact.colour is not None:
        said = None if thing.colour is None else COLOURS[thing.colour]
        yield EyesVerdict("colour", said == fact.colour)
    if fact.movement is not None:
        said = STILL if thing.movement is None else MOVEMENTS[thing.movement]
        kind = "stays still" if fact.movement == STILL else "direction"
        yield EyesVerdict(kind, said == fact.movement)
    if fact.place is not None:
        near = product(*((at - _MARGIN, at, at + _MARGIN) for at in fact.place))
        yield EyesVerdict("place", place_of(thing) in {place_of(replace(thing, x=x, y=y)) for x, y in near})  # fmt: skip
