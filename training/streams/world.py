"""Made-up streams: what happens, what the image networks would say of it, and what can be asked.

Not one pixel is drawn. A stream is a row of scenes, each with a few things; every clip of a scene
is what an imperfect eye reports of it: some things are missed, some are taken for a likeness, some
that are not there are half believed, counts and colours are now and then wrong. So reading can be
taught for hours of stream in seconds, and nothing in it depends on the look of photographs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.vision.things import Thing
from model.vision.vocabulary import COLOURS, WordTable


@dataclass(frozen=True, slots=True)
class WorldScene:
    """What is shown for a while.

    Attributes:
        things: What is truly there, the main thing first.
        clips: Numbers of the stream's clips that show it.
        start: When it begins, in whole seconds as the marker of its first clip says.
    """

    things: tuple[Thing, ...]
    clips: range
    start: int


@dataclass(frozen=True, slots=True)
class WorldStream:
    """What a stream has shown.

    Attributes:
        scenes: In order of time.
        seen: What is reported of every clip, surest first.
        starts: Media time of each clip's first frame, in seconds.
        ends: Media time of each clip's last frame.
        finished: Whether it is a film that was watched to its end.
    """

    scenes: tuple[WorldScene, ...]
    seen: tuple[tuple[Thing, ...], ...]
    starts: tuple[float, ...]
    ends: tuple[float, ...]
    finished: bool


@dataclass(frozen=True, slots=True)
class Mix:
    """How streams are made.

    Attributes:
        longest: Most clips of a stream.
        single: Share of streams of one scene.
        scenes: Most scenes.
        few: Share of scenes with one thing alone.
        cuts: Whether a clip may end early because its scene does, so that clips begin at uneven times.
        folded: Share of streams whose older clips are folded.
        again: Share of scenes that show again what an earlier one showed.
    """

    longest: int = 16
    single: float = 0.35
    scenes: int = 5
    few: float = 0.55
    cuts: bool = False
    folded: float = 0.0
    again: float = 0.0


class World:
    """Makes streams.

    Args:
        table: The words.
        likeness: For every word, the words that it is most easily taken for.
    """

    def __init__(self, table: WordTable, likeness: Sequence[Sequence[int]]) -> None:
        self.table, self._likeness = table, likeness
        weights = np.array([self._weight(n) for n in range(len(table))], dtype=np.float64)
        self._up_to = np.cumsum(weights / weights.sum())
        self.shapes = frozenset(n for n, w in enumerate(table.words) if "shape" in w.broader)
        self._creatures = frozenset(
            n for n, w in enumerate(table.words)
            if {"animal", "vehicle", "shape"} & set(w.broader) or w.name in {"person", "ball"}
        )  # fmt: skip

    def stream(self, random: np.random.Generator, mix: Mix) -> WorldStream:
        """Return a stream."""
        count = 1 if random.random() < mix.single else int(random.integers(2, mix.scenes + 1))
        lengths = self._lengths(random, count, mix.longest)
        starts, ends, finished = self._times(random, lengths, cuts=mix.cuts)
        scenes, seen, at = list[WorldScene](), list[tuple[Thing, ...]](), 0
        before: tuple[Thing, ...] = ()
        for length in lengths:
            things = self._things(random, mix, before)
            if mix.again and len(scenes) > 1 and random.random() < mix.again:
                things = scenes[int(random.integers(len(scenes) - 1))].things
            clips = range(at, at + length)
            scenes.append(WorldScene(things, clips, round(starts[at])))
            seen += [self.report(random, things) for _ in clips]
            before, at = things, at + length
        return WorldStream(tuple(scenes), tuple(seen), starts, ends, finished)

    def word(self, random: np.random.Generator) -> int:
        """Return a word, the everyday ones more often."""
        return int(np.searchsorted(self._up_to[:-1], random.random(), side="right"))

    def like(self, random: np.random.Generator, word: int) -> int:
        """Return a word that `word` may be taken for."""
        return (
            int(random.choice(self._likeness[word])) if self._likeness[word] else self.word(random)
        )

    def things(self, random: np.random.Generator, mix: Mix) -> tuple[Thing, ...]:
        """Return the things of a scene, the main thing first; now and then there are none."""
        return self._things(random, mix, ())

    def _weight(self, number: int) -> float:
        word = self.table[number]
        return (
            1.0 + 5.0 * bool(word.coco) + 2.0 * bool(word.drawings) + 12.0 * (word.name == "person")
        )

    @staticmethod
    def _lengths(random: np.random.Generator, count: int, longest: int) -> list[int]:
        total = int(random.integers(count, max(longest, count) + 1))
        if random.random() < 0.3:
            return [max(1, total // count)] * count
        if count == 1:
            return [total]
        cuts = np.sort(random.choice(np.arange(1, total), size=count - 1, replace=False))
        return [int(n) for n in np.diff([0, *cuts, total])]

    @staticmethod
    def _times(
        random: np.random.Generator, lengths: Sequence[int], *, cuts: bool
    ) -> tuple[tuple[float, ...], tuple[float, ...], bool]:
        finished = bool(random.random() < 0.5)
        if finished:  # a film is looked at in equal steps from its beginning to its end
            period = float(np.exp(random.uniform(np.log(0.3), np.log(12.0))))
            first = 0.0
        else:
            period = 4.0 if random.random() < 0.7 else float(random.choice([0.4, 1.0, 2.0, 8.0]))
            first = 0.0 if random.random() < 0.5 else float(random.integers(1, 400)) * period
        if not cuts:
            starts = tuple(first + period * n for n in range(sum(lengths)))
            return starts, tuple(at + 0.75 * period for at in starts), finished
        begun, ended = [], []
        for length in lengths:
            shown = [period] * (length - 1) + [
                period * float(random.choice([0.25, 0.5, 0.75, 1.0]))
            ]
            for long in shown:
                begun.append(first)
                ended.append(first + (long - 0.25 * period))
                first += long
        return tuple(begun), tuple(ended), finished

    def _things(
        self, random: np.random.Generator, mix: Mix, before: tuple[Thing, ...]
    ) -> tuple[Thing, ...]:
        if before and random.random() < 0.08:
            return ()  # nothing that has a name
        count = 1 if random.random() < mix.few else int(random.integers(2, 5))
        things: list[Thing] = []
        if len(before) > 1 and random.random() < 0.25:  # something stays while the rest changes
            things.append(before[int(random.integers(len(before)))])
        while len(things) < count:
            word = self.word(random)
            if all(word != t.word for t in things) and not (
                not things and before and word == before[0].word
            ):
                things.append(self.thing(random, word))
        return tuple(things)

    def thing(self, random: np.random.Generator, word: int) -> Thing:
        """Return a thing of that name, with whatever else is to be said of it."""
        kinds = [k for k in self.table[word].kinds if self.table.kinds[k]]
        several = (
            word not in self.shapes
            and self.table[word].plural != self.table[word].name
            and random.random() < 0.25
        )
        moves = word in self._creatures and random.random() < 0.4
        coloured = word in self.shapes or random.random() < 0.35
        palette = 9 if word in self.shapes else len(COLOURS)
        size = random.uniform(0.15, 0.9)
        return Thing(
            word,
            sure=1.0,
            kind=int(random.choice(kinds)) if kinds and random.random() < 0.6 else None,
            count=int(random.choice([2, 3, 4, 5], p=[0.45, 0.25, 0.15, 0.15])) if several else 1,
            colour=int(random.integers(palette)) if coloured else None,
            movement=int(random.integers(4)) if moves else None,
            x=float(random.uniform(0.1, 0.9)),
            y=float(random.uniform(0.1, 0.9)),
            width=size,
            height=size,
        )

    def report(self, random: np.random.Generator, truth: tuple[Thing, ...]) -> tuple[Thing, ...]:
        """Return what an imperfect eye says of a clip that shows `truth`."""
        said = []
        for number, thing in enumerate(truth):
            if random.random() < (0.03 if number == 0 else 0.2):
                continue
            said.append(self._blurred(random, thing, main=number == 0))
        while random.random() < 0.25 and len(said) < 5:  # half believed, and not there
            word = (
                self.like(random, truth[0].word)
                if truth and random.random() < 0.5
                else self.word(random)
            )
            if all(word != t.word for t in (*said, *truth)):
                said.append(replace(self.thing(random, word), sure=0.3, movement=None, count=1))
        if len(said) > 1 and random.random() < 0.1:
            said[0], said[1] = said[1], said[0]
        plainly = [t for t in said if t.sure >= 0.5]
        return (*plainly, *(t for t in said if t.sure < 0.5))

    def _blurred(self, random: np.random.Generator, thing: Thing, *, main: bool) -> Thing:
        word, sure, kind = thing.word, 1.0, thing.kind
        if random.random() < 0.02:
            word, kind = self.like(random, word), None
        if random.random() < 0.08:
            sure, kind = 0.3, None
        if kind is not None and random.random() < 0.3:
            kinds = [k for k in self.table[word].kinds if self.table.kinds[k]]
            kind = None if random.random() < 0.6 else int(random.choice(kinds))
        count = thing.count
        if count > 1 and random.random() < 0.15:
            count = max(1, min(5, count + int(random.choice([-1, 1]))))
        return replace(
            thing, word=word, sure=sure, kind=kind if main else None, count=count,
            colour=thing.colour if random.random() > 0.1 else None,
            movement=thing.movement if random.random() > 0.12 else None,
            x=float(np.clip(thing.x + random.normal(0, 0.02), 0, 1)),
            y=float(np.clip(thing.y + random.normal(0, 0.02), 0, 1)),
        )  # fmt: skip
