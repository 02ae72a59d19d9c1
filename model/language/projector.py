"""The connector: merged visual tokens into the language model's embedding space.

Two linear layers with a GELU between, as in VideoChat-Flash (https://arxiv.org/abs/2501.00574).
Parameter names are the released checkpoints' (`mlp.0`, `mlp.2`).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Projector(nn.Module):
    """Maps each visual token on its own; neither mixes nor drops tokens."""

    def __init__(self, vision_width: int, language_width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(vision_width, language_width),
            nn.GELU(),
            nn.Linear(language_width, language_width),
        )

    def forward(
        self, tokens: Float[Tensor, "*batch tokens vision"]
    ) -> Float[Tensor, "*batch tokens hidden"]:
        """Return `tokens` as the language model sees them."""
        first = self.mlp[0]
        assert isinstance(first, nn.Linear)
        projected: torch.Tensor = self.mlp(tokens.to(first.weight.dtype))
        return projected
