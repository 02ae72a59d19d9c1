"""Token merging: merge look-alike visual tokens of a clip until few remain.

A clip's tokens repeat each other, within a frame and from frame to frame. Merging duplicates
keeps what was seen and drops how often it was seen: 784 tokens of four frames become 64.

Source: Bolya et al., "Token Merging: Your ViT But Faster" (https://arxiv.org/abs/2210.09461),
applied to the output of the video encoder, one clip at a time, as in VideoChat-Flash
(https://arxiv.org/abs/2501.00574).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class MergeRound:
    """One round of matching: which tokens merge, and into which.

    Even tokens are matched to their nearest odd token, so no token both disappears and absorbs.

    Attributes:
        kept: Even tokens left as they are, the best-matched first.
        merged: Even tokens that disappear.
        into: For each merged token, the odd token that absorbs it.
    """

    kept: Int64[Tensor, "clips kept"]
    merged: Int64[Tensor, "clips merged"]
    into: Int64[Tensor, "clips merged"]

    def sum(self, values: Float[Tensor, "clips n c"]) -> Float[Tensor, "clips m c"]:
        """Return `values` with every merged token added to the one that absorbs it."""
        even, odd = values[:, ::2], values[:, 1::2]
        absorbed = odd.scatter_add(1, _wide(self.into, values), _pick(even, self.merged))
        return torch.cat([_pick(even, self.kept), absorbed], dim=1)


def match(features: Float[Tensor, "clips n c"], merges: int) -> MergeRound:
    """Choose the `merges` even tokens that most resemble an odd one.

    Args:
        features: What tokens are compared by; only their direction counts.
        merges: How many tokens to merge away, at most half of them.

    Raises:
        ValueError: If `merges` is negative or more than half of the tokens.
    """
    tokens = features.shape[1]
    if not 0 <= merges <= tokens // 2:
        raise ValueError(f"cannot merge {merges} of {tokens} tokens in one round")
    unit = features / features.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    likeness, nearest = (unit[:, ::2] @ unit[:, 1::2].mT).max(dim=-1)
    order = likeness.argsort(dim=-1, descending=True)
    merged = order[:, :merges]
    return MergeRound(kept=order[:, merges:], merged=merged, into=nearest.gather(1, merged))


def merge_tokens(
    tokens: Float[Tensor, "clips n c"], keep: int, heads: int = 1
) -> Float[Tensor, "clips keep c"]:
    """Merge tokens until `keep` remain, each the mean of the tokens it absorbed.

    A token that already stands for several counts as many times in the mean. The order of
    tokens is not preserved.

    Args:
        tokens: Visual tokens of each clip.
        keep: How many tokens to keep per clip.
        heads: Tokens are compared by the mean over this many heads of their features.

    Raises:
        ValueError: If `keep` is less than 1 or more than the tokens there are, or `heads` does
            not divide the width.
    """
    _, count, width = tokens.shape
    if not 1 <= keep <= count:
        raise ValueError(f"cannot keep {keep} of {count} tokens")
    if heads < 1 or width % heads:
        raise ValueError(f"{heads} heads do not divide a width of {width}")
    sizes = torch.ones_like(tokens[..., :1])
    while (surplus := tokens.shape[1] - keep) > 0:
        features = tokens.reshape(*tokens.shape[:-1], heads, -1).mean(dim=-2)
        plan = match(features, merges=min(surplus, tokens.shape[1] // 2))
        totals, sizes = plan.sum(tokens * sizes), plan.sum(sizes)
        tokens = totals / sizes
    return tokens


def _wide(index: Int64[Tensor, "clips k"], like: Tensor) -> Int64[Tensor, "clips k c"]:
    return index[..., None].expand(-1, -1, like.shape[-1])


def _pick(values: Tensor, index: Int64[Tensor, "clips k"]) -> Tensor:
    return values.gather(1, _wide(index, values))
