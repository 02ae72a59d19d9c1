"""Shows: a few clips in a row, as a stream would bring them, with questions about them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.drawn.scenes import DrawnScene
from training.drawn.takes import Take, TakePart, see, some_take
from training.questions import Asked, ShownSegment, about_before, about_now


@dataclass(frozen=True, slots=True)
class Show:
    """What a stream has shown so far, and what can be asked about it.

    Attributes:
        takes: Its clips, oldest first.
        starts: Media time of each clip's first frame, in seconds.
        ends: Media time of each clip's last frame, in seconds.
        asked: Questions with their answers.
    """

    takes: tuple[Take, ...]
    starts: tuple[float, ...]
    ends: tuple[float, ...]
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class ShowMix:
    """How long shows are.

    Attributes:
        single: Share of shows of one segment.
        segments: Most segments a show has.
        repeats: Share of segments, in longer shows, that last two clips.
        questions: Most questions asked about a show.
        late: Share of shows that begin later than the stream.
        redrawn: How often a clip of plain shapes alone is given up for another.
    """

    single: float = 0.7
    segments: int = 4
    repeats: float = 0.15
    questions: int = 8
    late: float = 0.35
    redrawn: float = 0.5


def some_show(
    scenes: Sequence[DrawnScene], names: Sequence[str], random: np.random.Generator, mix: ShowMix
) -> Show:
    """Return a show of scenes drawn at random, with questions drawn from all that fit it.

    Args:
        scenes: To draw from.
        names: Every word there is.
        random: Decides everything.
        mix: How long.
    """
    count = 1 if random.random() < mix.single else int(random.integers(2, mix.segments + 1))
    period = 4.0 if random.random() < 0.65 else 2.0
    start = 0.0 if random.random() > mix.late else float(random.integers(1, 300)) * period
    takes: list[Take] = []
    starts: list[float] = []
    segments = []
    for _ in range(count):
        take, seen = _segment(scenes, random, mix, alone=count == 1)
        segments.append(ShownSegment(round(start), seen))
        for _ in range(2 if count > 1 and random.random() < mix.repeats else 1):
            takes.append(take)
            starts.append(start)
            start += period
    ends = tuple(at + 0.75 * period for at in starts)
    asked = _some(random, _askable(random, segments, names), mix.questions)
    return Show(tuple(takes), tuple(starts), ends, asked)


def _segment(
    scenes: Sequence[DrawnScene], random: np.random.Generator, mix: ShowMix, *, alone: bool
) -> tuple[Take, tuple[TakePart, ...]]:
    """Return something to show; in a longer show mostly single things, which can be asked about."""
    for _ in range(4):
        number = int(random.integers(len(scenes)))
        take = some_take(random, number, scenes[number])
        seen = tuple(see(scenes[number], take))
        if all(s.thing.colour for s in seen) and random.random() < mix.redrawn:
            continue
        if alone or (len(seen) == 1 and seen[0].count == 1):
            break
    return take, seen


def _askable(
    random: np.random.Generator, segments: Sequence[ShownSegment], names: Sequence[str]
) -> list[Asked]:
    now = about_now(random, segments[-1].seen, names)
    if len(segments) == 1:
        if segments[0].start == 0:
            return now
        return now + about_before(random, segments)
    # Of a longer show, mostly what only its past can tell.
    few = [now[n] for n in random.permutation(len(now))[:3]]
    return few + about_before(random, segments)


def _some(random: np.random.Generator, asked: list[Asked], most: int) -> tuple[Asked, ...]:
    """Return at most `most` questions: the main ones, and of the others some."""
    main = [a for a in asked if a.kind in {"name", "direction", "names"}][:3]
    others = [a for a in asked if a not in main]
    chosen = [others[n] for n in random.permutation(len(others))[: most - len(main)]]
    return (*main, *chosen)


def asking(show: Show, *asked: Asked) -> Show:
    """Return the same show with other questions."""
    return replace(show, asked=asked)
