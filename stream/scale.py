"""From a decoded picture to the small RGB picture that the rest of the service works with."""

import numpy as np
from av import VideoFrame
from jaxtyping import UInt8


def to_rgb(frame: VideoFrame, side: int) -> UInt8[np.ndarray, "height width 3"]:
    """Return `frame` as RGB, scaled down so that its longer side is at most `side`."""
    scale = min(1.0, side / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    return frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
