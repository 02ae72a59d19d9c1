"""Questions about what is shown now, and about what was there or never was."""

from collections.abc import Iterator

from model.vision.things import Thing, place_of
from model.vision.vocabulary import COLOURS, with_article
from training.dialogue.wording import Makers, Wording, listed, sentence, towards
from training.questions import Asked

NUMBERS = ("none", "one", "two", "three", "four", "more than four")


class AboutNow(Wording):
    """Asks about the last scene."""

    def makers(self) -> Makers:
        """Return what asks about now, and about what was never there, each with its weight."""
        return [
            (1.6, self._see), (1.5, self._there), (1.2, self._was_there), (1.0, self._count),
            (0.5, self._where), (1.2, self._direction), (0.6, self._colour), (0.6, self._happening),
            (0.5, self._kind), (0.7, self._never), (0.3, self._either), (0.4, self._someone),
        ]  # fmt: skip

    def _see(self) -> Iterator[Asked]:
        question = self._pick("What do you see?", "What do you see?", "What do you see now?", "What is shown?", "What is in the picture?", "What can you see?", "What is this?", "What is there?", "What is on the screen?", "Describe what you see.", "What is shown now?", "What can you see right now?", "What is it?", "Which things are there?", "What does the camera show?", "What was shown last?", "What came last?", "What was the last thing shown?", "Name what you see.")  # fmt: skip
        yield self._asked("name", question, self._naming(self._now))

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
            yield self._asked("direction", question, self._moving(thing))
            return

    def _moving(self, thing: Thing) -> str:
        """Return how an answer says which way something moves."""
        they = thing.count > 1
        if thing.movement is None:
            return "They stay still." if they else "It stays still."
        return f"{'They move' if they else 'It moves'} {towards(thing.movement)}."

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
            yield self._asked("happening", question, self._naming(self._now))
            return
        said = listed([f"{self._phrase(t)} {'move' if t.count > 1 else 'moves'} {towards(t.movement or 0)}" for t in moving[:2]])  # fmt: skip
        yield self._asked("happening", question, sentence(said))
        if len(moving) == 1 and self._random.random() < 0.3:
            it = moving[0]
            name = self._the(it, self._now)
            question = f"What {'are' if it.count > 1 else 'is'} {name} doing?"
            yield self._asked("direction", question, self._moving(it))
        elif len(moving) == 1:
            yield self._asked("mover", self._pick("What is moving?", "What moves?", "Which thing moves?"), sentence(self._phrase(moving[0])))  # fmt: skip

    def _either(self) -> Iterator[Asked]:
        """Ask which of two things it is."""
        if not self._now.sure or self._now.sure[0].count > 1:
            return
        name, other = self._called(self._now.sure[0]), self._absent()
        a, b = (name, other) if self._random.random() < 0.5 else (other, name)
        a, b = with_article(a), with_article(b)
        question = self._pick(f"Is it {a} or {b}?", f"Is this {a} or {b}?", f"Do you see {a} or {b}?")  # fmt: skip
        yield self._asked("either", question, sentence(with_article(name)))

    def _someone(self) -> Iterator[Asked]:
        """Ask whether anybody was there, without a name for them."""
        question = self._pick("Was anyone there?", "Was anybody there?", "Have you seen anyone?", "Did anyone come?", "Was there a person?", "Have you seen a person?", "Did you see anybody?")  # fmt: skip
        person = self._table.number["person"]
        scene = next((t for t in self._told if any(x.word == person for x in t.sure)), None)
        if scene is not None:
            said = f"Yes, at {self._came(person, scene)} seconds."
            yield self._asked("was there", question, said)
        elif person not in self._mentioned and self._random.random() < 0.2:
            yield self._asked("was there", question, "No, I have not seen anyone.")

    def _kind(self) -> Iterator[Asked]:
        if not self._now.sure:
            return
        thing = self._now.sure[0]
        name = self._table[thing.word].name
        if thing.kind is not None and not self._spelled(thing, self._now, "kind"):
            return
        if thing.kind is None and self._random.random() < 0.7:
            return
        said = f"I am not sure which kind of {name}." if thing.kind is None else sentence(with_article(self._table.kinds[thing.kind]))  # fmt: skip
        question = self._pick(f"What kind of {name} is it?", f"What kind of {name} is that?", f"What kind of {name}?", f"Which kind of {name} is it?", f"What type of {name} is it?", f"What sort of {name} is this?")  # fmt: skip
        yield self._asked("kind", question, said)

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
