"""Rotary positions: where a token stands turns its queries and keys.

Positions may be any numbers, not only whole ones. Sources: RoPE (https://arxiv.org/abs/2104.09864), YaRN
(https://arxiv.org/abs/2309.00071).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from model.config import LanguageConfig
from model.language.row_rounding import with_zeros


@dataclass(frozen=True, slots=True, eq=False)
class Rotary:
    """Cosine and sine of every token's position, ready to turn queries and keys."""

    cosine: Float[Tensor, "*batch n half"]
    sine: Float[Tensor, "*batch n half"]

    @classmethod
    def of(cls, config: LanguageConfig, positions: Float[Tensor, "*batch n"]) -> "Rotary":
        """Return the rotations of `positions`; they may be fractions."""
        frequencies, stretch = _frequencies(config, positions.device)
        angles = positions.float().unsqueeze(-1) * frequencies
        return cls(angles.cos() * stretch, angles.sin() * stretch)

    def turn(self, vectors: Float[Tensor, "*batch heads n dim"]) -> Tensor:
        """Rotate each pair (i, i + dim/2) of `vectors` by its token's angle."""
        first, second = vectors.float().chunk(2, dim=-1)
        cosine, sine = self.cosine.unsqueeze(-3), self.sine.unsqueeze(-3)
        turned = (first * cosine - second * sine, second * cosine + first * sine)
        return torch.cat(turned, dim=-1).to(vectors.dtype)

    def followed_by(self, more: int) -> "Rotary":
        """The same, with rows for so many more tokens, of which nothing will come."""
        return Rotary(with_zeros(self.cosine, more), with_zeros(self.sine, more))

    @property
    def of_last(self) -> "Rotary":
        """The rotation of the last token alone."""
        return Rotary(self.cosine[..., -1:, :], self.sine[..., -1:, :])


def positions_of(steps: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    """Return each token's position: the sum of the steps of all tokens before it."""
    # Steps are multiples of a power of two far below 2^53: the sums are exact in float64.
    return (steps.double().cumsum(-1) - steps.double()).float()


def _frequencies(config: LanguageConfig, device: torch.device) -> tuple[Tensor, float]:
    half = config.head_dim // 2
    exponents = torch.arange(half, dtype=torch.float32, device=device) / half
    plain = config.rope_theta**-exponents
    if (scaling := config.rope_scaling) is None:
        return plain, 1.0

    def turns_at(count: float) -> float:
        reach = scaling.original_positions / (count * 2 * math.pi)
        return half * math.log(reach) / math.log(config.rope_theta)

    # Dimensions that turn more than 32 times within the original reach stay as they are; those
    # that turn less than once are stretched whole; between the two, gradually (YaRN, 3.2).
    low, high = (
        max(math.floor(turns_at(32.0)), 0),
        min(math.ceil(turns_at(1.0)), config.head_dim - 1),
    )
    index = torch.arange(half, dtype=torch.float32, device=device)
    stretched = ((index - low) / max(high - low, 1e-3)).clamp(0, 1)
    mixed = plain / scaling.factor * stretched + plain * (1 - stretched)
    return mixed, 0.1 * math.log(scaling.factor) + 1.0 if scaling.factor > 1 else 1.0
