"""The network while it is trained: from an example to the loss of its answers."""

from functools import partial
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from model.config import DropStage, FlashConfig
from model.language.dropout import TEXT
from model.language.projector import Projector
from model.vision.merge import merge_tokens
from model.vision.preprocess import normalise
from model.zoo.weights import Network
from training.adapters import adapt
from training.finetune.examples import UNLEARNED, Example
from training.finetune.recipe import Recipe
from training.packing import Dropping, Packed, answer_logits, side_by_side

CLIPS_AT_ONCE = 16
"""Clips of one film that the encoder takes in one batch."""


class Tuner(nn.Module):
    """A checkpoint's three parts, of which a stage trains some.

    Args:
        network: With its weights.
        recipe: What is trained.
    """

    def __init__(self, network: Network, recipe: Recipe) -> None:
        super().__init__()
        self.config: FlashConfig = network.config
        self.vision, self.projector = network.vision, network.projector
        self.decoder = network.decoder
        if recipe.fresh_projector:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(recipe.seed)
                fresh = Projector(self.config.vision.width, self.config.language.hidden)
            self.projector.load_state_dict(fresh.state_dict())
        self.vision.requires_grad_(recipe.vision_rate > 0)
        self.projector.requires_grad_(recipe.projector_rate > 0)
        self.decoder.requires_grad_(recipe.language_rate > 0)
        if recipe.rank and recipe.language_rate:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(recipe.seed)
                adapt(self.decoder, recipe.rank)
        self._dropping = _dropping(self.config) if recipe.dropout else None
        if recipe.checkpointing:
            _compute_again(self.vision.blocks)
            _compute_again(self.decoder.model.layers)

    def trained(self) -> dict[str, nn.Parameter]:
        """Return what is trained, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}

    def forward(self, example: Example | None) -> Tensor:
        """Return the mean loss of an example's answers.

        None gives 0, of which every parameter is a part: a process that has nothing to learn from
        in a step still takes part in it.
        """
        nothing = cast(Tensor, sum(p.sum() * 0 for p in self.trained().values()))
        if example is None:
            return nothing
        logits, target = self._logits(example)
        loss = cross_entropy(logits, target)
        # Text alone has no part of what some stages train.
        return loss if loss.requires_grad else loss + nothing

    def _logits(self, example: Example) -> tuple[Float[Tensor, "t vocab"], Tensor]:
        visual = self._seen(example)
        if self._dropping is not None and len(example.frames):
            return self._dropped(example, visual)
        hidden = self.decoder.embed(example.ids)
        if visual is not None:
            seen = (example.place >= 0).nonzero()[:, 0]
            hidden = hidden.index_put((seen,), visual.to(hidden.dtype))
        # Counted by the visual step as in service.
        steps = torch.where(example.place >= 0, self.config.visual_step, 1.0)
        hidden = self.decoder(hidden[None], (steps.cumsum(0) - steps)[None])[0]
        said = example.target != UNLEARNED
        return self.decoder.logits(hidden[said]), example.target[said]

    def _seen(self, example: Example) -> Float[Tensor, "v hidden"] | None:
        """Return the projected tokens of everything an example shows, in order."""
        if not example.frames:
            return None
        vision, kept = self.config.vision, []
        dtype = next(self.vision.parameters()).dtype
        alike = len({frames.shape for frames in example.frames}) == 1
        alone = [frames[None] for frames in example.frames]
        parts = torch.split(torch.stack(example.frames), CLIPS_AT_ONCE) if alike else alone
        for frames in parts:
            features = self.vision(normalise(frames, vision, dtype))
            kept.append(merge_tokens(features.float(), vision.tokens_per_clip, vision.heads))
        projected: Tensor = self.projector(torch.cat(kept))
        return projected.flatten(0, 1)

    def _dropped(self, example: Example, visual: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return logits with visual tokens dropped as in service, each answer asking for its own."""
        assert visual is not None
        assert self._dropping is not None
        answers = _answers(example)
        found = [
            answer_logits(
                self.decoder,
                side_by_side([part]),
                visual[: int((part.place >= 0).sum())],
                self._dropping,
                self.config.vision.tokens_per_clip,
                self.config.visual_step,
            )
            for part in answers
        ]
        return torch.cat([logits for logits, _ in found]), torch.cat([said for _, said in found])


def _answers(example: Example) -> list[Packed]:
    """Return a row for every answer: all before it as it is, and only itself to be learned."""
    learned = (example.target != UNLEARNED).nonzero()[:, 0].tolist()
    ends = [n for n, after in zip(learned, [*learned[1:], -1], strict=True) if after != n + 1]
    begins = [n for n, before in zip(learned, [-2, *learned[:-1]], strict=True) if before != n - 1]
    rows = []
    for begin, end in zip(begins, ends, strict=True):
        target = example.target[: end + 1].clone()
        target[:begin] = UNLEARNED
        branch = torch.zeros(end + 1, dtype=torch.int64)
        # What is seen is shared; the text after it belongs to the one question.
        last_seen = int((example.clip != TEXT).nonzero()[-1, 0])
        branch[last_seen + 1 :] = 1
        stop = end + 1
        read = example.ids[:stop], example.clip[:stop], example.place[:stop]
        rows.append(Packed(*read, branch, target))
    return rows


def _dropping(config: FlashConfig) -> Dropping:
    """Return the configuration's two stages.

    Raises:
        ValueError: If it has others.
    """
    stages = config.dropout.stages
    if [stage.kind for stage in stages] != ["clipwise", "attention"]:
        raise ValueError(
            f"training drops at a clip-wise and at a text-guided stage, not at {stages}"
        )
    early, deep = stages
    return Dropping(DropStage(early.layer, early.ratio, "clipwise"), deep.layer, (deep.ratio,))


def _compute_again(layers: nn.ModuleList) -> None:
    for layer in layers:
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
