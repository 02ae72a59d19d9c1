"""Which frames of a whole video file to look at: densely where it is short, sparsely where it is long.

The offline sampling of VideoChat-Flash (https://arxiv.org/abs/2501.00574, section 3.2): the file is
cut into intervals of equally many frames, and of each the middle one is taken.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

_FEWEST = 64
TOGETHER = 8
"""Frames are taken in multiples of it, as the released checkpoints' own loader takes them."""
MOST = 512


def frames_wanted(frames: int, seconds: float, most: int, rate: float = 1.0) -> int:
    """Return how many frames to look at.

    One a second, but not fewer than `_FEWEST`, nor more than `most`; all, where there are fewer.

    Args:
        frames: That the file has.
        seconds: Its length.
        most: To look at, whatever the length.
        rate: Wanted per second of a file that is neither short nor long.

    Raises:
        ValueError: If `most` allows not even the fewest that are taken together.
    """
    if most < TOGETHER:
        raise ValueError(f"at least {TOGETHER} frames are looked at, got {most=}")
    in_pace = int(seconds * rate / TOGETHER) * TOGETHER
    return min(frames, max(_FEWEST, in_pace), most // TOGETHER * TOGETHER)


def middles(frames: int, count: int) -> Sequence[int]:
    """Return the middle frame of each of `count` intervals of `frames`, by number."""
    # Rounded as the reference rounds it.
    borders = np.linspace(0, frames, count + 1).astype(int).tolist()
    return [(first + stop - 1) // 2 for first, stop in pairwise(borders)]
