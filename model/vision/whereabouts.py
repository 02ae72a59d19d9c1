"""Where the classifier sees a thing, and which way it goes: from what it believes cell by cell.

The classifier knows a thousand kinds of thing, the detector eighty. Of what the detector does not find
the cells that look like it tell the place, roughly, and their middle moves with it from frame to frame.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

_CLEAR = 0.5
"""What the best cell of the last frame must be believed, for a place to be known."""
_FOLLOWED, _CELLS = 0.8, 5
"""What the best cell of every frame must be believed, and how many look alike, for a thing to be followed:
the middle of few or doubtful cells jumps about by itself."""
_MOVES = 0.08
"""Shares of the frame that it must have come within a clip."""
_BACK = 0.03
"""Shares of the frame that it may seem to go back by in between."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a thing is at the end of a clip, in shares of the frame, and which way it went.

    Attributes:
        x: Its middle, from the left.
        y: Its middle, from the top.
        width: Of the cells that look like it.
        height: Of the same.
        movement: Left, right, up or down, 0 to 3; None if it stays or that is not clear.
    """

    x: float
    y: float
    width: float
    height: float
    movement: int | None


def whereabouts(belief: Float[Tensor, "frames rows columns"]) -> Whereabouts | None:
    """Return where a thing is that each cell is believed to be; None if no cell is clear."""
    best = belief.amax((1, 2))
    if best[-1] < _CLEAR:
        return None
    alike = belief >= best[:, None, None] / 2
    middles = [_middle(frame) for frame in belief * alike]
    rows, columns = alike[-1].nonzero(as_tuple=True)
    followed = bool(best.min() >= _FOLLOWED) and int(alike.sum((1, 2)).min()) >= _CELLS
    return Whereabouts(
        *middles[-1],
        width=(int(columns.max() - columns.min()) + 1) / belief.shape[2],
        height=(int(rows.max() - rows.min()) + 1) / belief.shape[1],
        movement=_movement(middles) if followed else None,
    )


def _movement(middles: list[tuple[float, float]]) -> int | None:
    (x, y), (last_x, last_y) = middles[0], middles[-1]
    sideways = abs(last_x - x) >= abs(last_y - y)
    axis = 0 if sideways else 1
    far = (last_x - x) if sideways else (last_y - y)
    forward = 1 if far > 0 else -1
    steps = [forward * (after[axis] - before[axis]) for before, after in pairwise(middles)]
    if abs(far) < _MOVES or min(steps) < -_BACK:
        return None
    return 2 * axis + (forward > 0)


def _middle(weights: Float[Tensor, "rows columns"]) -> tuple[float, float]:
    total = weights.sum()
    across, down = (
        (torch.arange(size, device=weights.device) + 0.5) / size
        for size in (weights.shape[1], weights.shape[0])
    )
    return float(weights.sum(0) @ across / total), float(weights.sum(1) @ down / total)
