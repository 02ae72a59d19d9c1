"""Single-hop and multi-hop needles: what is hidden, what is asked, and what counts as right.

A needle that the eyes cannot name, however long it is shown, measures the eyes and no memory. So what is hidden
is shown to them alone as well: shares are told of all needles and of those that they name then, and of every
needle that is missed it is told where it was lost.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model.vision.vocabulary import word_table
from training.drawn.backgrounds import Pixels
from training.drawn.drawings import Sprites
from training.drawn.scenes import SHAPES, DrawnThing
from training.errors import BadData
from training.needles.asking import Memory
from training.needles.haystack import Haystack, picture

SEEN = "Was there {}?"
COLOURS = ("red", "blue", "green", "yellow", "purple", "orange")
OPTIONS = 4
NONE_KNOWN = "the eyes of this model name none of what is to be hidden: leave out --known"


@dataclass(frozen=True, slots=True)
class TrialResult:
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


def some_things(random: np.random.Generator, sprites: Sprites, count: int) -> list[DrawnThing]:
    """Return so many different things."""
    chosen = [str(name) for name in random.permutation(names(sprites))[:count]]
    return [_thing(random, sprites, name) for name in chosen]


def _thing(random: np.random.Generator, sprites: Sprites, name: str) -> DrawnThing:
    sets = [source for source, things in sprites.items() if name in things]
    if not sets:
        return DrawnThing(name, colour=str(random.choice(COLOURS)))
    source = str(random.choice(sets))
    return DrawnThing(name, source=source, drawing=int(random.integers(len(sprites[source][name]))))


def says(answer: str, name: str, others: Sequence[str]) -> bool:
    """Say whether `answer` names the thing, and none of the others it could be taken for."""
    words = set(re.findall(r"[a-z]+", answer.lower()))
    return name in words and not words & set(others)


def single(
    haystack: Haystack,
    sprites: Sprites,
    depth: float,
    seed: int,
    blind: Memory,
    *,
    known: bool = False,
) -> TrialResult:
    """Hide one picture at `depth`, at a place of its clip by chance, and ask whether it was there.

    Right is who says yes to it and no to something that was never there: to say yes to everything,
    as blind networks tend to, is worth nothing.

    Args:
        haystack: To hide it in.
        sprites: To choose from; none are shapes.
        depth: From 0 to 1.
        seed: Decides every choice.
        blind: What has seen nothing.
        known: Whether only what the eyes name is hidden.

    Raises:
        BadData: If that is nothing.
    """
    random = np.random.default_rng([seed, round(depth * 1000), len(haystack.clips)])
    thing, *others = some_things(random, sprites, OPTIONS)
    if known:
        side = haystack.frames(0).shape[0]
        pool = [thing, *others, *some_things(random, sprites, len(names(sprites)))]
        thing = first_known(haystack, pool, lambda one: picture([one], sprites, seed, side))
        others = [one for one in pool if one.name != thing.name][: OPTIONS - 1]
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
    return TrialResult(
        length=len(clips) * wide,
        depth=depth,
        hops=1,
        right=right,
        hops_right=int(right),
        evidence=told.found(place),
        blind=_knows(blind, thing.name, wrong[0]),
        last=_knows(haystack.remember(clips[-1:]), thing.name, wrong[0]),
        letter=letter_names(letter, options, thing.name),
        answers=(told.text, never.text),
        known=names_all(haystack.shows(needle), [thing]),
        seen=names_all(haystack.named(clips[clip]), [thing]),
    )


def names_all(named: Sequence[str] | None, things: Sequence[DrawnThing]) -> bool | None:
    """Say whether the eyes name all of `things`; None if they have no words."""
    if named is None:
        return None
    table = word_table()
    return {table[table.of_drawing[thing.name]].name for thing in things} <= set(named)


def first_known(
    haystack: Haystack,
    pool: Sequence[DrawnThing],
    shown: Callable[[DrawnThing], Pixels],
) -> DrawnThing:
    """Return the first of `pool` that the eyes name when it is shown.

    Raises:
        BadData: If there is none.
    """
    for one in pool:
        if names_all(haystack.shows(shown(one)), [one]):
            return one
    raise BadData(NONE_KNOWN)


def _knows(memory: Memory, shown: str, absent: str) -> bool:
    """Say whether it is known that one thing was there and another was not."""
    yes, no = (memory.ask(SEEN.format(_one(name))).text for name in (shown, absent))
    return agrees(yes) and denies(no)


def letter_names(letter: str | None, options: Sequence[str], name: str) -> bool | None:
    """Say whether the option of `letter` is `name`; None if there is no letter."""
    return None if letter is None else options["ABCD".index(letter)] == name


def agrees(answer: str) -> bool:
    """Say whether an answer begins with a yes."""
    return re.match(r"\W*yes\b", answer.lower()) is not None


def denies(answer: str) -> bool:
    """Say whether an answer begins with a no."""
    return re.match(r"\W*no\b", answer.lower()) is not None


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
