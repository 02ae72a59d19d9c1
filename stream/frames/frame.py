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
