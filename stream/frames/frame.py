"""One decoded picture with the time it belongs to: where everything begins."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import UInt8

Picture: TypeAlias = UInt8[np.ndarray, "height width 3"]
"""RGB, 0 to 255."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture.

    Attributes:
        pixels: Already scaled down to what the rest of the service needs.
        time: Media time in seconds since the stream's beginning.
    """

    pixels: Picture
    time: float


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one picture: it is wanted, and belongs here.

    Attributes:
        time: Media time in seconds.
        captured: Monotonic time of its arrival, in seconds.
        sampled: Whether it goes to memory; else it is only for those who watch.
    """

    time: float
    captured: float
    sampled: bool = True
