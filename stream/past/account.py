"""An account of a long past, told in parts: a small language model loses its way in a long list.

    history --scenes_of--> scenes --plan_account--> parts of a few scenes each
    part --Engine.answer, from its originals alone--> "First a cat, then a dog." --told--> one answer

A part is a past of its own, as a range is: the first clips of its scenes as memory holds them, which
the language model reads afresh and tells in order. The words come as they are written.
"""

import re
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import pairwise

from model.types import AnswerPiece, Evidence, Finish, FinishReason, Question, Usage, Words
from model.vision.changes import SceneSoFar as Following
from model.vision.changes import follow
from stream.past.account_words import TOLD_AS
from stream.past.presence import Shown, without_glimpses
from stream.past.second_look import Span
from stream.past.wording import minutes

SCENES_AT_ONCE = 5
"""Scenes that are told in one go."""
SCENES_OF_A_PART = 4
MOST_PARTS = 10
NEWEST = 10
"""Scenes of a longer past that are told however short they were: the newest."""
LOOKED_AT = 6
"""Clips of a scene that are read, the first ones."""
_PART_TOKENS = 72
"""Tokens that one part may take, so that one that goes on and on leaves room for the others."""

_OPENING = re.compile(r"\s*(?:First )?(\w?)(?![A-Z])")
_OPENING_LENGTH = 8

Answer = Callable[[Sequence[Span], Question], AsyncGenerator[AnswerPiece, None]]
"""Answers a question from parts of the past alone, each from the start of its first clip to its last's."""


@dataclass(frozen=True, slots=True)
class AccountScene:
    """Neighbouring clips of one main thing.

    Attributes:
        start: First media second.
        end: Last media second.
        read: Where the clips lie that are enough to tell it by.
        glimpsed: Whether clips of it are passed over, for what they alone half saw.
    """

    start: float
    end: float
    read: tuple[Span, ...]
    glimpsed: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What is to be told.

    Attributes:
        parts: Scenes that are told together, oldest first.
        scenes: How many there are, those that are left out among them.
    """

    parts: tuple[tuple[AccountScene, ...], ...]
    scenes: int

    @property
    def told(self) -> int:
        """How many scenes are told."""
        return sum(len(part) for part in self.parts)


def scenes_of(history: Sequence[Shown], frames: int) -> list[AccountScene]:
    """Return the scenes of `history` as the markers of its clips tell them apart.

    What comes before the first thing that has a name belongs to that one's scene. What one clip alone
    half saw makes no scene, and that clip is not read where others show the same.

    Args:
        history: Oldest first; blocks of folded clips may be among them.
        frames: That a clip has which is not folded.
    """
    groups: list[list[tuple[Shown, bool]]] = []
    shown: Following | None = None
    for one, steady in zip(history, without_glimpses(history, frames), strict=True):
        change, shown = follow(shown, steady.things)
        if not groups or (change is not None and change.before):
            groups.append([])
        groups[-1].append((one, len(steady.things) == len(one.things)))
    return [_scene(group, frames) for group in groups]


def too_much_at_once(scenes: Sequence[AccountScene]) -> bool:
    """Say whether `scenes` are better told in parts than by the whole history."""
    return len(scenes) > SCENES_AT_ONCE or any(scene.glimpsed for scene in scenes)


def plan_account(scenes: Sequence[AccountScene]) -> Account:
    """Return which scenes are told, and which of them together.

    Of more than there is room for those are told that lasted longest, and the newest.
    """
    most = MOST_PARTS * SCENES_OF_A_PART
    told = list(scenes)
    if len(told) > most:
        older, newest = told[:-NEWEST], told[-NEWEST:]
        longest = sorted(range(len(older)), key=lambda n: (older[n].start - older[n].end, n))
        told = [older[n] for n in sorted(longest[: most - NEWEST])] + newest
    count = -(-len(told) // SCENES_OF_A_PART)
    cuts = [len(told) * n // count for n in range(count + 1)]
    parts = (tuple(told[a:b]) for a, b in pairwise(cuts))
    return Account(tuple(parts), len(scenes))


async def tell(
    account: Account, question: Question, answer: Answer
) -> AsyncGenerator[AnswerPiece, None]:
    """Tell `account` part by part, as words come; use `aclosing`.

    Its evidence is that of all parts, its usage their sum.

    Args:
        account: What is to be told.
        question: That asked for it; its tokens are those of all parts.
        answer: Has a question answered from a part.
    """
    finishes: list[Finish] = []
    reason: FinishReason = "stop"
    for part in account.parts:
        left = question.tokens - sum(f.usage.answer_tokens for f in finishes)
        if left < 1:
            reason = "length"
            break
        put = replace(
            question, text=TOLD_AS, conversation=(), tokens=min(left, _PART_TOKENS),
            since=None, until=None, duration=None,
        )  # fmt: skip
        opening = _opening(part, first=not finishes)
        async with aclosing(answer([span for s in part for span in s.read], put)) as pieces:
            async for piece in _after(opening, pieces):
                if isinstance(piece, Finish):
                    finishes.append(piece)
                else:
                    yield piece
        if finishes[-1].reason == "cancelled":
            reason = "cancelled"
            break
        if finishes[-1].reason == "length":
            yield Words("…")
    else:
        if account.told < account.scenes:
            yield Words(_left_out(account))
    yield _finish(reason, finishes, account)


def _scene(group: Sequence[tuple[Shown, bool]], frames: int) -> AccountScene:
    start, end = group[0][0].start, group[-1][0].end
    glimpsed = not all(steady for _, steady in group)
    passed_over = glimpsed and any(steady for _, steady in group)
    spans: list[Span] = []
    wanted, follows = float(LOOKED_AT), False
    for one, steady in group:
        if passed_over and not steady:
            follows = False
            continue
        clips, first, until = max(1.0, one.frames / frames), one.start, one.end
        if clips >= wanted:
            until = first + (wanted - 0.5) * (until - first) / clips
        spans = [*spans[:-1], (spans[-1][0], until)] if follows else [*spans, (first, until)]
        wanted, follows = wanted - clips, True
        if wanted <= 0:
            break
    return AccountScene(start, end, tuple(spans), glimpsed)


def _opening(part: Sequence[AccountScene], *, first: bool) -> str:
    gap = "" if first else " "
    return f"{gap}From {minutes(part[0].start)} to {minutes(part[-1].end)}: "


async def _after(
    opening: str, pieces: AsyncGenerator[AnswerPiece, None]
) -> AsyncGenerator[AnswerPiece, None]:
    """Yield an answer as it goes on behind `opening`: without its own "First" and its capital."""
    held: str | None = ""
    async for piece in pieces:
        text = piece.text if isinstance(piece, Words) else ""
        if held is None:
            yield piece
            continue
        held += text
        if len(held) >= _OPENING_LENGTH or isinstance(piece, Finish):
            yield Words(opening + _OPENING.sub(lambda found: found[1].lower(), held, count=1))
            held = None
            if isinstance(piece, Finish):
                yield piece


def _left_out(account: Account) -> str:
    return (
        f" Those are {account.told} of {account.scenes} scenes: the newest, and those that lasted "
        "longest."
    )


def _finish(reason: FinishReason, finishes: Sequence[Finish], account: Account) -> Finish:
    share = 1.0 / max(len(finishes), 1)
    evidence = (replace(e, score=e.score * share) for f in finishes for e in f.evidence)
    usages = [finish.usage for finish in finishes]
    told = account.parts[: len(finishes)]
    usage = Usage(
        clips=sum(u.clips for u in usages),
        frames=sum(u.frames for u in usages),
        visual_tokens=sum(u.visual_tokens for u in usages),
        tokens_kept=sum(u.tokens_kept for u in usages),
        prompt_tokens=sum(u.prompt_tokens for u in usages),
        answer_tokens=sum(u.answer_tokens for u in usages),
        start=min(part[0].start for part in told),
        end=max(part[-1].end for part in told),
    )
    return Finish(reason, tuple(_in_order(evidence)), usage)


def _in_order(evidence: Iterator[Evidence]) -> list[Evidence]:
    return sorted(evidence, key=lambda one: one.start)
