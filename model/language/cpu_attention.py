"""Attention over a long past by plain matrix products, where they beat torch's fused kernel.

In bfloat16 on a processor, the fused kernel reaches a third of what the linear layers reach. Two
products around an exponential, on tiles whose scores stay in the cache, are 1.4 to 2 times as fast.
A tile does not look for its largest score first, it shifts all of them by the log-sum-exp of what
was read before: that changes no result, and in so coarse numbers rounds least what matters most.
"""

import math
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from model.language.row_rounding import rounded

Block = Float[Tensor, "kv_heads _ dim"]
"""Keys, or values, of any number of tokens."""

_QUERIES = 32
"""Query rows of a key head from which products pay: a single word's are too few."""
_KEYS = 1024
"""Keys from which they pay."""
_MANY = 256
"""Query rows from which as many keys are enough: several clips at once."""
_SCORES = 2**20
"""Scores of a tile, two bytes each."""
_ROUND_QUERIES, _ROUND_KEYS = 64, 128
"""What the sides of a tile are rounded up to, see `model/language/row_rounding.py`."""


def products_pay(queries: Float[Tensor, "kv_heads n dim"]) -> bool:
    """Say whether `queries` are better answered by products."""
    coarse = queries.device.type == "cpu" and queries.dtype == torch.bfloat16
    return coarse and queries.shape[1] >= _QUERIES


def tiles(
    past: Iterable[tuple[Block, Block]], queries: Float[Tensor, "kv_heads n dim"]
) -> Iterator[tuple[Block, Block]]:
    """Cut keys and values into pieces whose scores with `queries` stay in the cache."""
    longest = max(1 << (_SCORES // queries.shape[1]).bit_length() - 1, _KEYS)  # of few sizes
    for keys, values in past:
        yield from zip(
            torch.split(keys, longest, dim=1), torch.split(values, longest, dim=1), strict=True
        )


def attend_by_products(
    queries: Float[Tensor, "kv_heads n dim"],
    keys: Block,
    values: Block,
    shift: Float[Tensor, "kv_heads n"],
) -> tuple[Float[Tensor, "kv_heads n dim"], Float[Tensor, "kv_heads n"]] | None:
    """Return attention over one tile and its log-sum-exp.

    None if the tile is too short to pay, or its scores lie so far from `shift` (by some 88) that
    their exponentials cannot be told from zero or infinity: then the fused kernel is needed.

    Args:
        queries: Of the query heads that share a key head, stacked.
        keys: Of the tile.
        values: Of the tile.
        shift: What to take off the scaled scores of each query.
    """
    if keys.shape[1] < (_KEYS if queries.shape[1] < _MANY else _MANY):
        return None
    asked = queries.shape[1]
    queries, lowered = (
        rounded(rows, _ROUND_QUERIES) for rows in (queries, -shift.to(queries.dtype).unsqueeze(-1))
    )
    out, sums = _head_by_head(queries, keys, values, lowered)
    out, sums = out[:, :asked], sums[:, :asked]
    if not bool((torch.isfinite(sums) & (sums > 0)).all()):
        return None
    total = sums.float()
    return out / total.unsqueeze(-1), total.log() - lowered[:, :asked, 0].float()


def _head_by_head(
    queries: Float[Tensor, "kv_heads n dim"],
    keys: Block,
    values: Block,
    lowered: Float[Tensor, "kv_heads n 1"],
) -> tuple[Float[Tensor, "kv_heads n dim"], Float[Tensor, "kv_heads n"]]:
    """Return the sums of values, weighted by exponentials of scores plus `lowered`, and those of weights."""
    scale = 1 / math.sqrt(queries.shape[-1])
    seen = keys.shape[1]
    keys, values = rounded(keys, _ROUND_KEYS), rounded(values, _ROUND_KEYS)
    out, sums = torch.empty_like(queries), torch.empty_like(queries[..., 0])
    scores = queries.new_empty(queries.shape[1], keys.shape[1])
    # Head by head: of a batch that does not lie in one piece, torch would make a copy first.
    for head in range(len(keys)):
        scores.copy_(lowered[head].expand_as(scores))
        scores.addmm_(queries[head], keys[head].mT, alpha=scale)
        scores[:, seen:] = -math.inf  # keys that are not there
        scores.exp_()
        torch.sum(scores, dim=-1, out=sums[head])
        torch.mm(scores, values[head], out=out[head])
    return out, sums
