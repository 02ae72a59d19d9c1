"""Questions about order and time: what came when, before and after what."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from model.vision.things import Thing
from model.vision.vocabulary import COLOURS
from training.dialogue.now import NUMBERS
from training.dialogue.wording import Makers, Wording, listed, sentence, towards
from training.questions import Asked

MOST_LISTED_SCENES = 8
OF_A_RANGE = ("What was shown?", "What did you see?", "What was there?")
"""What is left of "What was shown at 10 seconds?" when its words of time have become a range."""


class AboutBefore(Wording):
    """Asks about the scenes of a stream in their order."""

    def makers(self, past: float, when: float) -> Makers:
        """Return what asks about order and time, each with its weight; see `Asker.ask`."""
        if len(self._told) > 1:
            return [
                (past * 1.2, self._first), (past * 1.2, self._after), (past * 2.0, self._before),
                (past * 0.4, self._at), (past * when, self._when), (0.4, self._how_long), (1.5, self._list), (0.3, self._changed),
                (0.5, self._colour_before), (0.7, self._direction_before), (2.5, self._count_before),
                (0.6, self._earlier), (0.4, self._still),
            ]  # fmt: skip
        if self._random.random() < 0.5:
            return [(0.5, self._first), (0.6, self._when), (0.6, self._at), (0.3, self._after), (0.3, self._before), (0.5, self._list), (0.3, self._count_before)]  # fmt: skip
        return []

    def _first(self) -> Iterator[Asked]:
        question = self._pick("What came first?", "What came first?", "What was shown first?", "What did you see first?", "What was the first thing shown?", "What was there at the beginning?", "What was there first?", "What did it begin with?")  # fmt: skip
        yield self._asked("first", question, self._naming(self._told[0]))

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
            said = sentence(listed([self._phrase(x) for x in rows[other]]))
            yield self._asked(kind, question, said)

    def _earlier(self) -> Iterator[Asked]:
        """Ask which of two things came first, or whether one came before the other."""
        found = [
            (n, x) for n, t in enumerate(self._told) for x in t.sure if self._ever[x.word] == 1
        ]
        if len(found) < 2:
            return
        one, other = sorted(self._random.choice(len(found), size=2, replace=False))
        (place, first), (later, second) = found[one], found[other]
        if place == later:
            return
        names = [self._called(first), self._called(second)]
        turned = bool(self._random.random() < 0.5)
        a, b = names[::-1] if turned else names
        if self._random.random() < 0.6:
            question = self._pick(f"Which came first, the {a} or the {b}?", f"What came first, the {a} or the {b}?", f"Was the {a} or the {b} shown first?")  # fmt: skip
            yield self._asked("which first", question, f"The {names[0]}.")
            return
        before = bool(self._random.random() < 0.5)
        true = before != turned
        question = f"Did the {a} come {'before' if before else 'after'} the {b}?"
        said = "Yes." if true else f"No, the {names[0]} came first."
        yield self._asked("which first", question, said)

    def _still(self) -> Iterator[Asked]:
        """Ask whether something that was there is there now."""
        scene = self._some(self._told)
        if not scene.sure:
            return
        thing = self._some(scene.sure)
        the = f"the {self._called(thing)}"
        question = self._pick(f"Is {the} still there?", f"Is {the} there now?", f"Can you still see {the}?")  # fmt: skip
        if any(x.word == thing.word for x in self._now.sure):
            yield self._asked("still", question, "Yes.")
        elif self._ever[thing.word] == 1 and all(x.word != thing.word for x in self._now.unsure):
            start = f"at {self._came(thing.word, scene)} seconds"
            yield self._asked("still", question, f"Not now. It was there {start}.")

    def _is_one(self, thing: Thing, begun: Counter[int]) -> bool:
        """Return whether a thing was there, in one scene alone, which began with it."""
        return self._ever[thing.word] == 1 == begun[thing.word]

    def _is_true(self, thing: Thing) -> bool:
        return self._ever[thing.word] > 0

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
        yield self._asked("at time", question, self._naming(scene))

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
        if not 1 <= len(scenes) <= MOST_LISTED_SCENES:
            return
        names = [self._phrase(t.sure[0]) for t in scenes]
        names = [name for name, _ in groupby(names)]
        said = f"First {', then '.join(names)}." if len(names) > 1 else sentence(names[0])
        question = self._pick("What has happened?", "What has happened?", "What have you seen so far?", "What has been shown?", "List what was shown, in order.", "What has happened so far?", "Give me a summary.", "What happened?", "Summarize the video.", "What did I miss?", "Tell me what happened.", *OF_A_RANGE)  # fmt: skip
        yield self._asked("list", question, said)

    def _changed(self) -> Iterator[Asked]:
        before, now = ({x.word: x for x in t.sure} for t in self._told[-2:])
        came = [x for word, x in now.items() if word not in before]
        left = [x for word, x in before.items() if word not in now]
        said = [f"{self._phrase(x)} came" for x in came[:2]] + [f"{self._phrase(x)} left" for x in left[:2]]  # fmt: skip
        if said:
            yield self._asked("changed", self._pick("What has changed?", "What changed?", "What is new?"), sentence(listed(said)))  # fmt: skip

    def _colour_before(self) -> Iterator[Asked]:
        for scene in self._shuffled(self._told[:-1]):
            for thing in scene.sure:
                if thing.colour is not None and self._ever[thing.word] == 1 and self._spelled(thing, scene, "colour"):  # fmt: skip
                    color, name = self._pick("color", "colour"), self._called(thing)
                    be = "was"
                    yield self._asked("colour before", f"What {color} {be} the {name}?", f"{COLOURS[thing.colour].capitalize()}.")  # fmt: skip
                    return

    def _count_before(self) -> Iterator[Asked]:
        many = [x for t in self._told for x in t.sure if self._ever[x.word] == 1]
        several = [x for x in many if x.count > 1]
        if several and self._random.random() < 0.6:
            many = several
        if many and self._random.random() < 0.85:
            thing = self._some(many)
            plural = self._plural(self._called(thing))
            said = f"{NUMBERS[thing.count].capitalize()}."
        else:
            plural, said = self._plural(self._absent()), "None."
        question = self._pick(f"How many {plural} were there?", f"How many {plural} did you see?", f"How many {plural} were shown?", f"How many {plural} have you seen?")  # fmt: skip
        yield self._asked("count before", question, said)

    def _direction_before(self) -> Iterator[Asked]:
        for scene in self._shuffled(self._told[:-1]):
            for thing in scene.sure:
                if thing.movement is not None and self._ever[thing.word] == 1 and thing.count == 1 and self._spelled(thing, scene, "movement"):  # fmt: skip
                    name = self._called(thing)
                    question = self._pick(f"Which way did the {name} move?", f"How did the {name} move?", f"In which direction did the {name} go?")  # fmt: skip
                    yield self._asked("direction before", question, f"It moved {towards(thing.movement)}.")  # fmt: skip
                    return
