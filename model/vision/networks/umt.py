"""UMT-L, the video encoder of the released models: every patch of a clip attends to every other.

A plain vision transformer over the patches of four frames at once, so that motion is seen and
not only pictures. Its attributes carry the names of the released tensors (`blocks.0.attn.qkv`,
`vision_layernorm`, ...).

Source: Li et al., "Unmasked Teacher" (https://arxiv.org/abs/2303.16058), as used in
VideoChat-Flash (https://arxiv.org/abs/2501.00574).
"""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from model.config import VisionConfig

_TRAINED_GRID = 14
"""Patches along a side of the 224-pixel frames that the network was first trained on."""


class UmtVision(nn.Module):
    """Encodes clips of `frames_per_clip` frames, or single pictures, into one token a patch."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_embed = _PatchEmbed(config)
        self.blocks = nn.ModuleList(_TransformerBlock(config) for _ in range(config.blocks))
        self.vision_layernorm = nn.LayerNorm(config.width, eps=1e-12)

    def forward(
        self, frames: Float[Tensor, "clips frames 3 height width"]
    ) -> Float[Tensor, "clips tokens features"]:
        """Return the features of every patch, frame by frame, each row by row.

        Args:
            frames: Normalised pixels (`model.vision.preprocess.normalise`) of the configured size.

        Raises:
            ValueError: If a clip has neither one frame nor `frames_per_clip`, or the size is
                another.
        """
        count, size = frames.shape[1], self.config.image_size
        if count not in {1, self.config.frames_per_clip}:
            raise ValueError(
                f"a clip has {self.config.frames_per_clip} frames, or 1 for a picture; got {count}"
            )
        if frames.shape[-2:] != (size, size):
            height, width = frames.shape[-2:]
            raise ValueError(f"the encoder takes {size}x{size} pixels, got {height}x{width}")
        tokens: Tensor = self.patch_embed(frames)
        tokens = tokens + positions(self.config, count, tokens.device, tokens.dtype)
        for block in self.blocks:
            tokens = block(tokens)
        normed: Tensor = self.vision_layernorm(tokens)
        return normed


@lru_cache(maxsize=8)
def positions(
    config: VisionConfig, frames: int, device: torch.device, dtype: torch.dtype
) -> Float[Tensor, "tokens features"]:
    """Return the fixed sinusoidal position of every patch, sine and cosine interleaved.

    The table numbers the patches of 14x14 frames through; for another size each frame's square
    is stretched bicubically. Not a buffer: a module built without memory would lose it.
    """
    # A table made while inference mode is on could not be used in training later.
    with torch.inference_mode(mode=False), torch.device("cpu"):
        place = torch.arange(frames * _TRAINED_GRID**2, dtype=torch.float64)[:, None]
        pair = torch.arange(config.width, dtype=torch.float64) // 2
        angles = place / 10_000 ** (2 * pair / config.width)
        table = torch.where(torch.arange(config.width) % 2 == 0, angles.sin(), angles.cos()).float()
        if config.grid != _TRAINED_GRID:
            squares = table.view(frames, _TRAINED_GRID, _TRAINED_GRID, -1).movedim(-1, 1)
            stretched = functional.interpolate(
                squares, size=(config.grid, config.grid), mode="bicubic", align_corners=False
            )
            table = stretched.movedim(1, -1).flatten(0, 2)
        return table.to(device=device, dtype=dtype)


class _PatchEmbed(nn.Module):
    """Cuts frames into squares and maps each to a token."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        side = (1, config.patch_size, config.patch_size)
        self.proj = nn.Conv3d(3, config.width, kernel_size=side, stride=side)

    def forward(
        self, frames: Float[Tensor, "clips frames 3 height width"]
    ) -> Float[Tensor, "clips tokens features"]:
        # Published as a 3-D convolution, but one frame deep: in 2-D it takes the faster kernels.
        squares = functional.conv2d(
            frames.flatten(0, 1),
            self.proj.weight.squeeze(2),
            self.proj.bias,
            stride=self.proj.stride[1:],
        )
        return squares.flatten(2).mT.reshape(frames.shape[0], -1, squares.shape[1])


class _Attention(nn.Module):
    """Joint space-time attention; keys have no bias."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(config.width))
        self.v_bias = nn.Parameter(torch.zeros(config.width))
        self.proj = nn.Linear(config.width, config.width)

    def forward(
        self, tokens: Float[Tensor, "clips tokens features"]
    ) -> Float[Tensor, "clips tokens features"]:
        bias = torch.cat([self.q_bias, torch.zeros_like(self.v_bias), self.v_bias])
        qkv = functional.linear(tokens, self.qkv.weight, bias)
        clips, count, _ = tokens.shape
        query, key, value = qkv.view(clips, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return out


class _Mlp(nn.Module):
    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        hidden = int(config.width * config.mlp_ratio)
        self.fc1 = nn.Linear(config.width, hidden)
        self.fc2 = nn.Linear(hidden, config.width)

    def forward(
        self, tokens: Float[Tensor, "clips tokens features"]
    ) -> Float[Tensor, "clips tokens features"]:
        out: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return out


class _TransformerBlock(nn.Module):
    """Attention, then a hidden layer, each on normalised tokens and added to them."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.width, eps=1e-6)
        self.attn = _Attention(config)
        self.norm2 = nn.LayerNorm(config.width, eps=1e-6)
        self.mlp = _Mlp(config)

    def forward(
        self, tokens: Float[Tensor, "clips tokens features"]
    ) -> Float[Tensor, "clips tokens features"]:
        tokens = tokens + self.attn(self.norm1(tokens))
        out: Tensor = tokens + self.mlp(self.norm2(tokens))
        return out
