"""What the clips of each scene of a made-up stream say together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.vision.changes import Change, follow, in_words
from model.vision.things import SURE, Thing
from model.vision.vocabulary import WordTable
from training.streams.world import WorldScene, WorldStream


@dataclass(frozen=True, slots=True)
class SceneTold:
    """What the clips of a scene say together.

    Attributes:
        scene: The scene.
        sure: Things that most of them say plainly.
        unsure: Things that they half believe.
        start: When the scene begins, in whole seconds.
        end: When the next begins, or the stream has ended.
    """

    scene: WorldScene
    sure: tuple[Thing, ...]
    unsure: tuple[Thing, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ToldChange:
    """Something new, as the marker of its clip tells of it.

    Attributes:
        things: What is new, the main thing first.
        begins: Whether a scene begins.
        start: Of its clip, in whole seconds.
    """

    things: tuple[Thing, ...]
    begins: bool
    start: int


def changes(stream: WorldStream) -> list[Change | None]:
    """Return what is new in every clip of `stream`."""
    found, scene = list[Change | None](), None
    for things in stream.seen:
        change, scene = follow(scene, things)
        found.append(change)
    return found


def notes(stream: WorldStream, table: WordTable) -> list[str]:
    """Return what the marker of every clip of `stream` says of what is new in it."""
    return [in_words(change, table) if change else "" for change in changes(stream)]


def changes_of(stream: WorldStream) -> list[ToldChange]:
    """Return what is told of as new in a stream."""
    found = changes(stream)
    first = next((n for n, change in enumerate(found) if change), 0)
    return [
        ToldChange(change.things, bool(change.before) or number == first, round(start))
        for number, (change, start) in enumerate(zip(found, stream.starts, strict=True))
        if change
    ]


def told(stream: WorldStream) -> list[SceneTold]:
    """Return what is said of every scene."""
    ends = [*(scene.start for scene in stream.scenes[1:]), round(stream.ends[-1])]
    return [
        _told(scene, [stream.seen[n] for n in scene.clips], end)
        for scene, end in zip(stream.scenes, ends, strict=True)
    ]


def _told(scene: WorldScene, reports: Sequence[Sequence[Thing]], end: int) -> SceneTold:
    by_word: dict[int, list[Thing]] = {}
    for thing in (thing for report in reports for thing in report):
        by_word.setdefault(thing.word, []).append(thing)
    sure, unsure = [], []
    for same in by_word.values():
        plain = [t for t in same if t.sure >= SURE]
        if 3 * len(plain) >= len(reports):
            sure.append((len(plain), _common(plain)))
        elif 2 * len(same) >= len(reports):
            unsure.append((len(same), _common(same)))
    order = {thing.word: n for n, thing in enumerate(scene.things)}
    sure.sort(key=lambda pair: (order.get(pair[1].word, 9), -pair[0]))
    return SceneTold(
        scene, tuple(t for _, t in sure), tuple(t for _, t in unsure), scene.start, end
    )


def _common(same: Sequence[Thing]) -> Thing:
    """Return one thing with what most of `same` say of it."""

    def most(values: Sequence[int | None]) -> int | None:
        known = [v for v in values if v is not None]
        if 2 * len(known) < len(values):
            return None
        return Counter(known).most_common(1)[0][0]

    count = most([t.count for t in same]) or 1
    return replace(
        same[-1], kind=most([t.kind for t in same]), count=count,
        colour=most([t.colour for t in same]), movement=most([t.movement for t in same]),
    )  # fmt: skip
