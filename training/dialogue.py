"""Questions about made-up streams, with the answers that follow from what was reported of them.

An answer says no more than the clips do: of a scene it names what most of its clips name, "perhaps"
what they half believe, and of what was never reported that it has not been seen. Every yes stands
beside a no, so that a question alone says nothing of its answer.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar

import numpy as np

from model.vision.changes import phrase
from model.vision.things import MOVEMENTS, Thing, place_of
from model.vision.vocabulary import COLOURS, with_article
from training.questions import Asked
from training.told import Told, changes_of, told
from training.world import Stream, World

Value = TypeVar("Value")
NUMBERS = ("none", "one", "two", "three", "four", "more than four")
MOST_LISTED = 3
HYPERNYMS = ("animal", "vehicle", "fruit", "bird", "furniture", "food", "vegetable", "insect", "instrument", "building", "plant", "clothing", "tool")  # fmt: skip


class Asker:
    """Asks about one stream.

    Args:
        world: That made the stream.
        stream: To ask about.
        random: Decides everything.
    """

    def __init__(self, world: World, stream: Stream, random: np.random.Generator) -> None:
        self._world, self._table, self._stream, self._random = world, world.table, stream, random
        self._told = told(stream)
        self._changes = changes_of(stream)
        self._now = self._told[-1]
        self._ever = Counter(n for t in self._told for n in {thing.word for thing in t.sure})
        self._mentioned = {t.word for report in stream.seen for t in report}

    def ask(self, most: int, past: float = 1.0, when: float = 1.2) -> list[Asked]:
        """Return at most `most` questions, of every kind about equally many over many streams.

        Args:
            most: How many.
            past: How many times as often as else those about order and time are asked.
            when: The weight of those that ask when something was.
        """
        makers: list[tuple[float, Callable[[], Iterator[Asked]]]] = [
            (1.6, self._see), (1.5, self._there), (1.2, self._was_there), (0.8, self._count),
            (0.5, self._where), (0.9, self._direction), (0.6, self._colour), (0.5, self._happening),
            (0.5, self._kind), (0.7, self._never),
        ]  # fmt: skip
        if len(self._told) > 1:
            makers += [
                (past * 1.2, self._first), (past * 1.2, self._after), (past * 2.0, self._before),
                (past * 0.4, self._at), (past * when, self._when), (0.4, self._how_long), (0.6, self._list), (0.3, self._changed),
                (0.4, self._colour_before), (0.4, self._direction_before),
            ]  # fmt: skip
        elif self._random.random() < 0.5:
            makers += [(0.5, self._first), (0.6, self._when), (0.6, self._at), (0.3, self._after), (0.3, self._before), (0.3, self._list)]  # fmt: skip
        weights = np.array([weight for weight, _ in makers])
        asked: list[Asked] = []
        texts: set[str] = set()
        for _ in range(3 * most):
            if len(asked) == most:
                break
            maker = makers[self._random.choice(len(makers), p=weights / weights.sum())][1]
            for question in maker():
                if question.question not in texts:
                    texts.add(question.question)
                    asked.append(question)
                break
        return asked[:most]

    # ---- now

    def _see(self) -> Iterator[Asked]:
        question = self._pick("What do you see?", "What do you see?", "What do you see now?", "What is shown?", "What is in the picture?", "What can you see?", "What is this?", "What is there?", "What is on the screen?", "Describe what you see.", "What is shown now?", "What can you see right now?", "What is it?", "Which things are there?", "What does the camera show?", "What was shown last?", "What came last?", "What was the last thing shown?", "Name what you see.")  # fmt: skip
        yield self._asked("name", question, self.naming(self._now))

    def naming(self, scene: Told) -> str:
        """Return what an answer names of a scene."""
        if scene.sure:
            return _sentence(_listed([self.phrase(t) for t in scene.sure[:MOST_LISTED]]))
        if scene.unsure:
            return f"I am not sure: perhaps {self.phrase(scene.unsure[0])}."
        return "Nothing that I can name."

    def _there(self) -> Iterator[Asked]:
        scene = self._now
        draw = self._random.random()
        if draw < 0.5 and scene.sure:
            thing = self._some(scene.sure)
            name = self._called(thing, broader=True)
            if self._table[thing.word].name == "person" and self._random.random() < 0.2:
                question = self._pick("Is anyone there?", "Is somebody there?", "Is there anybody?", "Do you see anyone?")  # fmt: skip
                yield self._asked("is there", question, "Yes.")
                return
            several = thing.count > 1 and self._random.random() < 0.5
            yield self._asked("is there", self._is_there(name, thing if several else None), "Yes.")
            return
        past = [t for t in self._told[:-1] if any(self._only_past(x.word) for x in t.sure)]
        if draw < 0.65 and past:
            where = self._some(past)
            thing = self._some([x for x in where.sure if self._only_past(x.word)])
            if self._ever[thing.word] == 1:
                start = f"at {self._came(thing.word, where)} seconds"
                said = (
                    f"Yes, {start}." if self._stream.finished else f"Not now. It was there {start}."
                )
                yield self._asked("is there", self._is_there(self._table[thing.word].name), said)
                return
        if draw < 0.75 and scene.unsure:
            thing = self._some(scene.unsure)
            yield self._asked("is there", self._is_there(self._table[thing.word].name), "Perhaps, I am not sure.")  # fmt: skip
            return
        if 0 not in self._mentioned and self._random.random() < 0.06:
            question = self._pick("Is anyone there?", "Is somebody there?", "Is there anybody?", "Do you see anyone?")  # fmt: skip
            yield self._asked("is there", question, "No.")
            return
        name = self._absent()
        several = self._random.random() < 0.2
        yield self._asked("is there", self._is_there(name, None, several=several), "No.")

    def _only_past(self, word: int) -> bool:
        now = {t.word for t in (*self._now.sure, *self._now.unsure)}
        return word not in now

    def _is_there(self, name: str, thing: Thing | None = None, *, several: bool = False) -> str:
        if thing is not None or several:
            plural = self._plural(name)
            return self._pick(f"Are there any {plural}?", f"Are there {plural}?", f"Do you see any {plural}?")  # fmt: skip
        one = with_article(name)
        return self._pick(f"Is there {one}?", f"Is there {one}?", f"Is there {one}?", f"Do you see {one}?", f"Can you see {one}?", f"Is there {one} in the picture?", f"Is {one} visible?", f"Does it show {one}?")  # fmt: skip

    def _was_there(self) -> Iterator[Asked]:
        if self._random.random() < 0.55 and self._ever:
            scene = self._some([t for t in self._told if t.sure])
            thing = self._some(scene.sure)
            first = next(t for t in self._told if any(x.word == thing.word for x in t.sure))
            name = self._called(thing)
            said = f"Yes, at {self._came(thing.word, first)} seconds."
        else:
            name, said = self._absent(), "No, I have not seen one."
        one = with_article(name)
        question = self._pick(f"Was there {one}?", f"Was there {one}?", f"Have you seen {one}?", f"Did you see {one}?", f"Was {one} shown?", f"Has there been {one}?", f"Did {one} appear?", f"Was there ever {one}?")  # fmt: skip
        yield self._asked("was there", question, said)

    def _count(self) -> Iterator[Asked]:
        scene = self._now
        if scene.sure and self._random.random() < 0.85:
            several = [t for t in scene.sure if t.count > 1]
            thing = self._some(several if several and self._random.random() < 0.6 else scene.sure)
            plural, said = (
                self._plural(self._called(thing)),
                f"{NUMBERS[thing.count].capitalize()}.",
            )
        else:
            plural, said = self._plural(self._absent()), "None."
        question = self._pick(f"How many {plural} are there?", f"How many {plural} are there?", f"How many {plural} do you see?", f"How many {plural} can you see?", f"How many {plural} are shown?", f"Count the {plural}.")  # fmt: skip
        yield self._asked("count", question, said)

    def _where(self) -> Iterator[Asked]:
        for thing in self._shuffled(self._now.sure):
            near = any(min(abs(at - 1 / 3), abs(at - 2 / 3)) < 0.05 for at in (thing.x, thing.y))
            if thing.count > 1 or thing.movement is not None or near or not self._spelled(thing, self._now, "place"):  # fmt: skip
                continue
            place = place_of(thing)
            said = "In the middle." if place == "middle" else f"At the {place}."
            the = self._the(thing, self._now)
            yield self._asked("where", self._pick(f"Where is {the}?", f"Where is {the}?", f"Where in the picture is {the}?", f"Where do you see {the}?"), said)  # fmt: skip
            return

    def _direction(self) -> Iterator[Asked]:
        for thing in self._shuffled(self._now.sure):
            if thing.movement is None and self._random.random() < 0.6:
                continue
            it = self._the(thing, self._now)
            if thing.count > 1:
                them = self._pick(f"the {self._table[thing.word].plural}", "they", "the things", "things")  # fmt: skip
                question = self._pick(f"Which way do {them} move?", f"How do {them} move?", f"In which direction do {them} go?", f"Where are {them} going?", f"Which direction are {them} moving?")  # fmt: skip
            else:
                them = self._pick("the things", "things")
                question = self._pick(f"Which way does {it} move?", f"Which way does {it} move?", f"How does {it} move?", f"In which direction does {it} move?", f"Where is {it} going?", f"Which way is {it} going?", f"In which direction is {it} moving?", f"Which way do {them} move?")  # fmt: skip
            if not self._spelled(thing, self._now, "movement"):
                continue
            yield self._asked("direction", question, self.moving(thing))
            return

    def moving(self, thing: Thing) -> str:
        """Return how an answer says which way something moves."""
        they = thing.count > 1
        if thing.movement is None:
            return "They stay still." if they else "It stays still."
        return f"{'They move' if they else 'It moves'} {_to(thing.movement)}."

    def _colour(self) -> Iterator[Asked]:
        for thing in self._shuffled(self._now.sure):
            if thing.colour is None and self._random.random() < 0.8:
                continue
            if thing.colour is not None and not self._spelled(thing, self._now, "colour"):
                continue
            said = "I cannot tell." if thing.colour is None else f"{COLOURS[thing.colour].capitalize()}."  # fmt: skip
            the, color = self._the(thing, self._now), self._pick("color", "colour")
            be = "are" if the.startswith("the ") and thing.count > 1 else "is"
            question = self._pick(f"What {color} {be} {the}?", f"What {color} {be} {the}?", f"Which {color} {be} {the}?")  # fmt: skip
            yield self._asked("colour", question, said)
            return

    def _happening(self) -> Iterator[Asked]:
        moving = [t for t in self._now.sure if t.movement is not None and self._spelled(t, self._now, "movement")]  # fmt: skip
        question = self._pick("What is happening?", "What is happening?", "What happens?", "What is going on?", "What is happening now?")  # fmt: skip
        if not moving:
            yield self._asked("happening", question, self.naming(self._now))
            return
        said = _listed([f"{self.phrase(t)} {'move' if t.count > 1 else 'moves'} {_to(t.movement or 0)}" for t in moving[:2]])  # fmt: skip
        yield self._asked("happening", question, _sentence(said))
        if len(moving) == 1:
            yield self._asked("mover", self._pick("What is moving?", "What moves?", "Which thing moves?"), _sentence(self.phrase(moving[0])))  # fmt: skip

    def _kind(self) -> Iterator[Asked]:
        if not self._now.sure:
            return
        thing = self._now.sure[0]
        name = self._table[thing.word].name
        if thing.kind is not None and not self._spelled(thing, self._now, "kind"):
            return
        if thing.kind is None and self._random.random() < 0.7:
            return
        said = f"I am not sure which kind of {name}." if thing.kind is None else _sentence(with_article(self._table.kinds[thing.kind]))  # fmt: skip
        question = self._pick(f"What kind of {name} is it?", f"What kind of {name} is that?", f"What kind of {name}?", f"Which kind of {name} is it?", f"What type of {name} is it?", f"What sort of {name} is this?")  # fmt: skip
        yield self._asked("kind", question, said)

    # ---- before

    def _first(self) -> Iterator[Asked]:
        question = self._pick("What came first?", "What came first?", "What was shown first?", "What did you see first?", "What was the first thing shown?", "What was there at the beginning?", "What was there first?", "What did it begin with?")  # fmt: skip
        yield self._asked("first", question, self.naming(self._told[0]))

    def _after(self) -> Iterator[Asked]:
        yield from self._neighbour("after", +1)

    def _before(self) -> Iterator[Asked]:
        yield from self._neighbour("before", -1)

    def _neighbour(self, kind: str, step: int) -> Iterator[Asked]:
        rows = [change.things for change in self._changes if change.begins]
        once = Counter(thing.word for things in rows for thing in things)
        numbers = [n for n, things in enumerate(rows) if any(self._is_one(x, once) for x in things)]
        if not numbers:
            return
        number = int(self._random.choice(numbers))
        thing = self._some([x for x in rows[number] if self._is_one(x, once)])
        the = f"the {self._called(thing)}"
        after = self._pick(f"What came after {the}?", f"What came after {the}?", f"What was shown after {the}?", f"What did you see after {the}?", f"What followed {the}?", f"What came next after {the}?")  # fmt: skip
        before = self._pick(f"What came before {the}?", f"What came before {the}?", f"What was shown before {the}?", f"What did you see before {the}?", f"What was there before {the}?")  # fmt: skip
        question = after if step > 0 else before
        other = number + step
        if not 0 <= other < len(rows):
            if self._random.random() < 0.4:
                yield self._asked(kind, question, "Nothing yet." if step > 0 else "Nothing, it came first.")  # fmt: skip
            return
        here = {x.word for x in rows[number]}
        if self._is_true(rows[other][0]) and not here & {x.word for x in rows[other]}:
            said = _sentence(_listed([self.phrase(x) for x in rows[other]]))
            yield self._asked(kind, question, said)

    def _is_one(self, thing: Thing, begun: Counter[int]) -> bool:
        """Return whether a thing was there, in one scene alone, which began with it."""
        return self._ever[thing.word] == 1 == begun[thing.word]

    def _is_true(self, thing: Thing) -> bool:
        return self._ever[thing.word] > 0

    def _came(self, word: int, scene: Told) -> int:
        """Return the second at which a thing of `scene` is first told of."""
        told_of = (c.start for c in self._changes if any(t.word == word for t in c.things))
        return next(told_of, scene.start)

    def _at(self) -> Iterator[Asked]:
        starts = self._stream.starts
        number = int(self._random.integers(len(starts)))
        until = starts[number + 1] if number + 1 < len(starts) else self._stream.ends[-1] + 0.5
        whole = [
            s for s in range(int(starts[number]), int(until) + 1) if starts[number] <= s < until
        ]
        if not whole:
            return
        at = int(self._random.choice(whole))
        scene = next(t for t in self._told if number in t.scene.clips)
        question = self._pick(f"What was shown at {at} seconds?", f"What was shown at {at} seconds?", f"What did you see at {at} seconds?", f"What was there at {at} seconds?", f"What was shown at {at}s?", f"What was to be seen at second {at}?")  # fmt: skip
        yield self._asked("at time", question, self.naming(scene))

    def _when(self) -> Iterator[Asked]:
        found = [(t, x) for t in self._told for x in t.sure if self._ever[x.word] == 1]
        if not found:
            return
        scene, thing = found[int(self._random.integers(len(found)))]
        the = f"the {self._called(thing)}"
        question = self._pick(f"When was {the} shown?", f"When was {the} shown?", f"When did you see {the}?", f"When did {the} appear?", f"When was {the} there?", f"At what time was {the} shown?", f"When did {the} come?")  # fmt: skip
        yield self._asked("when", question, f"At {self._came(thing.word, scene)} seconds.")

    def _how_long(self) -> Iterator[Asked]:
        found = [(t, x) for t in self._told for x in t.sure if self._ever[x.word] == 1]
        if not found:
            return
        scene, thing = found[int(self._random.integers(len(found)))]
        question = f"How long was the {self._called(thing)} shown?"
        yield self._asked(
            "how long", question, f"For about {max(scene.end - scene.start, 1)} seconds."
        )

    def _list(self) -> Iterator[Asked]:
        scenes = [t for t in self._told if t.sure]
        if not 1 <= len(scenes) <= 6:
            return
        names = [self.phrase(t.sure[0]) for t in scenes]
        names = [name for name, _ in groupby(names)]
        said = f"First {', then '.join(names)}." if len(names) > 1 else _sentence(names[0])
        question = self._pick("What has happened?", "What has happened?", "What have you seen so far?", "What has been shown?", "List what was shown, in order.", "What has happened so far?", "Give me a summary.", "What happened?")  # fmt: skip
        yield self._asked("list", question, said)

    def _changed(self) -> Iterator[Asked]:
        before, now = ({x.word: x for x in t.sure} for t in self._told[-2:])
        came = [x for word, x in now.items() if word not in before]
        left = [x for word, x in before.items() if word not in now]
        said = [f"{self.phrase(x)} came" for x in came[:2]] + [f"{self.phrase(x)} left" for x in left[:2]]  # fmt: skip
        if said:
            yield self._asked("changed", self._pick("What has changed?", "What changed?", "What is new?"), _sentence(_listed(said)))  # fmt: skip

    def _colour_before(self) -> Iterator[Asked]:
        for scene in self._shuffled(self._told[:-1]):
            for thing in scene.sure:
                if thing.colour is not None and self._ever[thing.word] == 1 and self._spelled(thing, scene, "colour"):  # fmt: skip
                    color, name = self._pick("color", "colour"), self._called(thing)
                    be = "was"
                    yield self._asked("colour before", f"What {color} {be} the {name}?", f"{COLOURS[thing.colour].capitalize()}.")  # fmt: skip
                    return

    def _direction_before(self) -> Iterator[Asked]:
        for scene in self._shuffled(self._told[:-1]):
            for thing in scene.sure:
                if thing.movement is not None and self._ever[thing.word] == 1 and thing.count == 1 and self._spelled(thing, scene, "movement"):  # fmt: skip
                    name = self._called(thing)
                    question = self._pick(f"Which way did the {name} move?", f"How did the {name} move?", f"In which direction did the {name} go?")  # fmt: skip
                    yield self._asked("direction before", question, f"It moved {_to(thing.movement)}.")  # fmt: skip
                    return

    def _never(self) -> Iterator[Asked]:
        """Ask about something that was never shown as if it had been."""
        name = self._absent()
        asks: list[tuple[str, str]] = [
            ("when", f"When was the {name} shown?"), ("when", f"When did you see the {name}?"),
            ("after", f"What came after the {name}?"), ("before", f"What came before the {name}?"),
            ("direction", f"Which way does the {name} move?"), ("where", f"Where is the {name}?"),
            ("colour", f"What color is the {name}?"), ("when", f"When did the {name} appear?"),
            ("direction before", f"Which way did the {name} move?"),
        ]  # fmt: skip
        kind, question = asks[int(self._random.integers(len(asks)))]
        yield self._asked(f"never: {kind}", question, f"I have not seen {with_article(name)}.")

    # ---- words

    def phrase(self, thing: Thing) -> str:
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

    def _the(self, thing: Thing, scene: Told) -> str:
        """Return "the dog", or "it" where there is one thing alone."""
        if len(scene.sure) == 1 and thing.count == 1 and self._random.random() < 0.4:
            return "it"
        return f"the {self._called(thing)}" if thing.count == 1 else f"the {self._table[thing.word].plural}"  # fmt: skip

    def _spelled(self, thing: Thing, scene: Told, field: str) -> bool:
        """Return whether captions have room for a detail: those of the first two things do."""
        rank = [t.word for t in scene.sure].index(thing.word)
        return rank == 0 if field in {"place", "kind"} else rank < 2

    @staticmethod
    def _asked(kind: str, question: str, answer: str) -> Asked:
        return Asked(kind, question, answer, ())

    def _pick(self, *choices: str) -> str:
        return choices[int(self._random.integers(len(choices)))]

    def _some(self, things: Sequence[Value]) -> Value:
        return things[int(self._random.integers(len(things)))]

    def _shuffled(self, things: Sequence[Value]) -> list[Value]:
        return [things[n] for n in self._random.permutation(len(things))]


def _to(movement: int) -> str:
    name = MOVEMENTS[movement]
    return f"to the {name}" if name in {"left", "right"} else name


def _listed(phrases: Sequence[str]) -> str:
    if len(phrases) < 2:
        return phrases[0]
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
