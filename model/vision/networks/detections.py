"""Reads a detector's maps: which of 80 kinds of thing are in a picture, and where.

Source: Objects as Points (https://arxiv.org/abs/1904.07850): a peak of a kind's map is a thing.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

_STRIDE = 4
"""Pixels a cell of the maps, each way."""
_SAME = 0.6
"""Two boxes of a kind that overlap by more are one thing."""

# fmt: off
KINDS = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog",
    "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella",
    "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite",
    "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange",
    "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant",
    "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
    "teddy bear", "hair drier", "toothbrush",
)
# fmt: on
"""What a class number means: COCO's 80 kinds (https://cocodataset.org) in their usual order."""


class Detections(NamedTuple):
    """What was found in one picture, the surest first."""

    kinds: Int[Tensor, " things"]
    """Index into `KINDS`."""
    scores: Float[Tensor, " things"]
    boxes: Float[Tensor, "things 4"]
    """Left, top, right and bottom as parts of the picture, 0 to 1."""


def detect(
    heat: Float[Tensor, "80 y x"],
    sizes: Float[Tensor, "4 y x"],
    threshold: float = 0.3,
    most: int = 32,
) -> Detections:
    """Return the things whose maps peak at the threshold or above, no more than `most`.

    A peak is a cell that none of its eight neighbours exceeds. Of two of a kind whose boxes are
    nearly the same, the surer one stays.

    Args:
        heat: One picture's maps from `Detector`.
        sizes: Its reaches from `Detector`.
        threshold: The least score.
        most: The most peaks looked at.
    """
    # Only the few cells that are high enough are compared with their neighbours: pooling all 80
    # maps would take ten times as long.
    kind, y, x = (heat >= threshold).nonzero(as_tuple=True)
    around = pad(heat, (1, 1, 1, 1)).unfold(1, 3, 1).unfold(2, 3, 1)[kind, y, x]
    scores = heat[kind, y, x]
    peaks = (around.amax((1, 2)) <= scores).nonzero().flatten()
    best = peaks[scores[peaks].sort(descending=True, stable=True).indices[:most]]
    kind, y, x, scores = kind[best], y[best], x[best], scores[best].float()
    middle = torch.stack([x, y, x, y], dim=1)
    edges = middle + sizes[:, y, x].float().T / _STRIDE * sizes.new_tensor([-1.0, -1.0, 1.0, 1.0])
    boxes = (edges / edges.new_tensor([heat.shape[2], heat.shape[1]] * 2)).clamp(0, 1)
    same = (_overlap(boxes) > _SAME) & (kind[:, None] == kind)
    stays = ~same.triu(diagonal=1).any(0)
    return Detections(kind[stays], scores[stays], boxes[stays])


def _overlap(boxes: Float[Tensor, "things 4"]) -> Float[Tensor, "things things"]:
    """Return what every two boxes share, as part of what they cover together."""
    lower = torch.maximum(boxes[:, None, :2], boxes[:, :2])
    upper = torch.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = (upper - lower).clamp(min=0).prod(2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return shared / (areas[:, None] + areas - shared).clamp(min=1e-9)
