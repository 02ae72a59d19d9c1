"""How things are called in questions and answers, and how these are put."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from model.vision.changes import phrase
from model.vision.things import MOVEMENTS, Thing
from model.vision.vocabulary import with_article
from training.questions import Asked
from training.streams.told import SceneTold, ToldChange
from training.streams.world import World, WorldStream

Makers = list[tuple[float, Callable[[], Iterator[Asked]]]]
"""What asks questions of one kind, each with the weight it is drawn with."""
Value = TypeVar("Value")
MOST_LISTED = 3
HYPERNYMS = ("animal", "vehicle", "fruit", "bird", "furniture", "food", "vegetable", "insect", "instrument", "building", "plant", "clothing", "tool")  # fmt: skip


class Wording:
    """What was reported of one stream, and how it is put into words.

    Args:
        world: That made the stream.
        stream: To ask about.
        scenes: What was reported of it.
        changes: When things came.
        random: Decides everything.
    """

    def __init__(
        self,
        world: World,
        stream: WorldStream,
        scenes: Sequence[SceneTold],
        changes: Sequence[ToldChange],
        random: np.random.Generator,
    ) -> None:
        self._world, self._table, self._stream, self._random = world, world.table, stream, random
        self._told = scenes
        self._changes = changes
        self._now = scenes[-1]
        self._ever = Counter(n for t in scenes for n in {thing.word for thing in t.sure})
        self._mentioned = {t.word for report in stream.seen for t in report}

    def _naming(self, scene: SceneTold) -> str:
        """Return what an answer names of a scene."""
        if scene.sure:
            return sentence(listed([self._phrase(t) for t in scene.sure[:MOST_LISTED]]))
        if scene.unsure:
            return f"I am not sure: perhaps {self._phrase(scene.unsure[0])}."
        return "Nothing that I can name."

    def _phrase(self, thing: Thing) -> str:
        """Return "a dog", "two people", "a red circle"."""
        said = phrase(thing, self._table)
        return said if thing.count > 1 else with_article(said)

    def _called(self, thing: Thing, *, broader: bool = False) -> str:
        """Return a name for `thing` in a question: mostly its word, sometimes another."""
        word, draw = self._table[thing.word], self._random.random()
        if draw < 0.14 and word.others:
            return str(self._random.choice(word.others))
        if broader and draw < 0.28 and (wide := [b for b in word.broader if b in HYPERNYMS]):
            return str(self._random.choice(wide))
        return word.name

    def _absent(self) -> str:
        """Return the name of something that was not even half believed."""
        near = [t.word for t in self._told[-1].sure] or [0]
        while True:
            hard = self._random.random() < 0.3
            word = self._world.like(self._random, int(self._random.choice(near))) if hard else self._world.word(self._random)  # fmt: skip
            entry = self._table[word]
            if word in self._mentioned or self._covers(entry.name):
                continue
            if self._random.random() < 0.08:
                wide = str(self._random.choice(HYPERNYMS))
                if not any(wide in self._table[w].broader for w in self._mentioned):
                    return wide
            if self._random.random() < 0.08 and entry.others:
                return str(self._random.choice(entry.others))
            return entry.name

    def _covers(self, name: str) -> bool:
        """Return whether something seen may rightly be called `name`."""
        return any(
            name in (*self._table[w].broader, *self._table[w].others) for w in self._mentioned
        )

    def _plural(self, name: str) -> str:
        if name in self._table.number:
            return self._table[self._table.number[name]].plural
        irregular = {"man": "men", "woman": "women", "child": "children", "people": "people", "men": "men", "women": "women", "someone": "people", "somebody": "people", "furniture": "pieces of furniture", "fruit": "fruits", "clothing": "clothes"}  # fmt: skip
        if name in irregular:
            return irregular[name]
        return f"{name[:-1]}ies" if name.endswith("y") and name[-2] not in "aeiou" else f"{name}s"

    def _the(self, thing: Thing, scene: SceneTold) -> str:
        """Return "the dog", or "it" where there is one thing alone."""
        if len(scene.sure) == 1 and thing.count == 1 and self._random.random() < 0.4:
            return "it"
        return f"the {self._called(thing)}" if thing.count == 1 else f"the {self._table[thing.word].plural}"  # fmt: skip

    def _spelled(self, thing: Thing, scene: SceneTold, field: str) -> bool:
        """Return whether captions have room for a detail: those of the first two things do."""
        rank = [t.word for t in scene.sure].index(thing.word)
        return rank == 0 if field in {"place", "kind"} else rank < 2

    def _asked(self, kind: str, question: str, answer: str) -> Asked:
        """Return a question, now and then typed in haste."""
        draw = self._random.random()
        if draw < 0.1:
            question = f"{question[0].lower()}{question[1:]}"
        if draw < 0.05 or draw > 0.97:
            question = question.rstrip("?.")
        return Asked(kind, question, answer, ())

    def _pick(self, *choices: str) -> str:
        return choices[int(self._random.integers(len(choices)))]

    def _some(self, things: Sequence[Value]) -> Value:
        return things[int(self._random.integers(len(things)))]

    def _shuffled(self, things: Sequence[Value]) -> list[Value]:
        return [things[n] for n in self._random.permutation(len(things))]

    def _came(self, word: int, scene: SceneTold) -> int:
        """Return the second at which a thing of `scene` is first told of."""
        told_of = (c.start for c in self._changes if any(t.word == word for t in c.things))
        return next(told_of, scene.start)


def towards(movement: int) -> str:
    """Return "to the left", "up"."""
    name = MOVEMENTS[movement]
    return f"to the {name}" if name in {"left", "right"} else name


def listed(phrases: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    if len(phrases) < 2:
        return phrases[0]
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def sentence(text: str) -> str:
    """Return `text` with a capital and a full stop."""
    return f"{text[0].upper()}{text[1:]}."
