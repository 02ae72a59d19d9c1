"""What is new in a clip, in words that stand before it: how `lite` keeps order and time.

A small language model finds a name in a long history well, and hardly what stood one scene before it.
So where a scene begins its first clip's time marker says so, and both directions are spelled out as
questions ask for them:

    dog at 0s:  clip  4s:  clip  before car: dog, after dog: car at 9s:  clip  wheel at 13s:  clip

All of it follows from the clips up to there, so the history stays a prompt that only grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from model.vision.things import SURE, Thing
from model.vision.vocabulary import COLOURS, COUNTS, MANY, WordTable

_NAMED = 2
"""Things that a scene is called by, or that a clip adds to one, at most."""


@dataclass(frozen=True, slots=True)
class SceneSoFar:
    """What has been shown since the scene began.

    Attributes:
        called: The things that it began with, the main thing first.
        known: Every word that a clip of it said plainly.
    """

    called: tuple[Thing, ...]
    known: frozenset[int]


@dataclass(frozen=True, slots=True)
class Change:
    """What a clip shows that the one before did not.

    Attributes:
        things: What is new, the main thing first.
        before: What the scene before was called by, where the clip begins another one.
    """

    things: tuple[Thing, ...]
    before: tuple[Thing, ...] = ()


def follow(
    scene: SceneSoFar | None, things: Sequence[Thing]
) -> tuple[Change | None, SceneSoFar | None]:
    """Return what is new in the clip after `scene`, and the scene with it.

    A clip begins a scene if its main thing was not seen in the one before, and that one's main thing
    is gone. A clip in which nothing is sure changes nothing.

    Args:
        scene: Up to the clip before; None if nothing was named yet.
        things: What the clip shows, the main thing first.
    """
    sure = [thing for thing in things if thing.sure >= SURE]
    if not sure:
        return None, scene
    words = frozenset(thing.word for thing in sure)
    if scene is None or not ({sure[0].word} & scene.known or {scene.called[0].word} & words):
        called = tuple(sure[:_NAMED])
        return Change(called, scene.called if scene else ()), SceneSoFar(called, words)
    new = tuple(thing for thing in sure if thing.word not in scene.known)[:_NAMED]
    return Change(new) if new else None, SceneSoFar(scene.called, scene.known | words)


def in_words(change: Change, table: WordTable) -> str:
    """Return what the marker of a clip says of what is new in it."""
    new = " and ".join(phrase(thing, table) for thing in change.things)
    if not change.before:
        return new
    old = " and ".join(phrase(thing, table) for thing in change.before)
    return (
        f"before {_names(change.things, table)}: {old}, after {_names(change.before, table)}: {new}"
    )


def phrase(thing: Thing, table: WordTable) -> str:
    """Return "dog", "two people", "red circle"."""
    word = table[thing.word]
    shape = thing.colour is not None and "shape" in word.broader
    colour = f"{COLOURS[thing.colour or 0]} " if shape else ""
    if thing.count > 1:
        count = COUNTS[thing.count] if thing.count < len(COUNTS) else MANY
        return f"{count} {colour}{word.plural}"
    return f"{colour}{word.name}"


def _names(things: Sequence[Thing], table: WordTable) -> str:
    return ", ".join(table[thing.word].name for thing in things)
