"""The network while it is trained: from an example to the loss of its answers."""

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
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
from training.finetune.passes import Pass, answers
from training.finetune.recipe import Recipe
from training.packing import Dropping, Packed, answer_logits, side_by_side

CLIPS_AT_ONCE = 16
"""Clips that the encoder takes in one batch."""
_IDLE = 4
"""Tokens that a process with nothing to learn from reads where every process must run every layer."""


class Tuner(nn.Module):
    """A checkpoint's three parts, of which a stage trains some.

    Args:
        network: With its weights.
        recipe: What is trained.

    Attributes:
        in_step: Whether every pass must run every layer, there and back, as weights that lie in
            parts on several processes need.
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
        self.in_step = False
        if recipe.checkpointing:
            _compute_again(self.vision.blocks)
            _compute_again(self.decoder.model.layers)

    @property
    def drops(self) -> bool:
        """Whether visual tokens are dropped inside the language model."""
        return self._dropping is not None

    def trained(self) -> dict[str, nn.Parameter]:
        """Return what is trained, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}

    def parts(self) -> list[nn.Module]:
        """Return the layers that can be gathered one by one while a pass goes through them.

        The one for which tokens are selected is asked for its queries and keys besides.
        """
        asked = None if self._dropping is None else self._dropping.deep_layer
        layers = range(self.config.language.layers)
        return [self.decoder.layer(index) for index in layers if index != asked]

    def forward(self, one: Pass) -> Tensor:
        """Return the sum of the examples' mean losses, each by its share.

        An empty pass gives 0, of which every parameter is a part: a process that has nothing to
        learn from in a step still takes part in it.
        """
        # Of layers that are gathered later, a parameter is a part by being run.
        here = [p for p in self.trained().values() if not isinstance(p, DTensor)]
        nothing = cast(Tensor, sum(p.sum() * 0 for p in here))
        if not one.examples:
            return self._idle(nothing) if self.in_step else nothing
        if self._dropping is not None and one.examples[0].frames:
            (example,) = one.examples
            found = [self._dropped(example, nothing)]
        else:
            found = self._logits(one.examples, nothing)
        losses = [
            share * cross_entropy(logits, target)
            for share, (logits, target) in zip(one.shares, found, strict=True)
        ]
        loss = cast(Tensor, sum(losses))
        # Text alone has no part of what some stages train.
        return loss if loss.requires_grad else loss + nothing

    def see(self, examples: Sequence[Example]) -> Float[Tensor, "n hidden"]:
        """Return what the language model reads of `examples`, end to end."""
        ids = torch.cat([example.ids for example in examples])
        hidden = self.decoder.embed(ids)
        if (visual := self._seen([f for example in examples for f in example.frames])) is not None:
            seen = (torch.cat([example.place for example in examples]) >= 0).nonzero()[:, 0]
            hidden = hidden.index_put((seen,), visual.to(hidden.dtype))
        return hidden

    def _idle(self, nothing: Tensor) -> Tensor:
        ids = torch.zeros(_IDLE, dtype=torch.int64, device=nothing.device)
        hidden = self.decoder.embed(ids) + nothing
        positions = torch.arange(_IDLE, device=nothing.device, dtype=torch.float32)
        out: Tensor = self.decoder(hidden[None], positions[None])
        return self.decoder.logits(out[0]).sum() * 0 + nothing

    def _logits(
        self, examples: Sequence[Example], nothing: Tensor
    ) -> list[tuple[Float[Tensor, "t vocab"], Tensor]]:
        hidden = self.see(examples)
        if self.in_step:
            hidden = hidden + nothing
        # Counted by the visual step as in service, from 0 in each.
        steps = [torch.where(e.place >= 0, self.config.visual_step, 1.0) for e in examples]
        positions = torch.cat([step.cumsum(0) - step for step in steps])
        lengths = [len(example.ids) for example in examples]
        hidden = self.decoder(hidden[None], positions[None], lengths=lengths)[0]
        said = [example.target != UNLEARNED for example in examples]
        logits = self.decoder.logits(hidden[torch.cat(said)])
        parts = torch.split(logits, [int(of.sum()) for of in said])
        return [(part, e.target[of]) for part, e, of in zip(parts, examples, said, strict=True)]

    def _seen(self, shown: Sequence[Tensor]) -> Float[Tensor, "v hidden"] | None:
        """Return the projected tokens of clips and pictures, in order; None of nothing."""
        if not shown:
            return None
        vision, kept = self.config.vision, []
        dtype = next(self.vision.parameters()).dtype
        alike = len({frames.shape for frames in shown}) == 1
        alone = [frames[None] for frames in shown]
        parts = torch.split(torch.stack(list(shown)), CLIPS_AT_ONCE) if alike else alone
        for frames in parts:
            features = self.vision(normalise(frames, vision, dtype))
            kept.append(merge_tokens(features.float(), vision.tokens_per_clip, vision.heads))
        projected: Tensor = self.projector(torch.cat(kept))
        return projected.flatten(0, 1)

    def _dropped(self, example: Example, nothing: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits with visual tokens dropped as in service, each answer asking for its own."""
        visual = self._seen(example.frames)
        assert visual is not None
        assert self._dropping is not None
        if self.in_step:
            visual = visual + nothing
        found = [
            answer_logits(
                self.decoder,
                side_by_side([part]),
                visual[: int((part.place >= 0).sum())],
                self._dropping,
                self.config.vision.tokens_per_clip,
                self.config.visual_step,
            )
            for part in _rows(example)
        ]
        return torch.cat([logits for logits, _ in found]), torch.cat([said for _, said in found])


def _rows(example: Example) -> list[Packed]:
    """Return a row for every answer: all before it as it is, and only itself to be learned."""
    rows = []
    for begin, end in answers(example):
        target = example.target[: end + 1].clone()
        target[:begin] = UNLEARNED
        branch = torch.zeros(end + 1, dtype=torch.int64, device=target.device)
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
