"""The small vision encoder: four frames in, 196 tokens that know what, where and which way.

A large video encoder does not run on two processor cores. This one is an image network with
published weights, looked at twice (its last stage says *what*, an earlier and finer one says *where*),
and a few blocks of attention over all four frames at once, which is what sees motion.

Sources: EfficientNet-Lite
(https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html),
itself EfficientNet (https://arxiv.org/abs/1905.11946) without squeeze-and-excitation, ReLU6 for swish.
Joint space-time attention: UMT (https://arxiv.org/abs/2303.16058).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad, pixel_unshuffle, scaled_dot_product_attention

FRAMES = 4
SIZE = 224
GRID = SIZE // 32
COARSE, FINE = 352, 120  # channels of the last stage and of the one at stride 16
TRUNK_WIDTH = COARSE + 4 * FINE


@dataclass(frozen=True, slots=True)
class _EfficientNetBlock:
    """One inverted bottleneck: widen, look around, narrow."""

    inputs: int
    outputs: int
    kernel: int
    stride: int
    expansion: int = 6


def trunk_blocks() -> Iterator[_EfficientNetBlock]:
    """Yield EfficientNet-Lite2's blocks (width 1.1, depth 1.2; first and last stage not deepened)."""
    stages = (  # outputs, kernel, stride, expansion, repeats
        (16, 3, 1, 1, 1),
        (24, 3, 2, 6, 3),
        (48, 5, 2, 6, 3),
        (88, 3, 2, 6, 4),
        (120, 5, 1, 6, 4),
        (208, 5, 2, 6, 5),
        (352, 3, 1, 6, 1),
    )
    inputs = 32
    for outputs, kernel, stride, expansion, repeats in stages:
        for repeat in range(repeats):
            yield _EfficientNetBlock(
                inputs, outputs, kernel, stride if repeat == 0 else 1, expansion
            )
            inputs = outputs


class Convolution(nn.Module):
    """A convolution with its batch normalisation folded in, padded as TensorFlow pads."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.stride, self.groups = stride, groups
        # An even picture at stride 2 is padded by one pixel less on its left and top.
        before = (kernel - stride) // 2 if stride > 1 else kernel // 2
        self.margins = (before, kernel - stride - before) if stride > 1 else (before, before)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d y x"]:
        """Return the filtered picture, `stride` times smaller."""
        before, after = self.margins
        if before == after:
            return conv2d(x, self.weight, self.bias, self.stride, before, 1, self.groups)
        x = pad(x, (before, after, before, after))
        return conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)


class _InvertedBottleneck(nn.Module):
    """Widen by 1x1, filter each channel, narrow by 1x1; add the input where shapes allow."""

    def __init__(self, block: _EfficientNetBlock) -> None:
        super().__init__()
        wide = block.inputs * block.expansion
        self.expand = Convolution(block.inputs, wide) if block.expansion > 1 else None
        self.depthwise = Convolution(wide, wide, block.kernel, block.stride, groups=wide)
        self.narrow = Convolution(wide, block.outputs)
        self.residual = block.stride == 1 and block.inputs == block.outputs

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d y x"]:
        """Return the block's output."""
        y = x if self.expand is None else self.expand(x).clamp_(0, 6)
        y = self.narrow(self.depthwise(y).clamp_(0, 6))
        out: Tensor = x + y if self.residual else y
        return out


class _Trunk(nn.Module):
    """EfficientNet-Lite2 up to its last stage; never trained here."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(3, 32, kernel=3, stride=2)
        self.blocks = nn.ModuleList(_InvertedBottleneck(block) for block in trunk_blocks())

    def forward(
        self, frames: Float[Tensor, "n 3 size size"]
    ) -> tuple[Float[Tensor, "n 120 fine fine"], Float[Tensor, "n 352 grid grid"]]:
        """Return the features at stride 16 and at stride 32."""
        x = self.stem(frames).clamp_(0, 6)
        fine = x
        for block in self.blocks:
            x = block(x)
            if x.shape[1] == FINE:
                fine = x
        return fine, x


class Tracks(nn.Module):
    """Tells every token where, in each frame, its own likeness is: what moves gives itself away.

    A soft match against all places of a frame gives a mean place and how good the best match is.
    Attention can learn the same, but only after very long training. After MotionSqueeze
    (https://arxiv.org/abs/2007.09933).
    """

    def __init__(self, width: int, dim: int = 64) -> None:
        super().__init__()
        self.key = nn.Linear(width, dim, bias=False)
        self.sharpness = nn.Parameter(torch.tensor(10.0))
        self.up, self.down = nn.Linear(3 * FRAMES, 128), nn.Linear(128, width)

    def forward(self, x: Float[Tensor, "clips n width"]) -> Float[Tensor, "clips n width"]:
        """Return what a token's whereabouts add to it; `x` knows no places yet."""
        clips, tokens, _ = x.shape
        keys = nn.functional.normalize(self.key(x), dim=-1)
        likeness = (keys @ keys.mT).view(clips, tokens, FRAMES, GRID * GRID)
        places = _places(x)
        mean = (self.sharpness * likeness).softmax(dim=-1).to(x.dtype) @ places
        moved = mean - places.repeat(FRAMES, 1)[:, None]
        facts = torch.cat([moved, likeness.amax(dim=-1, keepdim=True)], dim=-1).flatten(2)
        update: Tensor = self.down(nn.functional.gelu(self.up(facts)))
        return update


def _places(like: Tensor) -> Float[Tensor, "cells 2"]:
    """Return row and column of every cell of a frame, from -1 to 1."""
    line = torch.linspace(-1, 1, GRID, device=like.device, dtype=like.dtype)
    return torch.cartesian_prod(line, line)


class _JointBlock(nn.Module):
    """Attention over every place of every frame of a clip, then a small network for each token."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Float[Tensor, "clips n width"]) -> Float[Tensor, "clips n width"]:
        """Return the tokens, each having looked at all the others."""
        clips, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(clips, tokens, 3, self.heads, width // self.heads)
        mixed = scaled_dot_product_attention(*qkv.permute(2, 0, 3, 1, 4).unbind(0))
        x = x + self.out(mixed.transpose(1, 2).reshape(clips, tokens, width))
        update: Tensor = self.down(nn.functional.gelu(self.up(self.norm2(x))))
        return x + update


class LiteVision(nn.Module):
    """The encoder of the `lite` model.

    In two halves, so that the first (fixed, and nearly all of the work) can be done once per
    picture and its result kept while the second is trained.
    """

    def __init__(self, width: int = 256, heads: int = 4, blocks: int = 2) -> None:
        super().__init__()
        self.width, self.heads = width, heads
        self.trunk_network = _Trunk()
        self.head = Convolution(COARSE, 1280)
        self.coarse = nn.Linear(1280, width)
        self.fine = nn.Linear(4 * FINE, width, bias=False)
        self.tracks = Tracks(width)
        self.time = nn.Parameter(0.1 * torch.randn(FRAMES, 1, 1, width))
        self.row = nn.Parameter(0.1 * torch.randn(1, GRID, 1, width))
        self.column = nn.Parameter(0.1 * torch.randn(1, 1, GRID, width))
        self.blocks = nn.ModuleList(_JointBlock(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)

    def trunk(
        self,
        frames: UInt8[Tensor, "clips frames 3 size size"]
        | Float[Tensor, "clips frames 3 size size"],
    ) -> Float[Tensor, "clips frames 49 trunk"]:
        """Return what the image network sees in each frame, one row per cell of a 7x7 grid.

        A row holds the last stage's 352 values and the finer stage's 4 times 120.

        Args:
            frames: Pixels from 0 to 255.
        """
        fine, coarse = self._stages(frames.flatten(0, 1))
        both = torch.cat([coarse, pixel_unshuffle(fine, 2)], dim=1)
        return both.flatten(2).mT.reshape(*frames.shape[:2], GRID * GRID, TRUNK_WIDTH)

    def last_stage(
        self, pictures: UInt8[Tensor, "n 3 size size"]
    ) -> Float[Tensor, "n 352 grid grid"]:
        """Return what the image network's last stage sees in pictures of any one size."""
        return self._stages(pictures)[1].float()

    def _stages(
        self, pictures: UInt8[Tensor, "n 3 size size"] | Float[Tensor, "n 3 size size"]
    ) -> tuple[Float[Tensor, "n 120 fine fine"], Float[Tensor, "n 352 grid grid"]]:
        dtype = self.trunk_network.stem.weight.dtype
        pixels = ((pictures.to(torch.float32) - 127.0) / 128.0).to(dtype)
        fine, coarse = self.trunk_network(pixels.contiguous(memory_format=torch.channels_last))
        return fine, coarse

    def fuse(
        self, features: Float[Tensor, "clips frames 49 trunk"]
    ) -> Float[Tensor, "clips tokens width"]:
        """Return the clip's tokens, frame by frame and row by row, from its trunk features."""
        coarse, fine = features[..., :COARSE], features[..., COARSE:]
        what = nn.functional.linear(coarse, self.head.weight[:, :, 0, 0], self.head.bias)
        x = self.coarse(what.clamp(0, 6)) + self.fine(fine)
        x = x.flatten(1, 2)
        where = (self.time + self.row + self.column).flatten(0, 2)
        x = x + where + self.tracks(x)
        for block in self.blocks:
            x = block(x)
        normed: Tensor = self.norm(x)
        return normed

    def forward(
        self,
        frames: UInt8[Tensor, "clips frames 3 size size"]
        | Float[Tensor, "clips frames 3 size size"],
    ) -> Float[Tensor, "clips tokens width"]:
        """Return 49 tokens for each of a clip's four frames.

        Args:
            frames: Pixels from 0 to 255, 224 on a side.

        Raises:
            ValueError: If a clip has not four frames of that size.
        """
        if frames.shape[1:] != (FRAMES, 3, SIZE, SIZE):
            raise ValueError(
                f"expected clips of {FRAMES} frames of 3x{SIZE}x{SIZE}, not {tuple(frames.shape[1:])}"
            )
        return self.fuse(self.trunk(frames))


def fold_trunk(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the published weights under our names, each batch normalisation folded into its filter.

    Covers `trunk_network.*`, `head.*` and the 1,000-class `classifier.*`, which shows that the
    weights are what they claim to be.

    Raises:
        KeyError: If a tensor is missing.
        ValueError: If tensors are left over.
    """
    left = {k: v for k, v in published.items() if not k.endswith("num_batches_tracked")}
    folded: dict[str, Tensor] = {}

    def take(name: str, filter_name: str, norm: str) -> None:
        gain, shift, mean, variance = (
            left.pop(f"{norm}.{part}") for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / (variance + 1e-3).sqrt()
        folded[f"{name}.weight"] = left.pop(f"{filter_name}.weight") * scale[:, None, None, None]
        folded[f"{name}.bias"] = shift - mean * scale

    take("trunk_network.stem", "_conv_stem", "_bn0")
    for n, block in enumerate(trunk_blocks()):
        theirs, ours = f"_blocks.{n}", f"trunk_network.blocks.{n}"
        if block.expansion > 1:
            take(f"{ours}.expand", f"{theirs}._expand_conv", f"{theirs}._bn0")
        take(f"{ours}.depthwise", f"{theirs}._depthwise_conv", f"{theirs}._bn1")
        take(f"{ours}.narrow", f"{theirs}._project_conv", f"{theirs}._bn2")
    take("head", "_conv_head", "_bn1")
    folded["classifier.weight"], folded["classifier.bias"] = (
        left.pop("_fc.weight"),
        left.pop("_fc.bias"),
    )
    if left:
        raise ValueError(f"unexpected tensors in the vision trunk: {sorted(left)}")
    return folded
