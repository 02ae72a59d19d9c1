"""Progressive visual dropout: which visual tokens stay inside the language model.

Shallow layers need every clip but not every token; deep layers need only what the question is
about. Pure functions: each says which tokens stay, none moves one.

Source: VideoChat-Flash (https://arxiv.org/abs/2501.00574), section on video-level compression.
The clip-wise rule is ours: the reference spreads the kept tokens over the whole video, so one
more clip changes which were kept of all the others; inside each clip, nothing ever changes.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from model.config import DropStage

TEXT = -1
"""Clip of a token that belongs to none; place of a token that is not a visual one."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """A stretch of what the language model reads, between two of its layers.

    Attributes:
        hidden: Input of the next layer.
        clip: Which clip a token belongs to; -1 is text, which is never dropped.
        place: Which of its clip's visual tokens it is; -1 for text and for a clip's time marker.
    """

    hidden: Float[Tensor, "n hidden"]
    clip: Int64[Tensor, " n"]
    place: Int64[Tensor, " n"]

    def keep(self, index: Int64[Tensor, " kept"]) -> "Tokens":
        """Return the tokens at `index`, in that order."""
        return Tokens(self.hidden[index], self.clip[index], self.place[index])

    def after(self, hidden: Float[Tensor, "n hidden"]) -> "Tokens":
        """Return the same tokens after some layers have made `hidden` of them."""
        return Tokens(hidden, self.clip, self.place)

    @staticmethod
    def join(parts: Iterable["Tokens"]) -> "Tokens":
        """Return the tokens of `parts`, one after the other."""
        columns = zip(*((part.hidden, part.clip, part.place) for part in parts), strict=True)
        return Tokens(*(torch.cat(column) for column in columns))

    @staticmethod
    def of_clip(
        clip: int, marker: Float[Tensor, "m hidden"], visual: Float[Tensor, "v hidden"]
    ) -> "Tokens":
        """Return the tokens of one clip: its time marker (perhaps empty), then what was seen."""
        hidden = torch.cat([marker, visual])
        place = torch.arange(len(hidden), device=hidden.device) - len(marker)
        return Tokens(hidden, torch.full_like(place, clip), place.clamp_min(TEXT))

    @staticmethod
    def of_text(hidden: Float[Tensor, "n hidden"]) -> "Tokens":
        """Return text tokens, given their embeddings."""
        none = torch.full((len(hidden),), TEXT, device=hidden.device)
        return Tokens(hidden, none, none)


def _spread(count: int, keep: int) -> Int64[Tensor, " keep"]:
    """Return `keep` places spread evenly over `count`, both ends included."""
    # In float32 and truncated, as the reference computes it: another rounding picks others.
    return torch.linspace(0, count - 1, keep).long()


def kept_uniformly(clip: Int64[Tensor, " n"], keep: int) -> Int64[Tensor, " kept"]:
    """Return the text and `keep` droppable tokens spread over the whole video.

    Args:
        clip: Of every token, as in `Tokens`.
        keep: How many droppable tokens stay; all, if there are fewer.
    """
    stays = clip == TEXT
    droppable = (~stays).nonzero()[:, 0]
    spread_out = _spread(len(droppable), min(keep, len(droppable)))
    stays[droppable[spread_out.to(clip.device)]] = True
    return stays.nonzero()[:, 0]


def places_kept(places: Sequence[int], stage: DropStage, tokens_per_clip: int) -> tuple[int, ...]:
    """Return which of a clip's visual tokens a clip-wise `stage` keeps, whatever the clip.

    Args:
        places: What the stages before it have left.
        stage: Chooses among them.
        tokens_per_clip: Visual tokens of a clip before anything was dropped.
    """
    keep = stage.keep(tokens_per_clip)
    if stage.kind == "leading":
        return tuple(places[:keep])
    return tuple(places[index] for index in _spread(len(places), keep).tolist())


def kept_in_each_clip(
    place: Int64[Tensor, " n"], places: Sequence[int], tokens_per_clip: int
) -> Int64[Tensor, " kept"]:
    """Return the text, the markers and the same `places` of every clip's visual tokens.

    Args:
        place: Of every token, as in `Tokens`.
        places: Which stay, as `places_kept` says.
        tokens_per_clip: Visual tokens of a clip before anything was dropped.
    """
    return stays_in_each_clip(place, places, tokens_per_clip).nonzero()[:, 0]


def stays_in_each_clip(
    place: Int64[Tensor, "*batch n"], places: Sequence[int], tokens_per_clip: int
) -> Bool[Tensor, "*batch n"]:
    """Return for every token whether `kept_in_each_clip` keeps it."""
    pattern = torch.zeros(tokens_per_clip, dtype=torch.bool)
    pattern[list(places)] = True
    return (place < 0) | pattern.to(place.device)[place.clamp_min(0)]


def text_guided_scores(
    query: Float[Tensor, "heads 1 dim"], keys: Iterable[Float[Tensor, "kv_heads _ dim"]]
) -> Float[Tensor, " all"]:
    """Return how much one token attends to every token it sees, as a mean over heads.

    Args:
        query: Rotated query of the last token of the prompt.
        keys: Rotated keys of everything it sees, in any number of blocks.
    """
    scale = 1 / math.sqrt(query.shape[-1])
    scores = []
    for block in keys:
        stacked = query.reshape(block.shape[0], -1, query.shape[-1])
        scores.append(((stacked @ block.mT) * scale).flatten(0, 1).float())
    return torch.cat(scores, dim=-1).softmax(dim=-1).mean(dim=0)


def kept_by_score(
    clip: Int64[Tensor, " n"], scores: Float[Tensor, " n"], keep: int
) -> Int64[Tensor, " kept"]:
    """Return the text and the `keep` droppable tokens of the highest scores, in their order.

    Args:
        clip: Of every token, as in `Tokens`.
        scores: Of every token; those of text do not matter.
        keep: How many droppable tokens stay; all, if there are fewer.
    """
    stays = clip == TEXT
    droppable = (~stays).nonzero()[:, 0]
    best = scores[droppable].topk(min(keep, len(droppable))).indices
    stays[droppable[best]] = True
    return stays.nonzero()[:, 0]
