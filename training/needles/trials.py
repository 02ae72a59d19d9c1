"""Single-hop and multi-hop needles: what is hidden, what is asked, and what counts as right.

A needle that the eyes cannot name, however long it is shown, measures the eyes and no memory. So what is hidden
is shown to them alone as well: shares are told of all needles and of those that they name then, and of every
needle that is missed it is told where it was lost.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.vision.vocabulary import word_table
from training.drawn.drawings import Sprites
from training.drawn.scenes import SHAPES, Thing
from training.needles.asking import Memory, Told
from training.needles.haystack import Haystack, picture

SEEN = "Was there {}?"
BESIDE = "What was shown beside the {}?"
HOP = "thing that was shown beside the {}"
COLOURS = ("red", "blue", "green", "yellow", "purple", "orange")
OPTIONS = 4


@dataclass(frozen=True, slots=True)
class Found:
    """How one trial went.

    Attributes:
        length: Frames of the film.
        depth: Where the needle was, from 0 to 1; of a chain, its first.
        hops: Needles of the chain; 1 of a single one.
        right: Whether every hop was answered right.
        hops_right: How many of them in a row.
        evidence: Whether the clip that an answer rests on most is the needle's; None if unknown.
        blind: Whether it was right without having seen anything.
        last: Whether it was right having seen the last clip alone.
        letter: Whether the likeliest letter of four was right: the published score; None if unknown.
        answers: What was said.
        chained: Whether pictures of a chain were hidden, not a single one.
        known: Whether the eyes name all that was hidden when it is shown to them alone; None if they have no words.
        seen: Whether the clips in which it was hidden show all of it plainly; None likewise.
        at_once: Whether a chain was answered right when all of it was asked in one question; None if it was not.
    """

    length: int
    depth: float
    hops: int
    right: bool
    hops_right: int
    evidence: bool | None
    blind: bool
    last: bool
    letter: bool | None
    answers: tuple[str, ...]
    chained: bool = False
    known: bool | None = None
    seen: bool | None = None
    at_once: bool | None = None

    @property
    def lost(self) -> str:
        """Where what is wrong went wrong: in the eyes, in a clip that shows it too shortly, or in what was answered."""
        if self.right or self.known is None:
            return ""
        if not self.known:
            return "eyes"
        return "answer" if self.seen else "clip"


def names(sprites: Sprites) -> list[str]:
    """Return what can be hidden: every drawing, or shapes where there are no drawings."""
    drawn = sorted({name for things in sprites.values() for name in things})
    return drawn or list(SHAPES)


def some_things(random: np.random.Generator, sprites: Sprites, count: int) -> list[Thing]:
    """Return so many different things."""
    chosen = [str(name) for name in random.permutation(names(sprites))[:count]]
    return [_thing(random, sprites, name) for name in chosen]


def _thing(random: np.random.Generator, sprites: Sprites, name: str) -> Thing:
    sets = [source for source, things in sprites.items() if name in things]
    if not sets:
        return Thing(name, colour=str(random.choice(COLOURS)))
    source = str(random.choice(sets))
    return Thing(name, source=source, drawing=int(random.integers(len(sprites[source][name]))))


def says(answer: str, name: str, others: Sequence[str]) -> bool:
    """Say whether `answer` names the thing, and none of the others it could be taken for."""
    words = set(re.findall(r"[a-z]+", answer.lower()))
    return name in words and not words & set(others)


def single(haystack: Haystack, sprites: Sprites, depth: float, seed: int, blind: Memory) -> Found:
    """Hide one picture at `depth`, at a place of its clip by chance, and ask whether it was there.

    Right is who says yes to it and no to something that was never there: to say yes to everything,
    as blind networks tend to, is worth nothing.
    """
    random = np.random.default_rng([seed, round(depth * 1000), len(haystack.clips)])
    thing, *others = some_things(random, sprites, OPTIONS)
    wide = haystack.chat.parts.config.vision.frames_per_clip
    clip = round(depth * (len(haystack.clips) - 1))
    place = clip * wide + int(random.integers(wide))
    side = haystack.frames(0).shape[0]
    needle = picture([thing], sprites, seed, side)
    clips = haystack.with_needles({place: needle})
    memory = haystack.remember(clips)
    wrong = [other.name for other in others]
    told, never = (memory.ask(SEEN.format(_one(name))) for name in (thing.name, wrong[0]))
    options = [str(name) for name in random.permutation([thing.name, *wrong])]
    letter = memory.letter("Which of these was shown?", options)
    right = agrees(told.text) and denies(never.text)
    return Found(
        length=len(clips) * wide,
        depth=depth,
        hops=1,
        right=right,
        hops_right=int(right),
        evidence=told.found(place),
        blind=_knows(blind, thing.name, wrong[0]),
        last=_knows(haystack.remember(clips[-1:]), thing.name, wrong[0]),
        letter=_names(letter, options, thing.name),
        answers=(told.text, never.text),
        known=_names_all(haystack.shows(needle), [thing]),
        seen=_names_all(haystack.named(clips[clip]), [thing]),
    )


def _names_all(named: Sequence[str] | None, things: Sequence[Thing]) -> bool | None:
    """Say whether the eyes name all of `things`; None if they have no words."""
    if named is None:
        return None
    table = word_table()
    return {table[table.of_drawing[thing.name]].name for thing in things} <= set(named)


def _knows(memory: Memory, shown: str, absent: str) -> bool:
    """Say whether it is known that one thing was there and another was not."""
    yes, no = (memory.ask(SEEN.format(_one(name))).text for name in (shown, absent))
    return agrees(yes) and denies(no)


def _names(letter: str | None, options: Sequence[str], name: str) -> bool | None:
    return None if letter is None else options["ABCD".index(letter)] == name


def agrees(answer: str) -> bool:
    """Say whether an answer begins with a yes."""
    return re.match(r"\W*yes\b", answer.lower()) is not None


def denies(answer: str) -> bool:
    """Say whether an answer begins with a no."""
    return re.match(r"\W*no\b", answer.lower()) is not None


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def chain(
    haystack: Haystack, sprites: Sprites, hops: int, distractors: int, seed: int, blind: Memory
) -> Found:
    """Hide pictures that each show a thing beside the next one, in any order of time, and follow them.

    Every hop asks about what the answer before it named; it is right only when all of them are.
    Distractors are pairs of other things.
    """
    random = np.random.default_rng([seed, hops, len(haystack.clips)])
    things = some_things(random, sprites, hops + 1)
    others = some_things(np.random.default_rng(seed), sprites, len(names(sprites)))
    spare = [one for one in others if one.name not in {thing.name for thing in things}]
    pairs = [[things[n], things[n + 1]] for n in range(hops)]
    pairs += [spare[2 * n : 2 * n + 2] for n in range(min(distractors, len(spare) // 2))]
    wide, side = haystack.chat.parts.config.vision.frames_per_clip, haystack.frames(0).shape[0]
    clips = [int(clip) for clip in random.permutation(len(haystack.clips))[: len(pairs)]]
    needles = {
        clip * wide + int(random.integers(wide)): picture(pair, sprites, seed + n, side)
        for n, (clip, pair) in enumerate(zip(clips, pairs, strict=True))
    }
    shown = haystack.with_needles(needles)
    memory = haystack.remember(shown)
    told = list(_follow(memory, things, names(sprites)))
    answers = [one.text for one in told]
    hidden = [one.text for one in _follow(blind, things, names(sprites))]
    last = [one.text for one in _follow(haystack.remember(shown[-1:]), things, names(sprites))]
    options = [str(name) for name in random.permutation([things[1].name, *(s.name for s in spare[-3:])])]  # fmt: skip
    letter = memory.letter(BESIDE.format(things[0].name), options)
    at_once = memory.ask(in_one(things[0].name, hops)).text if hops > 1 else None
    right = _in_a_row(answers, things)
    known = [_names_all(haystack.shows(picture(pair, sprites, seed + n, side)), pair) for n, pair in enumerate(pairs[:hops])]  # fmt: skip
    seen = [_names_all(haystack.named(shown[clip]), pair) for clip, pair in zip(clips, pairs[:hops], strict=False)]  # fmt: skip
    return Found(
        length=len(shown) * wide,
        depth=clips[0] / max(1, len(shown) - 1),
        hops=hops,
        right=right == hops,
        hops_right=right,
        evidence=told[0].found(next(iter(needles))),
        blind=_in_a_row(hidden, things) == hops,
        last=_in_a_row(last, things) == hops,
        letter=_names(letter, options, things[1].name),
        answers=(*answers, *([] if at_once is None else [at_once])),
        chained=True,
        known=None if None in known else all(known),
        seen=None if None in seen else all(seen),
        at_once=None if at_once is None else says(at_once, things[-1].name, []),
    )


def in_one(name: str, hops: int) -> str:
    """Return the question for the end of a chain, all of it at once."""
    told = name
    for _ in range(hops - 1):
        told = HOP.format(told)
    return BESIDE.format(told)


def _follow(memory: Memory, things: Sequence[Thing], known: Sequence[str]) -> Iterator[Told]:
    """Yield the answers hop by hop, each asked about what the one before named.

    Who follows a chain does not go back: what it has led over already is passed over.
    """
    passed = [things[0].name]
    for _ in things[1:]:
        told = memory.ask(BESIDE.format(passed[-1]))
        yield told
        words = re.findall(r"[a-z]+", told.text.lower())
        found = next((word for word in words if word in known and word not in passed), None)
        if found is None:
            return
        passed.append(found)


def _in_a_row(answers: Sequence[str], things: Sequence[Thing]) -> int:
    """Return how many hops are right before the first that is not."""
    named: Callable[[int], bool] = lambda n: says(answers[n], things[n + 1].name, [])  # noqa: E731
    return next((n for n in range(len(things) - 1) if n >= len(answers) or not named(n)), len(things) - 1)  # fmt: skip
