"""Questions about what was shown, with answers that follow from the plan of the scenes.

A show is a sequence of segments; a segment is one thing happening for a few clips. Questions
are about what is seen now, or about what was seen before, and when. No question names what its
answer names.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from training.drawn.takes import TakePart

NUMBERS = ("No", "One", "Two", "Three", "Four")
SOME = {"grapes": "some grapes", "cherries": "some cherries", "scissors": "some scissors", "glasses": "some glasses", "corn": "some corn"}  # fmt: skip
PLURALS = {"butterfly": "butterflies", "cherries": "cherries", "grapes": "grapes", "scissors": "scissors", "glasses": "glasses", "bus": "buses", "octopus": "octopuses", "strawberry": "strawberries", "fish": "fish", "corn": "corn", "fox": "foxes"}  # fmt: skip
ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "middle", "right")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answer.

    Attributes:
        kind: What it is about, such as `name` or `first`.
        question: In words.
        answer: In words.
        key: The words that make an answer right.
    """

    kind: str
    question: str
    answer: str
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownSegment:
    """Something that goes on for a few clips.

    Attributes:
        start: Media time of its first clip, in seconds, as its marker says it.
        seen: What is seen in it.
    """

    start: int
    seen: tuple[TakePart, ...]

    @property
    def main(self) -> TakePart | None:
        """Return the thing it is about; None if it shows nothing or several things."""
        return self.seen[0] if len(self.seen) == 1 and self.seen[0].count == 1 else None


def noun(seen: TakePart) -> str:
    """Return a thing's word, with its colour if it has one: `red circle`."""
    return f"{seen.thing.colour} {seen.thing.name}" if seen.thing.colour else seen.thing.name


def phrase(seen: TakePart) -> str:
    """Return a thing as a sentence mentions it: `an owl`, `some grapes`, `two red circles`."""
    if seen.count > 1:
        return f"{NUMBERS[seen.count].lower()} {plural(seen)}"
    words = noun(seen)
    if words in SOME:
        return SOME[words]
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def plural(seen: TakePart) -> str:
    """Return the word for several of a thing."""
    word = seen.thing.name
    many = PLURALS.get(word, f"{word}es" if word.endswith(("s", "x")) else f"{word}s")
    return f"{seen.thing.colour} {many}" if seen.thing.colour else many


def listed(phrases: Sequence[str]) -> str:
    """Return phrases as a sentence that lists them: `A dog, a cat and an owl`."""
    *most, last = phrases
    text = f"{', '.join(most)} and {last}" if most else last
    return sentence(text)


def sentence(text: str) -> str:
    """Return `text` with a capital and a full stop."""
    return f"{text[0].upper()}{text[1:]}."


def words_of(seen: TakePart) -> tuple[str, ...]:
    """Return what must be in an answer that names the thing."""
    return (seen.thing.colour, seen.thing.name) if seen.thing.colour else (seen.thing.name,)


def about_now(
    random: np.random.Generator, seen: Sequence[TakePart], names: Sequence[str]
) -> list[Asked]:
    """Return every question that what is seen now answers, in one wording each.

    Args:
        random: Chooses wordings.
        seen: What the last clip shows.
        names: Every word there is, for questions about what is not there.
    """
    return [asked for ask in (_naming, _moving, _placing, _counting, _colouring, _happening, _being) for asked in ask(random, seen, names)]  # fmt: skip


def _pick(random: np.random.Generator, *choices: str) -> str:
    return choices[random.integers(len(choices))]


Seens = Sequence[TakePart]


def _naming(random: np.random.Generator, seen: Seens, names: Sequence[str]) -> Iterator[Asked]:
    question = _pick(random, "What do you see?", "What is shown?", "What is in the picture?", "What can you see now?", "What is this?", "Which object is it?")  # fmt: skip
    if len(seen) > 1:
        question = _pick(random, "What do you see?", "What is shown?", "What is in the picture?", "What can you see now?")  # fmt: skip
    if not seen:
        yield Asked("nothing", question, "Nothing.", ("nothing",))
        return
    ordered = sorted(seen, key=lambda s: s.x)
    kind = "name" if len(seen) == 1 and seen[0].thing.colour is None else "names"
    if kind == "name" and seen[0].count > 1:
        kind = "names"
    keys = tuple(word for s in ordered for word in words_of(s))
    yield Asked(kind, question, listed([phrase(s) for s in ordered]), keys)


def _moving(random: np.random.Generator, seen: Seens, names: Sequence[str]) -> Iterator[Asked]:
    if len(seen) == 1 and seen[0].count == 1 and seen[0].movement:
        movement = seen[0].movement
        it = _pick(random, "it", "the object", "it", f"the {seen[0].thing.name}")
        question = _pick(random, f"Which way does {it} move?", f"In which direction does {it} move?", f"How does {it} move?", f"Where is {it} going?")  # fmt: skip
        yield Asked("direction", question, *motion_answer(movement))
    elif len(seen) == 2 and all(s.movement and s.count == 1 for s in seen):
        one = seen[int(random.integers(2))]
        question = _pick(random, f"Which way does the {one.thing.name} move?", f"How does the {one.thing.name} move?")  # fmt: skip
        yield Asked("direction of one", question, *motion_answer(one.movement or "still"))
        moving = [s for s in seen if s.movement != "still"]
        if len(moving) == 1:
            question = _pick(random, "What is moving?", "What moves?")
            yield Asked("mover", question, sentence(phrase(moving[0])), words_of(moving[0]))


def motion_answer(movement: str) -> tuple[str, tuple[str, ...]]:
    """Return how an answer puts a movement, and the word that makes it right."""
    if movement == "still":
        return "It stays still.", ("still",)
    to = f"to the {movement}" if movement in {"left", "right"} else movement
    return f"It moves {to}.", (movement,)


def place_of(seen: TakePart) -> str | None:
    """Return `top left`, `left`, `middle`, …; None if it is near a border, moves or is several."""
    near = any(min(abs(at - 1 / 3), abs(at - 2 / 3)) < 0.035 for at in (seen.x, seen.y))
    if near or seen.count > 1 or seen.movement not in {"still", None}:
        return None
    row, column = (min(max(int(at * 3), 0), 2) for at in (seen.y, seen.x))
    words = [w for w in (ROWS[row], COLUMNS[column]) if w != "middle"]
    return " ".join(words) or "middle"


def _placing(random: np.random.Generator, seen: Seens, names: Sequence[str]) -> Iterator[Asked]:
    placed = [(s, place) for s in seen if (place := place_of(s))]
    for s, place in placed[:2]:
        the = "it" if len(seen) == 1 and random.random() < 0.5 else f"the {s.thing.name}"
        answer = f"In the middle." if place == "middle" else f"At the {place}."  # noqa: F541
        yield Asked("where", f"Where is {the}?", answer, tuple(place.split()))
    everywhere = [place for _, place in placed]
    for s, place in placed:
        if len(seen) > 1 and len(placed) == len(seen) and everywhere.count(place) == 1:
            at = "in the middle" if place == "middle" else f"at the {place}"
            yield Asked("what is where", f"What is {at}?", sentence(phrase(s)), words_of(s))
            return


def _counting(random: np.random.Generator, seen: Seens, names: Sequence[str]) -> Iterator[Asked]:
    if len(seen) == 1 and seen[0].change is None:
        question = _pick(random, f"How many {plural_name(seen[0])} are there?", f"How many {plural_name(seen[0])} do you see?", "How many things are there?")  # fmt: skip
        yield Asked(
            "count", question, f"{NUMBERS[seen[0].count]}.", (NUMBERS[seen[0].count].lower(),)
        )


def plural_name(seen: TakePart) -> str:
    """Return the word for several of a thing, without its colour."""
    return plural(seen).split(" ", 1)[-1]


def _colouring(random: np.random.Generator, seen: Seens, names: Sequence[str]) -> Iterator[Asked]:
    shapes = [s for s in seen if s.thing.colour]
    if len(shapes) == 1:
        colour = shapes[0].thing.colour or ""
        it = "it" if len(seen) == 1 and random.random() < 0.4 else f"the {shapes[0].thing.name}"
        if shapes[0].count > 1:
            return
        question = _pick(random, f"What color is {it}?", f"What colour is {it}?", f"Which color does {it} have?")  # fmt: skip
        yield Asked("colour", question, f"{colour.capitalize()}.", (colour,))


def _happening(random: np.random.Generator, seen: Seens, names: Sequence[str]) -> Iterator[Asked]:
    changed = [s for s in seen if s.change]
    if len(changed) == 1 and changed[0].count == 1:
        verb = changed[0].change or ""
        question = _pick(random, f"What {verb}?", f"Which thing {verb}?")
        yield Asked("change", question, sentence(phrase(changed[0])), words_of(changed[0]))
    if len(seen) == 1 and seen[0].count == 1 and (seen[0].change or seen[0].movement):
        s = seen[0]
        what = s.change or (f"moves {'to the ' if s.movement in {'left', 'right'} else ''}{s.movement}" if s.movement != "still" else "stays still")  # fmt: skip
        question = _pick(random, "What happens?", "What is happening?")
        key = (s.thing.name, s.change or s.movement or "")
        yield Asked("happening", question, sentence(f"{phrase(s)} {what}"), key)


def _being(random: np.random.Generator, seen: Seens, names: Sequence[str]) -> Iterator[Asked]:
    if seen and random.random() < 0.5:
        s = seen[int(random.integers(len(seen)))]
        yield Asked("is there", f"Is there a {s.thing.name}?", "Yes.", ("yes",))
    else:
        word = str(random.choice([n for n in names if n not in {s.thing.name for s in seen}]))
        yield Asked("is there", f"Is there a {word}?", "No.", ("no",))


def about_before(random: np.random.Generator, segments: Sequence[ShownSegment]) -> list[Asked]:
    """Return questions about what was shown, and when, in one wording each.

    Segments that show nothing, or several things, are asked about by their time alone; a thing
    shown in more than one segment is not asked about by its name.
    """
    asked = [q for ask in (_ends, _neighbours, _times, _manners) for q in ask(random, segments)]
    mains = [s.main for s in segments]
    if all(mains) and 2 <= len(mains) <= 5:
        question = _pick(random, "What have you seen so far?", "What has been shown?", "List what was shown, in order.")  # fmt: skip
        things = [m for m in mains if m]
        asked.append(Asked("list", question, listed([phrase(m) for m in things]), tuple(w for m in things for w in words_of(m))))  # fmt: skip
    return asked


def _ends(random: np.random.Generator, segments: Sequence[ShownSegment]) -> Iterator[Asked]:
    first, last = segments[0].main, segments[-1].main
    if first:
        question = _pick(random, "What came first?", "What was shown first?", "What did you see first?", "What was the first thing shown?")  # fmt: skip
        yield Asked("first", question, sentence(phrase(first)), words_of(first))
    if last:
        question = _pick(random, "What came last?", "What was shown last?", "What was the last thing shown?")  # fmt: skip
        yield Asked("last", question, sentence(phrase(last)), words_of(last))


def _neighbours(random: np.random.Generator, segments: Sequence[ShownSegment]) -> Iterator[Asked]:
    for one, two in pairwise(segments):
        a, b = one.main, two.main
        if a and b and noun(a) != noun(b):
            if _once(a, segments):
                question = _pick(random, f"What came after the {noun(a)}?", f"What was shown after the {noun(a)}?")  # fmt: skip
                yield Asked("after", question, sentence(phrase(b)), words_of(b))
            if _once(b, segments):
                question = _pick(random, f"What came before the {noun(b)}?", f"What was shown before the {noun(b)}?")  # fmt: skip
                yield Asked("before", question, sentence(phrase(a)), words_of(a))


def _times(random: np.random.Generator, segments: Sequence[ShownSegment]) -> Iterator[Asked]:
    for segment in segments:
        if not (s := segment.main):
            continue
        question = _pick(random, f"What was shown at {segment.start} seconds?", f"What did you see at {segment.start} seconds?", f"What was there at {segment.start}s?")  # fmt: skip
        yield Asked("at time", question, sentence(phrase(s)), words_of(s))
        if _once(s, segments):
            question = _pick(random, f"When was the {noun(s)} shown?", f"When did you see the {noun(s)}?")  # fmt: skip
            yield Asked("when", question, f"At {segment.start} seconds.", (str(segment.start),))


def _manners(random: np.random.Generator, segments: Sequence[ShownSegment]) -> Iterator[Asked]:
    for segment in segments:
        s = segment.main
        if s and s.movement and _once(s, segments):
            question = _pick(random, f"Which way did the {noun(s)} move?", f"How did the {noun(s)} move?")  # fmt: skip
            yield Asked("direction before", question, *motion_answer(s.movement))
        if s and s.thing.colour and sum(x.thing.name == s.thing.name for g in segments for x in g.seen) == 1:  # fmt: skip
            question = _pick(random, f"What color was the {s.thing.name}?", f"What colour was the {s.thing.name}?")  # fmt: skip
            yield Asked(
                "colour before", question, f"{s.thing.colour.capitalize()}.", (s.thing.colour,)
            )


def _once(seen: TakePart, segments: Sequence[ShownSegment]) -> bool:
    return sum(noun(other) == noun(seen) for segment in segments for other in segment.seen) == 1


Right = Callable[[str], bool]


def is_right(asked: Asked, answer: str) -> bool:
    """Return whether `answer` has every word that makes it right, as words of their own.

    An answer of one thing is wrong if it names others besides: it must not be a list.
    """
    said = [word.strip(".,!?'\"").lower() for word in answer.split()]
    alone = asked.kind not in {"names", "list"}
    if alone and said.count("and") > 0:
        return False
    return all(_says(said, key) for key in asked.key)


def _says(said: Sequence[str], key: str) -> bool:
    return key in said or any(word.startswith(key) and len(word) - len(key) <= 3 for word in said if len(key) > 3)  # fmt: skip
