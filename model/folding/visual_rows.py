"""Folding the visual tokens of two blocks to one block's worth.

Of all tokens of both, the two that are most alike are found again and again, and one of them goes:
by *pruning* the one that stands for less is left out, by *merging* the other becomes the mean of
both. What is unlike everything else stays either way. Pruning keeps tokens that an encoder really
made, which is what a language model was taught to read (docs/decisions).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from model.folding.fold import Block, Joined

Way = Literal["prune", "merge"]


class VisualRows:
    """Plain visual tokens: any encoder whose rows are directions in one space.

    Args:
        way: What becomes of two tokens that are alike.
    """

    def __init__(self, way: Way = "prune") -> None:
        self._way = way

    def outline(self, values: Float[Tensor, "rows width"]) -> Float[np.ndarray, "rows width"]:
        """Return the rows' directions."""
        return unit(values.float().numpy())

    def survey(self, blocks: Sequence[Block]) -> None:
        """Return nothing: two blocks are joined whatever the others show."""

    def unlikeness(self, one: Block, other: Block, survey: None) -> float:
        """Return how far each token of either is from its nearest in the other, on average."""
        return 1.0 - _likeness(one.outline, other.outline)

    def join(self, one: Block, other: Block, survey: None) -> Joined:
        """See `model.folding.fold.Rows`."""
        values = torch.cat([one.tokens.values, other.tokens.values])
        sizes = np.concatenate([one.sizes, other.sizes])
        keep = max(len(one.sizes), len(other.sizes))
        if self._way == "prune":
            rows, sizes = pruned(unit(values.float().numpy()), sizes, keep)
            values = values[rows]
        else:
            means, sizes = merged(values.float().numpy(), sizes, keep)
            values = torch.from_numpy(means).to(values.dtype)
        return values, sizes, self.outline(values)


def _likeness(
    one: Float[np.ndarray, "rows width"], other: Float[np.ndarray, "more width"]
) -> float:
    """Return how near each row of either has its nearest in the other, on average, 0 to 1."""
    if not len(one) or not len(other):
        return 1.0
    cosines = one @ other.T
    mean = (cosines.max(axis=1).mean() + cosines.max(axis=0).mean()) / 2
    return float(np.clip(mean, 0.0, 1.0))


def pruned(
    facing: Float[np.ndarray, "n width"], sizes: Float[np.ndarray, " n"], keep: int
) -> tuple[Int64[np.ndarray, " keep"], Float[np.ndarray, " keep"]]:
    """Return which `keep` of the rows stay, in their order, and what each then stands for.

    Args:
        facing: The rows at length 1.
        sizes: What each stands for now.
        keep: How many stay.
    """
    cosines, sizes = _cosines(facing), sizes.copy()
    left = np.ones(len(facing), dtype=bool)
    for _ in range(len(facing) - keep):
        stays, goes = _most_alike(cosines, sizes)
        sizes[stays] += sizes[goes]
        left[goes] = False
        cosines[goes], cosines[:, goes] = -np.inf, -np.inf
    rows = left.nonzero()[0]
    return rows, sizes[rows]


def merged(
    values: Float[np.ndarray, "n width"], sizes: Float[np.ndarray, " n"], keep: int
) -> tuple[Float[np.ndarray, "keep width"], Float[np.ndarray, " keep"]]:
    """Return the rows averaged until `keep` are left, each by what it stands for."""
    values, sizes = values.copy(), sizes.copy()
    facing = unit(values)
    cosines, left = _cosines(facing), np.ones(len(values), dtype=bool)
    for _ in range(len(values) - keep):
        stays, goes = _most_alike(cosines, sizes)
        share = sizes[stays] / (sizes[stays] + sizes[goes])
        values[stays] = share * values[stays] + (1 - share) * values[goes]
        sizes[stays] += sizes[goes]
        left[goes] = False
        cosines[goes], cosines[:, goes] = -np.inf, -np.inf
        facing[stays] = unit(values[stays : stays + 1])[0]
        fresh = np.where(left, facing @ facing[stays], -np.inf)
        fresh[stays] = -np.inf
        cosines[stays], cosines[:, stays] = fresh, fresh
    return values[left], sizes[left]


def _cosines(facing: Float[np.ndarray, "n width"]) -> Float[np.ndarray, "n n"]:
    cosines: np.ndarray = facing @ facing.T
    np.fill_diagonal(cosines, -np.inf)
    return cosines


def _most_alike(
    cosines: Float[np.ndarray, "n n"], sizes: Float[np.ndarray, " n"]
) -> tuple[int, int]:
    """Return, of the two rows most alike, the one that stays and the one that goes."""
    one, other = divmod(int(cosines.argmax()), len(cosines))
    # The one that stands for more stays, of equals the earlier.
    stays, goes = sorted((one, other), key=lambda row: (-sizes[row], row))
    return stays, goes


def unit(array: Float[np.ndarray, "n width"]) -> Float[np.ndarray, "n width"]:
    """Return rows at length 1; those of no length stay as they are."""
    length = np.linalg.norm(array, axis=1, keepdims=True)
    rows: np.ndarray = array / np.maximum(length, 1e-6)
    return rows
