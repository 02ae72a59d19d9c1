"""Folding: a stream's clips as a list that never grows beyond a bound, the old ones joined.

What the language model reads of a stream must have an end, the stream has none. So neighbouring
clips are joined to *blocks*: as many rows as one clip, the span and the frames of all of them. The
fold is a pure function of the clips in their order, whatever the pace they came at: a restart that
reads the same clips gives the same blocks, to the last bit.

    clips 1…n ─► [ block of 300 | block of 40 | … | clip | clip | clip ]   at most `most` of them

When the list is full, all but the newest `fresh` have been folded until `keep` are left, always the
two neighbours whose joining costs least: they look alike, and the block they would make is short for
its age. So a scene is joined before a cut is crossed, and how exactly a moment is kept depends on
how long ago it was. That choice is StreamForest's (https://arxiv.org/abs/2509.24871: likeness, age
and how much was merged already); how two blocks become one is the encoder's business (`Rows`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from torch import Tensor

from model.types import ClipTokens

_GAP = 3.0
"""Nothing seen for so many times a clip's length is a cut: the source was away."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One clip, or several neighbours folded to the size of one.

    Attributes:
        tokens: What the language model reads; of a single clip, the clip itself.
        sizes: For every row, how many clips' rows it stands for.
        clips: How many clips were folded.
        outline: What `Rows` compares blocks by.
    """

    tokens: ClipTokens
    sizes: Float[np.ndarray, " rows"]
    clips: int
    outline: Any


Joined = tuple[Float[Tensor, "rows width"], Float[np.ndarray, " rows"], Any]
"""Rows, how many clips' rows each stands for, and the outline of the block that they make."""


@runtime_checkable
class Rows(Protocol):
    """How the rows of one encoder's clips are compared and joined. Pure functions of blocks."""

    def outline(self, values: Float[Tensor, "rows width"]) -> Any:  # noqa: ANN401 - its own affair
        """Return what `unlikeness` and `survey` need to know of a single clip."""
        ...

    def survey(self, blocks: Sequence[Block]) -> Any:  # noqa: ANN401 - handed back to it alone
        """Return what comparing and joining need to know of all blocks there are."""
        ...

    def unlikeness(self, one: Block, other: Block, survey: Any) -> float:  # noqa: ANN401
        """Return how much would be lost by taking one block for the other, from 0 to 1."""
        ...

    def join(self, one: Block, other: Block, survey: Any) -> Joined:  # noqa: ANN401
        """Return the rows of two neighbours as one block's."""
        ...


@dataclass(frozen=True, slots=True)
class FoldPlan:
    """When is folded, and how far.

    Attributes:
        most: Blocks at which the list is folded; it is never longer.
        keep: What is left of all but the newest.
        fresh: Newest clips that a fold leaves as they are. So the fold can be made, and be read by
            the language model, while they arrive, and takes the list's place at the very clip that
            fills it.
        cut: What joining two blocks that show nothing alike costs, against joining to a block as
            long as its own age.
    """

    most: int
    keep: int
    fresh: int
    cut: float = 4.0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: If a fold would leave nothing, or the next one would fall due with it.
        """
        if self.keep < 1 or self.fresh < 0 or self.keep + 2 * self.fresh >= self.most:
            raise ValueError(f"a fold leaves a block and room for the next clips, not with {self}")

    @property
    def older(self) -> int:
        """How many blocks, the oldest, a fold begins with."""
        return self.most - self.fresh

    @staticmethod
    def within(most: int) -> "FoldPlan":
        """Return the plan for lists of at most `most` blocks, 2 or more: a fold leaves half."""
        fresh = most // 8
        return FoldPlan(most, keep=most // 2 - fresh, fresh=fresh)


class Fold:
    """The folded list of one stream's clips. The same clips in the same order give the same list.

    Args:
        rows: How the encoder's rows are joined.
        plan: When, and how far.

    Attributes:
        blocks: Oldest first.
        folds: How often the list was folded.
        clips: How many clips were added.
    """

    def __init__(self, rows: Rows, plan: FoldPlan) -> None:
        self._rows = rows
        self._plan = plan
        self._joining: Joining | None = None
        self.blocks: list[Block] = []
        self.folds = 0
        self.clips = 0

    @property
    def tokens(self) -> list[ClipTokens]:
        """What the language model reads, oldest first."""
        # A copy first: another thread may ask while this one folds.
        return [block.tokens for block in list(self.blocks)]

    @property
    def prepared(self) -> bool:
        """Whether `next_tokens` are known."""
        return self._joining is not None and self._joining.done

    @property
    def next_tokens(self) -> list[ClipTokens] | None:
        """What it will read once the list is full, as far as that is known; None if it is not."""
        if self._joining is None or not self._joining.done:
            return None
        newer = self.blocks[self._plan.older :]
        return [block.tokens for block in [*self._joining.blocks, *newer]]

    @property
    def unprepared(self) -> bool:
        """Whether `prepare` has anything to do."""
        return self._joining is not None and not self._joining.done

    @property
    def room(self) -> int:
        """How many clips may be added until the list is folded, the one that fills it included."""
        return self._plan.most - len(self.blocks)

    @property
    def bytes(self) -> int:
        """Memory that the blocks hold."""
        return sum(block.tokens.values.nbytes + block.sizes.nbytes for block in self.blocks)

    def add(self, clip: ClipTokens) -> bool:
        """Add the next clip; say whether the list was folded."""
        sizes = np.ones(len(clip.values))
        self.blocks.append(Block(clip, sizes, 1, self._rows.outline(clip.values)))
        self.clips += 1
        plan = self._plan
        if len(self.blocks) == plan.older:
            self._joining = Joining(self.blocks, plan.keep, self._rows, plan.cut)
        if len(self.blocks) < plan.most:
            return False
        assert self._joining is not None
        while self.prepare():
            pass
        self.blocks[: plan.older] = self._joining.blocks
        self._joining = None
        self.folds += 1
        return True

    def prepare(self) -> bool:
        """Do a little of the work of the next fold, if there is any to do now; say so."""
        if self._joining is None or self._joining.done:
            return False
        self._joining.step()
        return True


class Joining:
    """Blocks on their way to fewer: the two neighbours that cost least are joined, again and again.

    Args:
        blocks: Neighbours, oldest first; what comes after the last does not matter.
        keep: How many are to be left, at least 1.
        rows: How they are compared and joined.
        cut: See `FoldPlan`.

    Attributes:
        blocks: What is left.
    """

    def __init__(self, blocks: Sequence[Block], keep: int, rows: Rows, cut: float = 4.0) -> None:
        self.blocks = list(blocks)
        self._keep, self._rows, self._cut = max(keep, 1), rows, cut
        self._survey = rows.survey(blocks)
        self._apart = [self._between(one, other) for one, other in pairwise(blocks)]

    @property
    def done(self) -> bool:
        """Whether no more are to be joined."""
        return len(self.blocks) <= self._keep

    def step(self) -> None:
        """Join two neighbours."""
        left, apart = self.blocks, self._apart
        at = _cheapest(left, apart, self._cut)
        left[at : at + 2] = [self._join(left[at], left[at + 1])]
        del apart[at]
        for pair in (at - 1, at):
            if 0 <= pair < len(apart):
                apart[pair] = self._between(left[pair], left[pair + 1])

    def _between(self, one: Block, other: Block) -> float:
        shortest = min(_seconds(one), _seconds(other))
        if other.tokens.start - one.tokens.end > _GAP * max(shortest, 1.0):
            return 1.0
        return self._rows.unlikeness(one, other, self._survey)

    def _join(self, one: Block, other: Block) -> Block:
        values, sizes, outline = self._rows.join(one, other, self._survey)
        first, last = one.tokens, other.tokens
        tokens = ClipTokens(values, first.start, last.end, first.frames + last.frames)
        return Block(tokens, sizes, one.clips + other.clips, outline)


def _cheapest(blocks: Sequence[Block], apart: Sequence[float], cut: float) -> int:
    """Return the first of the two neighbours that cost least to join; of equals, the oldest."""
    sizes = np.array([block.clips for block in blocks], dtype=np.float64)
    ages = np.cumsum(sizes[::-1])[::-1] - sizes  # clips that came after each
    size, age = sizes[:-1] + sizes[1:], ages[1:]
    return int(np.argmin(cut * np.array(apart) + size / (size + age)))


def _seconds(block: Block) -> float:
    return (block.tokens.end - block.tokens.start) / block.clips
