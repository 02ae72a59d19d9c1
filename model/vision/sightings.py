"""From what several networks say of a clip's frames to its things.

Each network is sure of something else: the classifier of the one thing that a picture is about, the
detector of how many and where, the heads on our own encoder of drawings and of movement. Rules put
them together; none was fitted to films that anything is judged by.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from statistics import median, median_high

from model.vision.things import Thing
from model.vision.vocabulary import WordTable
from model.vision.whereabouts import Whereabouts

_PLAIN = 0.42
"""A detector's score from which on a thing is said plainly; COCO detectors are right about three
times in four there."""
HALF = 0.25
"""The score from which on it is said with a perhaps."""
COUNTED = 0.3
_ABOUT = 0.5
"""A classifier's share from which on a picture is about a thing."""
_PERHAPS_ABOUT = 0.3
_SURELY_ABOUT = 0.7
"""A classifier's share from which on what the detector does not find comes before all that it does."""
_OVERLAP_SAME, _OVERLAP_RIVAL = 0.7, 0.5
_MOVES = 0.02
"""Shares of the frame a second, from which on something moves; less is the camera's tremble."""
_MOVES_AT_LEAST = 0.015
"""Shares of the frame within a clip that it must have moved as well."""
_WHOLE = 0.9
"""Of the frame's width and height: what a thing takes that a whole picture is about."""
_MOST = 8

_Box = tuple[float, float, float, float]
"""Left, top, right and bottom, 0 to 1."""


@dataclass(frozen=True, slots=True)
class FrameDetection:
    """A detection in one frame.

    Attributes:
        word: Its word.
        score: How sure, 0 to 1.
        box: Where.
        colour: Number of its colour, if it has a clear one.
    """

    word: int
    score: float
    box: _Box
    colour: int | None = None


def things_of(
    frames: Sequence[Sequence[FrameDetection]],
    about: Mapping[int, float],
    kinds: Mapping[int, int],
    where: Mapping[int, Whereabouts],
    seconds: float,
    table: WordTable,
) -> list[Thing]:
    """Return what a clip shows, the main thing first.

    Args:
        frames: What was detected in each frame.
        about: Words that the classifier says the clip is about, with their shares.
        kinds: The kind of such a word, where that is clear.
        where: Where the classifier sees such a word's thing, where that is clear.
        seconds: From the first frame to the last.
        table: The words.
    """
    found = _tracked(frames, seconds)
    alone = _add_named(found, about, kinds, table)

    def weight(thing: Thing) -> float:
        if thing.word in alone and thing.sure < _SURELY_ABOUT:
            return _weight(placed(thing))
        return _weight(thing)

    def placed(thing: Thing) -> Thing:
        spot = where.get(thing.word) if thing.word in alone else None
        return replace(thing, **asdict(spot)) if spot else thing

    ranked = sorted(found.values(), key=weight, reverse=True)
    kept: list[Thing] = []
    for thing in ranked:
        if not any(_rivals(thing, other) for other in kept):
            kept.append(thing)
    plain = [placed(t) for t in kept if t.sure >= 0.5]
    half = [placed(t) for t in kept if t.sure < 0.5][:2]
    return [*plain, *half][:_MOST]


def _add_named(
    found: dict[int, Thing], about: Mapping[int, float], kinds: Mapping[int, int], table: WordTable
) -> set[int]:
    """Put what the classifier says into `found`; return the words of what it alone has seen."""
    alone = set()
    for word, share in about.items():
        if share < _PERHAPS_ABOUT:
            continue
        seen = found.pop(word, None) or found.pop(_narrower(found, word, table), None)
        sure = share if share >= _ABOUT else 0.3
        if seen is not None:
            found[word] = replace(seen, word=word, sure=1 - (1 - seen.sure) * (1 - sure))
        else:
            alone.add(word)
            found[word] = Thing(word, sure, width=_WHOLE, height=_WHOLE)
        if word in kinds:
            found[word] = replace(found[word], kind=kinds[word])
    return alone


def _weight(thing: Thing) -> float:
    return float(min(thing.sure, 1.0) * (0.35 + (thing.width * thing.height) ** 0.5))


def _narrower(found: Mapping[int, Thing], word: int, table: WordTable) -> int:
    """Return the word that was detected for what the classifier names more exactly; -1 if none."""
    return next((w for w in found if table[w].name in table[word].broader), -1)


def _tracked(frames: Sequence[Sequence[FrameDetection]], seconds: float) -> dict[int, Thing]:
    by_word: dict[int, list[list[FrameDetection]]] = defaultdict(lambda: [[] for _ in frames])
    for number, frame in enumerate(frames):
        for one in frame:
            by_word[one.word][number].append(one)
    things = {}
    for word, seen in by_word.items():
        thing = _one_word(word, seen, seconds)
        if thing is not None:
            things[word] = thing
    return things


def _one_word(word: int, seen: Sequence[Sequence[FrameDetection]], seconds: float) -> Thing | None:
    """Return what is said of one word by all frames; None if it is not even half believed."""
    best = sorted((max((f.score for f in frame), default=0.0) for frame in seen), reverse=True)
    score = best[0] if len(best) == 1 else (best[0] + best[1]) / 2
    if score < HALF:
        return None
    counts = [sum(f.score >= COUNTED for f in frame) for frame in seen]
    # Of two frames that differ the one that shows more: things are overlooked more often than made up.
    count = median_high([c for c in counts if c]) if any(counts) else 1
    last = next(frame for frame in reversed(seen) if frame)
    main = max(last, key=lambda f: f.score * (0.2 + _area(f.box)))
    left, top, right, bottom = main.box
    colours = [f.colour for frame in seen for f in frame if f.colour is not None]
    clear = colours and 2 * len(colours) >= sum(map(len, seen)) and colours.count(colours[0]) == len(colours)  # fmt: skip
    return Thing(
        word,
        sure=min(1.0, 0.5 * score / _PLAIN),
        count=max(1, min(count, 5)),
        colour=colours[0] if clear else None,
        movement=_movement(seen, seconds),
        x=(left + right) / 2,
        y=(top + bottom) / 2,
        width=right - left,
        height=bottom - top,
    )


def _movement(seen: Sequence[Sequence[FrameDetection]], seconds: float) -> int | None:
    """Return which way things of one word move: most of them, by how far each has come.

    Between two neighbouring frames at least half of the things must be found again, and most of
    those must go the same way.
    """
    x = y = 0.0
    steps = 0
    for before, after in pairwise(seen):
        shifts = [s for one in before if (s := _shift(one, after)) is not None]
        if shifts and 2 * len(shifts) >= max(len(before), len(after)):
            x += median(dx for dx, _ in shifts)
            y += median(dy for _, dy in shifts)
            steps += 1
    if not steps:
        return None
    whole = steps * seconds / max(len(seen) - 1, 1)
    if max(abs(x), abs(y)) < max(_MOVES_AT_LEAST, _MOVES * whole):
        return None
    if abs(x) >= abs(y):
        return 0 if x < 0 else 1
    return 2 if y < 0 else 3


def _shift(one: FrameDetection, after: Sequence[FrameDetection]) -> tuple[float, float] | None:
    """Return how far `one` is from the nearest of its size in the next frame."""
    x, y = _middle(one.box)
    nearest, least = None, 0.35
    for other in after:
        ratio = _area(other.box) / max(_area(one.box), 1e-6)
        if not 0.5 < ratio < 2.0:
            continue
        ox, oy = _middle(other.box)
        if (far := ((ox - x) ** 2 + (oy - y) ** 2) ** 0.5) < least:
            nearest, least = (ox - x, oy - y), far
    return nearest


def _rivals(thing: Thing, other: Thing) -> bool:
    """Return whether `thing` is most likely `other` under another name."""
    limit = _OVERLAP_SAME if thing.sure >= 0.5 else _OVERLAP_RIVAL
    return _overlap(_box(thing), _box(other)) > limit


def _box(thing: Thing) -> _Box:
    half, high = thing.width / 2, thing.height / 2
    return thing.x - half, thing.y - high, thing.x + half, thing.y + high


def _overlap(one: _Box, other: _Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(wide, 0.0) * max(high, 0.0)
    return shared / max(_area(one) + _area(other) - shared, 1e-9)


def _area(box: _Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _middle(box: _Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
