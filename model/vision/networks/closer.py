"""A closer look: what a drawn thing is, cut out of its frame and seen alone, enlarged.

In a frame of 224 pixels many a thing is two cells wide. Enlarged, the same image network, which stands as
published, tells far better what it is; one layer on what it sees is ours (`training/lite/closer.py`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.functional import interpolate

from model.vision.networks.lite_network import COARSE, LiteVision

CLOSE = 160
"""Pixels of a side of a close-up: a thing costs half of what a frame costs."""
_AROUND = 1.1
"""A close-up is so much larger than the thing."""
SEEN = 1280 + COARSE


_SHARPER = 1 / 0.6
"""The layer is trained on labels that are not quite sure, and is less sure of itself than it may be."""


class View(NamedTuple):
    """Where a thing is: its frame, its middle and its extent, in shares of the frame."""

    frame: int
    x: float
    y: float
    width: float
    height: float


class Closer(nn.Module):
    """Names a close-up, by what the image network sees in it; the last name is that nothing is there."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(SEEN, elementwise_affine=False)
        self.name = nn.Linear(SEEN, len(names) + 1)

    def forward(self, seen: Float[Tensor, "views seen"]) -> Float[Tensor, "views names"]:
        """Return how likely every name is."""
        likely: Tensor = (_SHARPER * self.name(self.norm(seen))).softmax(dim=-1)
        return likely


def close_ups(
    clip: UInt8[Tensor, "frames height width 3"], views: Sequence[View]
) -> UInt8[Tensor, "views 3 side side"]:
    """Return what is at `views`, each as a square that is all within its frame."""
    return torch.stack([_cut(clip[view.frame], view) for view in views])


def _cut(frame: UInt8[Tensor, "height width 3"], view: View) -> UInt8[Tensor, "3 side side"]:
    height, width = frame.shape[:2]
    wanted = _AROUND * max(view.width * width, view.height * height)
    side = max(1, min(round(wanted), height, width))
    left = min(max(round(view.x * width - side / 2), 0), width - side)
    top = min(max(round(view.y * height - side / 2), 0), height - side)
    square = frame[top : top + side, left : left + side].movedim(-1, 0)[None]
    return interpolate(square, size=(CLOSE, CLOSE), mode="bicubic", antialias=True)[0]


def seen_closely(
    vision: LiteVision, pictures: UInt8[Tensor, "views 3 side side"]
) -> Float[Tensor, "views seen"]:
    """Return what the image network sees in close-ups: the mean, and what is strongest."""
    coarse = vision.last_stage(pictures)
    what = vision.head(coarse).clamp(0, 6)
    parts = (what.mean(dim=(2, 3)), coarse.amax(dim=(2, 3)))
    return torch.cat(parts, dim=1)
