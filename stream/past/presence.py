"""When each thing was there: from what single clips say to stretches, over blinks, without slips.

How sure one clip alone must be of a thing grows with the clips that are looked through.
Eyes make mistakes at some rate, and who looks through thousands of clips for one thing meets a clip that
was taken for it (the look-elsewhere effect, https://en.wikipedia.org/wiki/Look-elsewhere_effect). Measured on 512
clips of patterns in which nothing was, and on 152 drawings that were there for one frame of a clip
(docs/experiments.md, 2026-11-28): of any one drawing 3 clips in 10,000 show it by mistake with a sureness
from 0.5 to 0.8, and a twelfth of that from 0.8 on; that falls with the odds somewhat faster than their
first power and slower than their square. So the odds that are asked for grow with the square root of the
clips. As many half show it by mistake (below 0.5), and so were 4 in 100 of the drawings that were there.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from model.vision.things import SURE, Thing

_MISSES = 2
"""Clips in a row that may miss a thing which was there before and after: eyes blink."""
_PAUSE = 60.0
"""Seconds without a clip, after which nothing goes on."""
_NO_SLIP = 0.8
"""How sure a single clip must be of a thing that its neighbours do not show."""
_EVEN = 70
"""Clips among which one that shows a thing no surer than 0.5 to 0.8 is right six times in seven."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one remembered clip shows.

    Attributes:
        start: Media time of its first frame.
        end: Media time of its last frame.
        things: The main thing first.
        frames: That were seen in it; 0 is not known.
    """

    start: float
    end: float
    things: tuple[Thing, ...]
    frames: int = 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring clips in which a thing was there, by their places in the list of clips.

    Attributes:
        first: The first of them.
        last: The last of them.
    """

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one thing in a time.

    Attributes:
        word: Number of its word.
        first: Media second where it was first seen.
        last: Media second until which it was seen last.
        seconds: How long it was there in all.
        times: How often it came.
        most: How many there were at once, at most; 5 is more than four.
    """

    word: int
    first: float
    last: float
    seconds: float
    times: int
    most: int


def presence(clips: Sequence[Shown]) -> dict[int, list[Stretch]]:
    """Return by word when each thing that is plainly seen was there, oldest first."""
    places: dict[int, dict[int, float]] = defaultdict(dict)
    for place, clip in enumerate(clips):
        for thing in clip.things:
            if thing.sure >= SURE:
                before = places[thing.word].get(place, 0.0)
                places[thing.word][place] = max(before, thing.sure)
    found = {word: _stretches(clips, sure) for word, sure in places.items()}
    return {word: stretches for word, stretches in found.items() if stretches}


def seen(clips: Sequence[Shown]) -> list[Seen]:
    """Return what was seen, the longest there first."""
    found = []
    for word, stretches in presence(clips).items():
        spans = [(clips[s.first].start, clips[s.last].end) for s in stretches]
        within = (clip for s in stretches for clip in clips[s.first : s.last + 1])
        most = max(t.count for c in within for t in c.things if t.word == word and t.sure >= SURE)
        seconds = sum(end - start for start, end in spans)
        found.append(Seen(word, spans[0][0], spans[-1][1], seconds, len(spans), most))
    return sorted(found, key=lambda one: (-one.seconds, one.first, one.word))


def mostly(numbers: Iterable[int]) -> int:
    """Return what most of `numbers` are, of ties the largest."""
    return max(Counter(numbers).items(), key=lambda pair: (pair[1], pair[0]))[0]


def clear_colour(things: Sequence[Thing]) -> int | None:
    """Return the number of the colour that more than half of `things`, not none, agree on; else None."""
    colour, count = Counter(thing.colour for thing in things).most_common(1)[0]
    return colour if 2 * count > len(things) else None


def parted(before: Shown, after: Shown) -> bool:
    """Say whether so much time lies between two neighbouring clips that nothing goes on over it."""
    return after.start - before.end > _PAUSE


def _stretches(clips: Sequence[Shown], sure: dict[int, float]) -> list[Stretch]:
    found: list[Stretch] = []
    for place in sure:
        last = found[-1].last if found else -_MISSES - 2
        near = place - last <= _MISSES + 1
        if near and not any(parted(clips[n], clips[n + 1]) for n in range(last, place)):
            found[-1] = Stretch(found[-1].first, place)
        else:
            found.append(Stretch(place, place))
    alone = len(clips) == 1
    return [s for s in found if s.last > s.first or alone or sure[s.first] >= _NO_SLIP]


def sure_enough(clips: int) -> float:
    """Return how sure the only one of `clips` that shows a thing must be of it."""
    odds = math.sqrt(clips / _EVEN)
    return max(SURE, odds / (1 + odds))


def without_glimpses(history: Sequence[Shown], frames: int | None = None) -> list[Shown]:
    """Return `history` without what is plain in one clip of it alone, and there by a slip of the eye.

    Of a block nobody can say any more how many of its clips saw a thing: it is left as it is.

    Args:
        history: Oldest first; blocks of folded clips may be among them.
        frames: That a clip has which is not folded; None takes all as clips.
    """
    there = {
        word: {place for s in stretches for place in range(s.first, s.last + 1)}
        for word, stretches in presence(history).items()
    }

    def steady(place: int, clip: Shown) -> Shown:
        if frames is not None and clip.frames > frames:
            return clip
        kept = (t for t in clip.things if t.sure < SURE or place in there.get(t.word, ()))
        return replace(clip, things=tuple(kept))

    return [steady(place, clip) for place, clip in enumerate(history)]
