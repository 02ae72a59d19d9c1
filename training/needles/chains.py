"""Chains of needles: pictures that each show a thing beside the next one, followed hop by hop and in one question."""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from training.drawn.drawings import Sprites
from training.drawn.scenes import DrawnThing
from training.errors import BadData
from training.needles.asking import Memory, NeedleAnswer
from training.needles.haystack import Haystack, picture
from training.needles.trials import (
    NONE_KNOWN,
    TrialResult,
    letter_names,
    names,
    names_all,
    says,
    some_things,
)

BESIDE = "What was shown beside the {}?"
HOP = "thing that was shown beside the {}"
_TRIES = 12
"""Things that are tried beside another before the chain begins with another one."""


def chain(
    haystack: Haystack,
    sprites: Sprites,
    hops: int,
    distractors: int,
    seed: int,
    blind: Memory,
    *,
    known: bool = False,
) -> TrialResult:
    """Hide pictures that each show a thing beside the next one, in any order of time, and follow them.

    Every hop asks about what the answer before it named; it is right only when all of them are.
    Distractors are pairs of other things.

    Args:
        haystack: To hide them in.
        sprites: To choose from; none are shapes.
        hops: Pictures of the chain.
        distractors: Pictures that lead nowhere.
        seed: Decides every choice.
        blind: What has seen nothing.
        known: Whether only pictures are hidden of which the eyes name both things.

    Raises:
        BadData: If there are none.
    """
    random = np.random.default_rng([seed, hops, len(haystack.clips)])
    things = some_things(random, sprites, hops + 1)
    if known:
        things = _known_chain(haystack, sprites, hops, seed, random)
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
    alone = [names_all(haystack.shows(picture(pair, sprites, seed + n, side)), pair) for n, pair in enumerate(pairs[:hops])]  # fmt: skip
    seen = [names_all(haystack.named(shown[clip]), pair) for clip, pair in zip(clips, pairs[:hops], strict=False)]  # fmt: skip
    return TrialResult(
        length=len(shown) * wide,
        depth=clips[0] / max(1, len(shown) - 1),
        hops=hops,
        right=right == hops,
        hops_right=right,
        evidence=told[0].found(next(iter(needles))),
        blind=_in_a_row(hidden, things) == hops,
        last=_in_a_row(last, things) == hops,
        letter=letter_names(letter, options, things[1].name),
        answers=(*answers, *([] if at_once is None else [at_once])),
        chained=True,
        known=None if None in alone else all(alone),
        seen=None if None in seen else all(seen),
        at_once=None if at_once is None else says(at_once, things[-1].name, []),
    )


def _known_chain(
    haystack: Haystack, sprites: Sprites, hops: int, seed: int, random: np.random.Generator
) -> list[DrawnThing]:
    """Return things of which the eyes name each with the next, when both are shown to them.

    Raises:
        BadData: If they name none so.
    """
    side = haystack.frames(0).shape[0]
    pool = some_things(random, sprites, len(names(sprites)))

    def follows(things: Sequence[DrawnThing], one: DrawnThing) -> bool:
        pair = [things[-1], one]
        return bool(names_all(haystack.shows(picture(pair, sprites, seed + len(things) - 1, side)), pair))  # fmt: skip

    for first in pool:
        things = [first]
        while len(things) <= hops:
            left = [one for one in pool if one not in things][:_TRIES]
            after = next((one for one in left if follows(things, one)), None)
            if after is None:  # this one is not named beside anything
                break
            things.append(after)
        else:
            return things
    raise BadData(NONE_KNOWN)


def in_one(name: str, hops: int) -> str:
    """Return the question for the end of a chain, all of it at once."""
    told = name
    for _ in range(hops - 1):
        told = HOP.format(told)
    return BESIDE.format(told)


def _follow(
    memory: Memory, things: Sequence[DrawnThing], known: Sequence[str]
) -> Iterator[NeedleAnswer]:
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


def _in_a_row(answers: Sequence[str], things: Sequence[DrawnThing]) -> int:
    """Return how many hops are right before the first that is not."""
    named: Callable[[int], bool] = lambda n: says(answers[n], things[n + 1].name, [])  # noqa: E731
    return next((n for n in range(len(things) - 1) if n >= len(answers) or not named(n)), len(things) - 1)  # fmt: skip
