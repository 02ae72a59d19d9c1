"""Questions to try, from what the clips of a stream show: each has an answer in the stream.

What is shown becomes scenes, as `model.vision.changes` tells them apart. A thing is asked about if it was
seen for sure; about its time and its place among others, only if it was seen in one scene alone of all
that is remembered, and the scene beside it is known as well. What was seen more often is asked about so
that every time is right.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from model.vision.changes import SceneSoFar, follow
from model.vision.things import SURE, Thing
from model.vision.vocabulary import with_article, word_table

Kind = Literal["see", "present", "was", "when", "before", "after", "happened", "first"]

_PERHAPS = 0.2
"""From here on a clip may show a thing: that is enough to make a thing's one scene doubtful."""
_ENOUGH = 0.8
"""What the clips of the scene that is shown now must be sure of its main thing together."""
_STEADY = 1.2
"""The same of a scene that is over: one clip may have been wrong."""
_MOST = 5
"""Questions at most."""


@dataclass(slots=True)
class _SceneClips:
    """Clips in a row that belong to one scene.

    Attributes:
        main: The word of the main thing that it began with; None if nothing was sure yet.
        enough: What must be sure of it.
        sure: How sure the clips are of it together.
        perhaps: Words of everything that they may show.
        newest: Words of everything that the newest of them shows plainly.
    """

    main: int | None
    enough: float = _STEADY
    sure: float = 0.0
    perhaps: set[int] = field(default_factory=set)
    newest: set[int] = field(default_factory=set)

    @property
    def thing(self) -> int | None:
        """The main thing, if its clips are sure enough of it."""
        return self.main if self.sure >= self.enough else None

    def add(self, things: Sequence[Thing]) -> None:
        """Add the next clip."""
        self.newest = {thing.word for thing in things if thing.sure >= SURE}
        if self.newest:
            self.sure += max((t.sure for t in things if t.word == self.main), default=0.0)
        self.perhaps |= {thing.word for thing in things if thing.sure >= _PERHAPS}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question to try.

    Attributes:
        kind: What it asks for.
        text: The question in words.
        thing: What it is about; None if about no one thing.
    """

    kind: Kind
    text: str
    thing: str | None = None


_SEE = Suggestion("see", "What do you see?")
GENERAL = (
    _SEE,
    Suggestion("happened", "What has happened?"),
    Suggestion("first", "What came first?"),
)
"""For models that have no words of their own."""


def suggest(clips: Iterable[Sequence[Thing]]) -> tuple[Suggestion, ...]:
    """Return questions that a stream has answers to; those about newer things first.

    Args:
        clips: What each clip of the stream shows, see `Engine.things`; the oldest first.
    """
    scenes = _scenes_of(clips)
    if not scenes:
        return (_SEE,)
    now, past = scenes[-1], scenes[:-1]
    found = [_SEE]
    if now.thing is not None and now.thing in now.newest:
        found.append(_about("present", "Is there {a_thing}?", now.thing))
    alone = [n for n, scene in enumerate(scenes) if _is_alone(scene, scenes)]
    when = [scenes[n].thing for n in alone if n < len(past)]
    before = [scenes[n].thing for n in alone if n > 0 and scenes[n - 1].thing is not None]
    after = [scenes[n].thing for n in alone if n < len(past) and scenes[n + 1].thing is not None]
    asked: set[int] = set()
    templates: tuple[tuple[Kind, Sequence[int | None], str], ...] = (
        ("before", before, "What came before the {thing}?"),
        ("when", when, "When was the {thing} shown?"),
        ("after", after, "What came after the {thing}?"),
    )
    for kind, things, words in templates:
        thing = _choose(things, asked)
        if thing is not None:
            asked.add(thing)
            found.append(_about(kind, words, thing))
    gone = [s.thing for s in reversed(past) if s.thing not in now.perhaps | asked]
    found.extend(
        _about("was", "Was there {a_thing}?", thing)
        for thing in dict.fromkeys(gone)
        if thing is not None
    )
    return tuple(found[:_MOST])


def _about(kind: Kind, words: str, thing: int) -> Suggestion:
    name = word_table()[thing].name
    return Suggestion(kind, words.format(thing=name, a_thing=with_article(name)), name)


def _scenes_of(clips: Iterable[Sequence[Thing]]) -> list[_SceneClips]:
    """Return the scenes that `clips` make up, oldest first."""
    scenes: list[_SceneClips] = []
    scene: SceneSoFar | None = None
    for things in clips:
        nothing_yet = scene is None
        change, scene = follow(scene, things)
        if change is not None and (nothing_yet or change.before):
            scenes.append(_SceneClips(change.things[0].word))
        elif not scenes:
            scenes.append(_SceneClips(None))
        scenes[-1].add(things)
    if scenes:
        scenes[-1].enough = _ENOUGH
    return scenes


def _is_alone(scene: _SceneClips, scenes: Sequence[_SceneClips]) -> bool:
    """Say whether the thing of `scene` is known, and in no other scene."""
    return scene.thing is not None and sum(scene.thing in s.perhaps for s in scenes) == 1


def _choose(things: Sequence[int | None], asked: set[int]) -> int | None:
    """Return the newest that is not asked about yet, else the newest."""
    fresh = [thing for thing in things if thing not in asked]
    return (fresh or things or [None])[-1]
