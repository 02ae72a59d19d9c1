"""Folding what `lite` keeps of two blocks: things joined by their word, visual tokens thinned.

A thing is known by its word. Of one that both blocks saw the surer report stays, and how many clips
saw it is counted. When there are more things than rows, those go that a reader would miss least:
what only one clip ever reported (eyes err), then what most other blocks show as well: that a street
has cars is said a hundred times over, that a horse came by only here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from model.folding.fold import Block
from model.folding.visual_rows import pruned, unit
from model.vision.things import NONE, SURE


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """What blocks are compared by.

    Attributes:
        words: Of the things said plainly, with the share of clips that say so.
        look: Direction of the visual tokens' mean; zero where they have no look.
    """

    words: Mapping[int, float]
    look: Float[np.ndarray, " look"]


@dataclass(frozen=True, slots=True)
class Survey:
    """How many of the blocks show each word, and how many blocks there are."""

    showing: Mapping[int, int]
    blocks: int

    def rarity(self, word: int) -> float:
        """Return how much a thing tells this block from others; 0 if all show it."""
        return log((self.blocks + 1) / (self.showing.get(word, 0) + 1))


class ThingRows:
    """See `model.folding.fold.Rows`.

    Args:
        things: Rows at the beginning of a clip that are things.
        look: Width of a visual token before its code.
        beliefs: Words that a visual token carries, each with a weight.
    """

    def __init__(self, things: int, look: int, beliefs: int) -> None:
        self._things, self._look, self._beliefs = things, look, beliefs

    def outline(
        self, values: Float[Tensor, "rows width"], sizes: Float[np.ndarray, " rows"], clips: int
    ) -> Outline:
        """See `model.folding.fold.Rows`."""
        rows = values.numpy()
        code = rows[: self._things, self._look : self._look + 2].tolist()
        words = {
            int(word): min(size / clips, 1.0)
            for (word, sure), size in zip(code, sizes.tolist(), strict=False)
            if word >= 0 and sure >= SURE
        }
        mean = rows[self._things :, : self._look].mean(axis=0, dtype=np.float32)
        return Outline(words, mean / max(float(mean @ mean) ** 0.5, 1e-6))

    def likeness(self, one: Block, other: Block) -> float:
        """Return how far words agree, and the look as well where both have one."""
        first, second = one.outline, other.outline
        words = _agreement(first.words, second.words)
        if not first.look.any() or not second.look.any():
            return words
        return (words + max(0.0, float(first.look @ second.look))) / 2

    def survey(self, blocks: Sequence[Block]) -> Survey:
        """Count the blocks that show each word."""
        return Survey(Counter(word for b in blocks for word in b.outline.words), len(blocks))

    def join(
        self, one: Block, other: Block, survey: Survey
    ) -> tuple[Float[Tensor, "rows width"], Float[np.ndarray, " rows"]]:
        """See `model.folding.fold.Rows`."""
        values = np.concatenate([one.tokens.values.numpy(), other.tokens.values.numpy()])
        sizes = np.concatenate([one.sizes, other.sizes])
        keep, first = max(len(one.sizes), len(other.sizes)), len(one.sizes)
        named = [*range(self._things), *range(first, first + self._things)]
        chosen, seen = self._things_of(values[named], sizes[named], one.clips + other.clips, survey)
        rows = np.zeros((self._things, values.shape[1]), values.dtype)
        rows[:, self._look :] = NONE
        rows[: len(chosen)] = values[named][chosen]
        looks = np.delete(np.arange(len(values)), named)
        visual, stand_for = self._thinned(values[looks], sizes[looks], keep - self._things)
        return torch.from_numpy(np.concatenate([rows, visual])), np.concatenate([seen, stand_for])

    def _things_of(
        self,
        rows: Float[np.ndarray, "n width"],
        sizes: Float[np.ndarray, " n"],
        clips: int,
        survey: Survey,
    ) -> tuple[list[int], Float[np.ndarray, " things"]]:
        """Return which rows are kept of the things of two blocks, and how many clips saw each."""
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

        def weight(word: int) -> tuple[bool, bool, float, int]:
            plainly, often = code[best[word]][1] >= SURE, (seen[word] / clips) ** 0.25
            return plainly, seen[word] > 1, often * survey.rarity(word), -word

        words = sorted(best, key=weight, reverse=True)[: self._things]
        counts = np.zeros(self._things)
        counts[: len(words)] = [seen[word] for word in words]
        return [best[word] for word in words], counts

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


def _agreement(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Return the share of what either shows that both show; 1 if neither shows anything."""
    words = one.keys() | other.keys()
    both = sum(min(one.get(word, 0.0), other.get(word, 0.0)) for word in words)
    either = sum(max(one.get(word, 0.0), other.get(word, 0.0)) for word in words)
    return both / either if either else 1.0
