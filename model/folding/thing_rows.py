"""Folding what `lite` keeps of two blocks: things joined by their word, visual tokens thinned.

A thing is known by its word. Of one that both blocks saw the surer report stays. When there are more
things than rows, those go that a reader would miss least: what no few clips in a row ever agreed on
(eyes err), then what most other blocks show as well: that a street has cars is said a hundred times
over, that a horse came by only here. For the same reason a block with a horse is joined to its
neighbours after all that has none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from model.folding.fold import Block, Joined
from model.folding.visual_rows import pruned, unit
from model.vision.things import NONE, SURE

_STEADY = 4.0
"""Clips in a row that say so, from which on there is no doubt that a thing was there."""
_DOUBT = 0.5
"""What a clip that does not say so takes off a row of clips that do."""
_NOTED = 24
"""Things of a block whose figures are kept, beside those that have rows."""
_USUAL = 0.1
"""What a thing weighs that every block shows, beside one that is in no other."""
_LOOKS = 0.1
"""What a change of look weighs beside a change of things."""


@dataclass(frozen=True, slots=True)
class BlockSighting:
    """When a thing was seen in a block.

    Attributes:
        seen: Clips that report it plainly.
        steady: Most that any stretch of clips had for it: one each that reports it, less `_DOUBT` each
            that does not. A thing that was there for ten clips has ten, or nearly; a slip has one.
        first: The same of the best stretch that begins the block.
        last: Of the best that ends it.
    """

    seen: float
    steady: float
    first: float
    last: float

    @property
    def certainty(self) -> float:
        """How sure it is that the thing was there, 0 to 1."""
        return min(self.steady / _STEADY, 1.0) ** 2

    def then(self, other: "BlockSighting", clips: int, others: int) -> "BlockSighting":
        """Return what is known of two neighbours of so many clips together."""
        mine = self.seen - _DOUBT * (clips - self.seen)
        theirs = other.seen - _DOUBT * (others - other.seen)
        return BlockSighting(
            self.seen + other.seen,
            max(self.steady, other.steady, self.last + other.first),
            max(self.first, mine + other.first),
            max(other.last, theirs + self.last),
        )


_UNSEEN = BlockSighting(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """What blocks are compared by.

    Attributes:
        things: When each was seen, by its word.
        look: Direction of the visual tokens' mean; zero where they have no look.
        clips: How many clips the block has.
    """

    things: Mapping[int, BlockSighting]
    look: Float[np.ndarray, " look"]
    clips: int

    def difference(self, word: int, other: "Outline") -> float:
        """Return by how much the shares of clips that show a thing differ, less if all is in doubt.

        Args:
            word: Names the thing.
            other: Of the neighbour that comes after this.
        """
        mine, theirs = self.things.get(word, _UNSEEN), other.things.get(word, _UNSEEN)
        # Of both together: the last clip of five that show a horse is as good as the four before it.
        certainty = mine.then(theirs, self.clips, other.clips).certainty
        return abs(mine.seen / self.clips - theirs.seen / other.clips) * certainty


@dataclass(frozen=True, slots=True)
class Survey:
    """How many of the blocks show each word, and how many blocks there are."""

    showing: Mapping[int, int]
    blocks: int

    def rarity(self, word: int) -> float:
        """Return how much a thing tells a block from others: 1 if no other shows it."""
        shown = log(self.showing.get(word, 0) + 1) / log(self.blocks + 1)
        return 1.0 - (1.0 - _USUAL) * min(shown, 1.0)


class ThingRows:
    """See `model.folding.fold.Rows`.

    Args:
        things: Rows at the beginning of a clip that are things.
        look: Width of a visual token before its code.
        beliefs: Words that a visual token carries, each with a weight.
    """

    def __init__(self, things: int, look: int, beliefs: int) -> None:
        self._things, self._look, self._beliefs = things, look, beliefs

    def outline(self, values: Float[Tensor, "rows width"]) -> Outline:
        """See `model.folding.fold.Rows`."""
        rows = values.numpy()
        code = rows[: self._things, self._look : self._look + 2].tolist()
        once = BlockSighting(1.0, 1.0, 1.0, 1.0)
        things = {int(word): once for word, sure in code if word >= 0 and sure >= SURE}
        return Outline(things, self._mean_look(rows), 1)

    def survey(self, blocks: Sequence[Block]) -> Survey:
        """Count the blocks that show each word."""
        return Survey(Counter(word for b in blocks for word in b.outline.things), len(blocks))

    def unlikeness(self, one: Block, other: Block, survey: Survey) -> float:
        """Return what differs in the thing that tells most, and in look."""
        mine, theirs = one.outline, other.outline
        # Not the sum: two routine scenes that differ in three usual things would be as far apart as
        # either is from the one event of the day.
        things = max(
            (
                survey.rarity(word) * mine.difference(word, theirs)
                for word in mine.things.keys() | theirs.things.keys()
            ),
            default=0.0,
        )
        look = min(1.0, max(0.0, 1.0 - float(mine.look @ theirs.look))) if mine.look.any() else 0.0
        return (things + _LOOKS * look) / (1.0 + _LOOKS)

    def join(self, one: Block, other: Block, survey: Survey) -> Joined:
        """See `model.folding.fold.Rows`."""
        values = np.concatenate([one.tokens.values.numpy(), other.tokens.values.numpy()])
        sizes = np.concatenate([one.sizes, other.sizes])
        keep, first = max(len(one.sizes), len(other.sizes)), len(one.sizes)
        named = [*range(self._things), *range(first, first + self._things)]
        noted = _noted(one.outline, other.outline, survey)
        rows, seen = self._things_of(values[named], sizes[named], noted)
        looks = np.delete(np.arange(len(values)), named)
        visual, stand_for = self._thinned(values[looks], sizes[looks], keep - self._things)
        outline = Outline(noted, self._mean_look(values), one.clips + other.clips)
        joined = torch.from_numpy(np.concatenate([rows, visual]))
        return joined, np.concatenate([seen, stand_for]), outline

    def _things_of(
        self,
        rows: Float[np.ndarray, "n width"],
        sizes: Float[np.ndarray, " n"],
        noted: Mapping[int, BlockSighting],
    ) -> tuple[Float[np.ndarray, "things width"], Float[np.ndarray, " things"]]:
        """Return one row for each thing, as the surer block saw it, the most telling first."""
        best: dict[int, int] = {}
        seen: Counter[int] = Counter()
        code = rows[:, self._look : self._look + 2].tolist()
        for row, ((number, sure), size) in enumerate(zip(code, sizes.tolist(), strict=True)):
            word = int(number)
            if word < 0:
                continue
            seen[word] += size
            if word not in best or sure > code[best[word]][1]:
                best[word] = row
        # Those said plainly as they are noted, the most telling first; then what is half believed.
        half = sorted(best.keys() - noted.keys(), key=lambda word: (-seen[word], word))
        words = [*(word for word in noted if word in best), *half][: self._things]
        kept = np.zeros((self._things, rows.shape[1]), rows.dtype)
        kept[:, self._look :] = NONE
        counts = np.zeros(self._things)
        for place, word in enumerate(words):
            kept[place], counts[place] = rows[best[word]], seen[word]
        return kept, counts

    def _thinned(
        self, rows: Float[np.ndarray, "n width"], sizes: Float[np.ndarray, " n"], keep: int
    ) -> tuple[Float[np.ndarray, "keep width"], Float[np.ndarray, " keep"]]:
        """Return `keep` visual tokens, the firmest belief first, as an encoder leaves them."""
        look = rows[:, : self._look]
        if look.any():
            left, sizes = pruned(unit(look.astype(np.float32)), sizes, keep)
            rows = rows[left]
        order = np.argsort(-rows[:, self._look + self._beliefs], kind="stable")[:keep]
        return rows[order], sizes[order]

    def _mean_look(self, rows: Float[np.ndarray, "n width"]) -> Float[np.ndarray, " look"]:
        mean = rows[self._things :, : self._look].mean(axis=0, dtype=np.float32)
        direction: np.ndarray = mean / max(float(mean @ mean) ** 0.5, 1e-6)
        return direction


def _noted(one: Outline, other: Outline, survey: Survey) -> dict[int, BlockSighting]:
    """Return the things of two neighbours together, the most telling first, `_NOTED` at most."""
    together = {
        word: one.things.get(word, _UNSEEN).then(
            other.things.get(word, _UNSEEN), one.clips, other.clips
        )
        for word in one.things.keys() | other.things.keys()
    }

    def telling(word: int) -> tuple[float, float, int]:
        sighting = together[word]
        return -sighting.certainty * survey.rarity(word), -sighting.seen, word

    return {word: together[word] for word in sorted(together, key=telling)[:_NOTED]}
