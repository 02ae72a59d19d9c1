"""The same network with its visual dropout changed: what each part of it is worth."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from model.config import DropoutConfig, DropStage
from model.parts import ModelParts
from model.reading import PromptReader
from model.video_chat import VideoChat

ABLATIONS = ("paper", "none", "uniform", "random", "swapped")


class RandomReader(PromptReader):
    """Keeps as many tokens where text guides, and chooses them by chance."""

    def attention_of_last(
        self,
        hidden: Float[Tensor, "n hidden"],
        at: Float[Tensor, " n"],
        layer: int,
        earlier: Iterable[Float[Tensor, "kv_heads _ dim"]] = (),
    ) -> Float[Tensor, " all"]:
        """Return chance instead of attention; the same for the same number of tokens."""
        real = super().attention_of_last(hidden, at, layer, earlier)
        chance = torch.Generator().manual_seed(len(real))
        return torch.rand(len(real), generator=chance).to(real.device)


def with_dropout(parts: ModelParts, ablation: str) -> VideoChat:
    """Return the network with its dropout as trained, or changed.

    Args:
        parts: The network.
        ablation: `paper` as it is, `none` drops nothing, `uniform` never asks the question,
            `random` keeps as many by chance, `swapped` lets the question choose first and spreads
            evenly after.
    """
    stages = parts.config.dropout.stages
    if ablation == "random":
        chat, config = VideoChat(parts), parts.config
        chat.reader = RandomReader(parts.decoder, config.dropout, config.vision.tokens_per_clip, config.visual_step)  # fmt: skip
        return chat
    changed: dict[str, Callable[[], tuple[DropStage, ...]]] = {
        "paper": lambda: stages,
        "none": tuple,
        "uniform": lambda: tuple(replace(s, kind="clipwise", budget=None) for s in stages),
        "swapped": lambda: _swapped(stages),
    }
    return VideoChat(parts, DropoutConfig(changed[ablation]()))


def _swapped(stages: tuple[DropStage, ...]) -> tuple[DropStage, ...]:
    kinds = [(stage.kind, stage.budget) for stage in reversed(stages)]
    return tuple(
        replace(stage, kind=kind, budget=budget)
        for stage, (kind, budget) in zip(stages, kinds, strict=True)
    )
