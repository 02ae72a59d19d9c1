"""Stage `vision`: teach the encoder and the projector, with no language model in the loop.

Every merged token is told which thing it mostly covers and pulled towards the words that
describe it (`training/drawn/words.py`). That takes minutes where training through the language model
takes hours, and it is what makes motion visible: attention over the clip learns, from the very
first step, that a thing's place in one frame matters in another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout1d

from model.language.projector import Projector
from model.vision.merge import match
from model.vision.networks.lite_network import LiteVision
from training.drawn.drawings import Sprites
from training.drawn.takes import Take, cells, see, some_take
from training.drawn.words import NAMES, NOTHING, UNTOLD, WordGroup, describe
from training.lite.features import FeatureBank

KEEP = 64
SHARPNESS = 4.0
WEIGHTS = {"name": 1.0, "movement": 1.0, "colour": 0.5, "column": 0.3, "row": 0.3, "change": 0.3, "count": 0.3}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class CellBatch:
    """A batch of clips with what is true of their cells.

    Attributes:
        features: Of the image network.
        covered: Which thing covers each cell, one-hot; the last column is background.
        words: For every word group, each thing's word, with a last row for the background.
    """

    features: Float[Tensor, "clips frames cells trunk"]
    covered: Float[Tensor, "clips tokens things"]
    words: dict[str, Tensor]


def examples(
    bank: FeatureBank, takes: Sequence[Take], sprites: Sprites, things: int = 3
) -> CellBatch:
    """Return `takes` as a batch to learn from."""
    covered = torch.zeros(len(takes), 4 * 49, things + 1)
    words: dict[str, Tensor] = {}
    for number, take in enumerate(takes):
        scene = bank.scenes[take.scene]
        owner = torch.from_numpy(cells(scene, take, sprites).astype(np.int64)).flatten()
        covered[number] = nn.functional.one_hot(owner % (things + 1), things + 1)
        seen = see(scene, take)
        index = torch.tensor([s.number for s in seen], dtype=torch.long)
        for group, told in describe(seen).items():
            rows = words.setdefault(group, torch.full((len(takes), things + 1), UNTOLD))
            rows[number, index] = told
    words["name"][:, -1] = NAMES.index(NOTHING)
    return CellBatch(bank.clips(takes), covered, words)


def some_examples(
    bank: FeatureBank, sprites: Sprites, random: np.random.Generator, count: int
) -> CellBatch:
    """Return `count` clips of scenes drawn at random."""
    scenes = random.integers(len(bank.scenes), size=count)
    return examples(bank, [some_take(random, int(n), bank.scenes[n]) for n in scenes], sprites)


def merge_with_owners(
    tokens: Float[Tensor, "clips n width"], covered: Float[Tensor, "clips n things"]
) -> tuple[Float[Tensor, "clips keep width"], Float[Tensor, "clips keep things"]]:
    """Merge `tokens` as `model.vision.merge` does, and what they cover along with them."""
    sizes = torch.ones_like(tokens[..., :1])
    while (surplus := tokens.shape[1] - KEEP) > 0:
        plan = match(tokens.detach(), merges=min(surplus, tokens.shape[1] // 2))
        totals, owners, total = plan.sum(tokens * sizes), plan.sum(covered * sizes), plan.sum(sizes)
        tokens, covered, sizes = totals / total, owners / total, total
    return tokens, covered


class Aligner(nn.Module):
    """The trained half of the encoder, and the projector, judged by the words of their tokens."""

    def __init__(
        self, vision: LiteVision, projector: Projector, groups: dict[str, WordGroup]
    ) -> None:
        super().__init__()
        self.vision, self.projector = vision, projector
        self.groups = groups

    def forward(
        self, batch: CellBatch, noise: float = 0.0
    ) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """Return the loss, every group's logits of each token, and what each token covers.

        Args:
            batch: Clips to judge.
            noise: Share of the image network's channels that is hidden from each clip.
        """
        features = batch.features.to(self.vision.time.dtype)
        if noise:
            shape = features.shape
            features = dropout1d(features.flatten(1, 2).mT, noise).mT.reshape(shape)
        tokens, covered = merge_with_owners(self.vision.fuse(features), batch.covered)
        projected = self.projector(tokens).float()
        logits = {
            name: SHARPNESS * projected @ group.directions.T for name, group in self.groups.items()
        }
        share, owner = covered.max(dim=-1)
        # A token that covers two things about equally can say neither; background is plentiful.
        weight = torch.where(
            share > 0.6, torch.where(owner == covered.shape[-1] - 1, 0.1, 1.0), 0.0
        )
        losses = [
            WEIGHTS[name] * _weighted(logits[name], batch.words[name].gather(1, owner), weight)
            for name in self.groups
        ]
        strength = projected.square().sum(dim=-1).mean()
        return torch.stack(losses).sum() + 1e-3 * strength, logits, owner


def _weighted(logits: Tensor, words: Tensor, weight: Tensor) -> Tensor:
    told = cross_entropy(
        logits.flatten(0, 1), words.flatten(), ignore_index=UNTOLD, reduction="none"
    )
    weight = weight.flatten() * (words.flatten() != UNTOLD)
    return (told * weight).sum() / weight.sum().clamp_min(1.0)


@torch.inference_mode()
def recognised(aligner: Aligner, batch: CellBatch) -> dict[str, float]:
    """Return how often the tokens of a clip's first thing, together, say the right word."""
    _, logits, owner = aligner(batch)
    scores = {}
    for group, rows in logits.items():
        truth = batch.words[group][:, 0]
        mine = (owner == 0).unsqueeze(-1)
        votes = (rows.softmax(dim=-1) * mine).sum(dim=1)
        judged = (truth != UNTOLD) & mine.any(dim=1)[:, 0]
        if judged.any():
            scores[group] = float((votes.argmax(dim=-1) == truth)[judged].float().mean())
    # Without being told where the thing is: every token votes, "nothing" does not count.
    votes = logits["name"].softmax(dim=-1).sum(dim=1)[:, :-1]
    truth = batch.words["name"][:, 0]
    single = (truth >= 0) & (truth != NAMES.index(NOTHING)) & (batch.words["name"][:, 1] < 0)
    scores["name, unaided"] = float((votes.argmax(dim=-1) == truth)[single].float().mean())
    return scores
