"""One decoded picture with the time it belongs to: where everything begins."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture.

    Attributes:
        pixels: RGB, 0 to 255, already scaled down to what the rest of the service needs.
        time: Media time in seconds since the stream's beginning.
    """

    pixels: UInt8[np.ndarray, "height width 3"]
    time: float
