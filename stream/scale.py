"""From a decoded picture to the small RGB picture that the rest of the service works with."""

import numpy as np
from av import VideoFrame
from jaxtyping import UInt8


def to_rgb(frame: VideoFrame, side: int) -> UInt8[np.ndarray, "height width 3"]:
    """Return `frame` as RGB, upright, scaled down so that its longer side is at most `side`.

    A telephone records as its sensor lies and notes how to turn the picture.
    """
    scale = min(1.0, side / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    pixels = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
