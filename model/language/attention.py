"""Exact attention over keys and values that lie in several places.

A question attends to the history's caches, which it must not touch, and to its own; the history
itself grows in blocks. Neither is ever joined into one tensor. Each place gives a partial
result and the log-sum-exp of its scores, and the two are enough to put the softmax together
exactly, as in FlashAttention (https://arxiv.org/abs/2205.14135).

What lies in the past is visible to every query, so no mask is needed there, and the query heads
that share a key head (https://arxiv.org/abs/2305.13245) stack up as more queries of it: nothing
is repeated. Only the new tokens among themselves need the causal mask.

The work itself is done by torch's fused kernel, or by plain products where these are faster.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from model.language.cpu_attention import Block, attend_by_products, products_pay, tiles

_Queries = Float[Tensor, "heads n dim"]
_Keys = Float[Tensor, "kv_heads n dim"]


@dataclass(frozen=True, slots=True, eq=False)
class _Partial:
    """Attention over some of the keys: enough to be joined with the rest.

    Attributes:
        values: The mean of the values there, weighted by softmax over those keys alone.
        weight: Log-sum-exp of the scaled scores there.
    """

    values: Float[Tensor, "heads n dim"]
    weight: Float[Tensor, "heads n"]


def attend(
    queries: Float[Tensor, "heads asking dim"],
    past: Sequence[tuple[Block, Block]],
    keys: _Keys,
    values: _Keys,
) -> Float[Tensor, "heads asking dim"]:
    """Return attention of new tokens over everything before them and, causally, themselves.

    Args:
        queries: Of the new tokens, or of the last of them.
        past: Blocks of keys and values that every new token sees.
        keys: Of the new tokens.
        values: Of the new tokens.
    """
    if (context_only := keys.shape[1] - queries.shape[1]) > 0:
        past = [*past, (keys[:, :context_only], values[:, :context_only])]
        keys, values = keys[:, context_only:], values[:, context_only:]
    own = _among_themselves(queries, keys, values)
    stacked = queries.reshape(keys.shape[0], -1, queries.shape[-1])
    parts = _over_past(stacked, past, own.weight.reshape(stacked.shape[:2]))
    alone = [_Partial(out.reshape(queries.shape), w.reshape(queries.shape[:2])) for out, w in parts]
    return _join([own, *alone]).to(queries.dtype)


def _join(parts: Sequence[_Partial]) -> Float[Tensor, "heads n dim"]:
    """Put partial results together into the attention over all their keys, in float32."""
    if len(parts) == 1:
        return parts[0].values
    weights = torch.stack([part.weight for part in parts]).softmax(dim=0)
    joined = torch.zeros_like(parts[0].values, dtype=torch.float32)
    for part, weight in zip(parts, weights, strict=True):
        joined.addcmul_(part.values, weight.unsqueeze(-1))
    return joined


def _over_past(
    queries: Float[Tensor, "kv_heads n dim"],
    past: Sequence[tuple[Block, Block]],
    shift: Float[Tensor, "kv_heads n"],
) -> Iterator[tuple[Float[Tensor, "kv_heads n dim"], Float[Tensor, "kv_heads n"]]]:
    """Yield attention over each part of `past` and its log-sum-exp.

    Args:
        queries: Of the query heads that share a key head, stacked.
        past: Keys and values.
        shift: Log-sum-exp of what is not in `past`.
    """
    by_products = products_pay(queries)
    for keys, values in tiles(past, queries) if by_products else past:
        done = attend_by_products(queries, keys, values, shift) if by_products else None
        out, weight = done or _kernel(queries, keys, values, causal=False)
        if by_products:
            shift = torch.logaddexp(shift, weight)
        yield out, weight


def _among_themselves(queries: _Queries, keys: _Keys, values: _Keys) -> _Partial:
    shared = queries.shape[0] // keys.shape[0]
    out, weight = _kernel(
        queries, keys.repeat_interleave(shared, 0), values.repeat_interleave(shared, 0), causal=True
    )
    return _Partial(out, weight)


def _kernel(
    queries: _Queries, keys: Block, values: Block, *, causal: bool
) -> tuple[Float[Tensor, "heads n dim"], Float[Tensor, "heads n"]]:
    """Attend with torch's fused kernel of the device, which also gives the log-sum-exp."""
    batch = queries[None], keys[None], values[None]
    if queries.device.type == "cpu":
        out, weight = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
            *batch, is_causal=causal
        )
    elif queries.device.type == "cuda" and queries.dtype == torch.bfloat16:
        out, weight, *_ = torch.ops.aten._scaled_dot_product_flash_attention(
            *batch, is_causal=causal
        )
    else:
        return _by_formula(queries, keys, values, causal=causal)
    # Some builds round the rows of the log-sum-exp up to a multiple of their tile.
    return out[0], weight[0, :, : queries.shape[1]]


def _by_formula(
    queries: _Queries, keys: Block, values: Block, *, causal: bool
) -> tuple[Float[Tensor, "heads n dim"], Float[Tensor, "heads n"]]:
    scores = (queries @ keys.mT).float() / math.sqrt(queries.shape[-1])
    if causal:
        hidden = torch.ones_like(scores[0], dtype=torch.bool).triu(diagonal=1)
        scores = scores.masked_fill(hidden, float("-inf"))
    weight = scores.logsumexp(dim=-1)
    return (scores - weight.unsqueeze(-1)).exp().to(values.dtype) @ values, weight
