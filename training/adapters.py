"""Low-rank adapters: what training adds to a language model that otherwise stays as published.

Source: Hu et al., LoRA (https://arxiv.org/abs/2106.09685). Their names are those that
`model.zoo.lite_base.apply_adapters` reads.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from model.language.decoder import Decoder

ADAPTED = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Adapted(nn.Module):
    """A fixed linear layer with a trained one of low rank beside it; at first it adds nothing."""

    def __init__(self, fixed: nn.Linear, rank: int) -> None:
        super().__init__()
        self.fixed = fixed.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, fixed.in_features) * fixed.in_features**-0.5)
        self.up = nn.Parameter(torch.zeros(fixed.out_features, rank))

    def forward(self, x: Float[Tensor, "*n inputs"]) -> Float[Tensor, "*n outputs"]:
        """Return both layers' sum, in the precision of `x`."""
        thin = linear(x, self.down.to(x.dtype))
        out: Tensor = self.fixed(x)
        return out + linear(thin, self.up.to(x.dtype))


def adapt(decoder: Decoder, rank: int) -> None:
    """Put adapters beside every linear layer of every decoder layer; nothing else will train."""
    decoder.requires_grad_(False)
    for module in list(decoder.model.layers.modules()):
        for name, child in list(module.named_children()):
            if name in ADAPTED and isinstance(child, nn.Linear):
                setattr(module, name, Adapted(child, rank))


def adapters(decoder: Decoder) -> Iterator[tuple[str, Tensor]]:
    """Yield the adapters' matrices under the names they are shipped with."""
    for name, parameter in decoder.model.named_parameters():
        if name.endswith((".down", ".up")):
            yield f"lora.{name}", parameter
