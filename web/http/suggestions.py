"""Questions to try, from what the clips of a stream show in words: each has an answer in the stream.

What is shown becomes scenes, as `model.vision.changes` tells them apart: until the main thing is another.
A thing is asked about if it was seen for sure; about its time and its place among others, only if it was
seen in one scene alone of all that is remembered, and the scene beside it is known as well. What was seen
more often is asked about so that every time is right.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from model.vision.vocabulary import with_article

Kind = Literal["see", "present", "was", "when", "before", "after", "happened", "first"]

_SURE = 0.5
"""From here on a clip shows a thing."""
_PERHAPS = 0.2
"""From here on it may: that is enough to make a thing's one scene doubtful."""
_ENOUGH = 0.8
"""What the clips of the scene that is shown now must be sure of it together."""
_STEADY = 1.2
"""The same of a scene that is over: one clip may have been wrong."""
_MOST = 5
"""Questions at most."""


@dataclass(frozen=True, slots=True)
class ClipInWords:
    """A clip as words: what it shows and how sure that is, the surest first.

    Attributes:
        start: Media second of its first frame.
        words: See `Engine.words`.
    """

    start: float
    words: Sequence[tuple[str, float]]

    @property
    def main(self) -> str | None:
        """The thing that it mainly shows, if that is sure."""
        return self.words[0][0] if self.words and self.words[0][1] >= _SURE else None

    @property
    def plain(self) -> frozenset[str]:
        """Everything that it surely shows."""
        return frozenset(word for word, weight in self.words if weight >= _SURE)

    @property
    def perhaps(self) -> frozenset[str]:
        """Everything that it may show."""
        return frozenset(word for word, weight in self.words if weight >= _PERHAPS)


@dataclass(slots=True)
class _Scene:
    """Clips in a row that belong together.

    Attributes:
        main: Their main thing; None if that is not known.
        enough: What must be sure of it.
        sure: How sure the clips are of it together.
        known: Everything that they show plainly.
        perhaps: Everything that they may show.
    """

    main: str | None
    enough: float = _STEADY
    sure: float = 0.0
    known: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)

    @property
    def thing(self) -> str | None:
        """The main thing, if its clips are sure enough of it."""
        return self.main if self.sure >= self.enough else None

    def goes_on(self, clip: ClipInWords) -> bool:
        """Say whether `clip` belongs to it as well."""
        if clip.main is None or self.main is None:
            return clip.main == self.main
        return clip.main in self.known or self.main in clip.plain

    def add(self, clip: ClipInWords) -> None:
        """Add the next clip."""
        self.sure += dict(clip.words).get(self.main or "", 0.0) if clip.main else 0.0
        self.known |= clip.plain
        self.perhaps |= clip.perhaps


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


def suggest(clips: Sequence[ClipInWords]) -> tuple[Suggestion, ...]:
    """Return questions that `clips` of a stream, oldest first, have answers to; newest things first."""
    scenes = _scenes_of(clips)
    if not scenes:
        return (_SEE,)
    now, past = scenes[-1], scenes[:-1]
    found = [_SEE]
    if now.thing is not None:
        found.append(Suggestion("present", f"Is there {with_article(now.thing)}?", now.thing))
    alone = [n for n, scene in enumerate(scenes) if _is_alone(scene, scenes)]
    when = [scenes[n].thing for n in alone if n < len(past)]
    before = [scenes[n].thing for n in alone if n > 0 and scenes[n - 1].thing is not None]
    after = [scenes[n].thing for n in alone if n < len(past) and scenes[n + 1].thing is not None]
    asked: set[str] = set()
    templates: tuple[tuple[Kind, Sequence[str | None], str], ...] = (
        ("before", before, "What came before the {}?"),
        ("when", when, "When was the {} shown?"),
        ("after", after, "What came after the {}?"),
    )
    for kind, things, words in templates:
        if thing := _choose(things, asked):
            asked.add(thing)
            found.append(Suggestion(kind, words.format(thing), thing))
    gone = [s.thing for s in reversed(past) if s.thing and s.thing not in now.perhaps | asked]
    found.extend(
        Suggestion("was", f"Was there {with_article(thing)}?", thing)
        for thing in dict.fromkeys(gone)
    )
    return tuple(found[:_MOST])


def _scenes_of(clips: Iterable[ClipInWords]) -> list[_Scene]:
    """Return the scenes that `clips` make up, oldest first."""
    scenes: list[_Scene] = []
    for clip in clips:
        if not (scenes and scenes[-1].goes_on(clip)):
            scenes.append(_Scene(clip.main))
        scenes[-1].add(clip)
    if scenes:
        scenes[-1].enough = _ENOUGH
    return scenes


def _is_alone(scene: _Scene, scenes: Sequence[_Scene]) -> bool:
    """Say whether the thing of `scene` is known, and in no other scene."""
    return scene.thing is not None and sum(scene.thing in s.perhaps for s in scenes) == 1


def _choose(things: Sequence[str | None], asked: set[str]) -> str | None:
    """Return the newest that is not asked about yet, else the newest."""
    fresh = [thing for thing in things if thing not in asked]
    return (fresh or things or [None])[-1]
