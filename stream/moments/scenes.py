"""What happened, in order: neighbouring clips with the same main things are one scene.

    clips --presence--> which things were there in each --> scenes --joined until few enough--> scenes

By rules over the things of clips, no language model: the same clips always make the same scenes. Where
there are more scenes than wanted, those two neighbours are joined again and again that lose least by
it: alike ones, and short ones.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from model.vision.things import SURE, Thing
from model.vision.vocabulary import WordTable, in_words
from stream.past.presence import Shown, clear_colour, mostly, parted, presence

_MAIN = 3
"""Things of a clip that make a scene, the main ones."""
_NAMED = 4
"""Things of a scene that are named."""
_SHARE = 0.15
"""Share of a scene's clips in which a thing has to be, to be named."""
_OVER_A_PAUSE = 4.0
"""What joining over a pause costs beside joining without: it is done last."""


@dataclass(frozen=True, slots=True)
class InScene:
    """A thing of a scene.

    Attributes:
        word: Number of its word.
        share: Of the scene's clips that show it.
        count: How many there mostly are; 5 is more than four.
        colour: Number of the colour that most clips agree on, or None.
    """

    word: int
    share: float
    count: int
    colour: int | None


@dataclass(frozen=True, slots=True)
class Scene:
    """Neighbouring clips that show much the same.

    Attributes:
        start: First media second.
        end: Last media second.
        clips: How many they are.
        best: The clip that shows most of it: its picture stands for the scene.
        things: What was there, what was there longest first.
        came: Words of things that the scene before had not.
        left: Words of things that only the scene before had.
    """

    start: float
    end: float
    clips: int
    best: Shown
    things: tuple[InScene, ...]
    came: tuple[int, ...] = ()
    left: tuple[int, ...] = ()


@dataclass(slots=True)
class _Run:
    """Clips `first` to `last`, and in how many of them each word is."""

    first: int
    last: int
    words: Counter[int]

    @property
    def clips(self) -> int:
        return self.last - self.first + 1


def scenes(clips: Sequence[Shown], most: int) -> list[Scene]:
    """Return what happened in `clips` as at most `most` scenes, oldest first."""
    found: list[Scene] = []
    for run in _joined(_runs(clips), clips, most):
        named = _things(run, clips)
        now = {thing.word for thing in named}
        before = {thing.word for thing in found[-1].things} if found else now
        found.append(
            Scene(
                clips[run.first].start,
                clips[run.last].end,
                run.clips,
                _best(clips[run.first : run.last + 1], now),
                named,
                tuple(thing.word for thing in named if thing.word not in before),
                tuple(t.word for t in found[-1].things if t.word not in now) if found else (),
            )
        )
    return found


def describe_things(things: Iterable[InScene], table: WordTable) -> str:
    """Say what a scene shows, such as "two red cars and a person"."""
    said = [in_words(table[t.word], t.count, t.colour) for t in things]
    if not said:
        return "nothing that I have a word for"
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _runs(clips: Sequence[Shown]) -> list[_Run]:
    """Return the longest runs of clips with the same main things."""
    there: list[set[int]] = [set() for _ in clips]
    for word, stretches in presence(clips).items():
        for stretch in stretches:
            for place in range(stretch.first, stretch.last + 1):
                there[place].add(word)
    runs: list[_Run] = []
    for place, clip in enumerate(clips):
        shown = [thing.word for thing in clip.things if thing.word in there[place]]
        # What is there in a blink comes behind what the clip shows itself.
        main = set(list(dict.fromkeys([*shown, *sorted(there[place])]))[:_MAIN])
        before = runs[-1] if runs else None
        if before and set(before.words) == main and not parted(clips[place - 1], clip):
            before.last = place
            before.words.update(main)
        else:
            runs.append(_Run(place, place, Counter(main)))
    return runs


def _joined(runs: list[_Run], clips: Sequence[Shown], most: int) -> list[_Run]:
    """Return `runs` with neighbours joined until there are `most`, those first that lose least."""
    after = {n: n + 1 for n in range(len(runs) - 1)}
    before = {n + 1: n for n in range(len(runs) - 1)}
    alive: dict[int, _Run] = dict(enumerate(runs))
    # A cost counts while both runs are as they were: their clips say so.
    heap = [_cost(n, n + 1, alive, clips) for n in range(len(runs) - 1)]
    heapq.heapify(heap)
    while len(alive) > most and heap:
        _, one, other, size = heapq.heappop(heap)
        if after.get(one) != other or alive[one].clips + alive[other].clips != size:
            continue
        gone = alive.pop(other)
        alive[one] = _Run(alive[one].first, gone.last, alive[one].words + gone.words)
        after.pop(one)
        if (behind := after.pop(other, None)) is not None:
            after[one], before[behind] = behind, one
            heapq.heappush(heap, _cost(one, behind, alive, clips))
        if (ahead := before.get(one)) is not None:
            heapq.heappush(heap, _cost(ahead, one, alive, clips))
    return [alive[n] for n in sorted(alive)]


def _cost(
    one: int, other: int, alive: dict[int, _Run], clips: Sequence[Shown]
) -> tuple[float, int, int, int]:
    """Return what joining two neighbours loses, with which they are and how many clips they have."""
    a, b = alive[one], alive[other]
    words = a.words.keys() | b.words.keys()
    shares = [(a.words[w] / a.clips, b.words[w] / b.clips) for w in words]
    unlike = sum(abs(x - y) for x, y in shares) / max(sum(max(pair) for pair in shares), 1e-9)
    # Clips that lose: of a short run among many nearly all its own; of runs alike in length half of both.
    loss = (unlike + 0.01) * a.clips * b.clips / (a.clips + b.clips)
    if parted(clips[a.last], clips[b.first]):
        loss = (loss + 1.0) * _OVER_A_PAUSE
    return loss, one, other, a.clips + b.clips


def _things(run: _Run, clips: Sequence[Shown]) -> tuple[InScene, ...]:
    """Return the things that a scene is told by: those there longest, then main ones, then as they came."""
    shown: dict[int, list[Thing]] = {word: [] for word in run.words}
    ranks = Counter[int]()
    came: dict[int, int] = {}
    for place, clip in enumerate(clips[run.first : run.last + 1]):
        for rank, thing in enumerate(clip.things):
            if thing.word in shown and thing.sure >= SURE:
                shown[thing.word].append(thing)
                came.setdefault(thing.word, place)
                ranks[thing.word] += rank
    named = [
        InScene(
            word, run.words[word] / run.clips, mostly(t.count for t in things), clear_colour(things)
        )
        for word, things in shown.items()
        if things and run.words[word] >= _SHARE * run.clips
    ]
    named.sort(
        key=lambda n: (-round(4 * n.share), ranks[n.word] / len(shown[n.word]), came[n.word])
    )
    return tuple(named[:_NAMED])


def _best(clips: Sequence[Shown], words: set[int]) -> Shown:
    """Return the clip that shows most of `words`, and most surely; of like ones that in the middle."""
    middle = len(clips) // 2
    best = max(
        range(len(clips)),
        key=lambda n: (
            round(sum(t.sure for t in clips[n].things if t.word in words), 1),
            -abs(n - middle),
        ),
    )
    return clips[best]
