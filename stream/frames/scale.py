"""From a decoded picture to the RGB picture that the rest of the service works with."""

import struct
from typing import cast

import numpy as np
from av import VideoFrame
from av.sidedata.sidedata import SideDataContainer

from stream.frames.frame import Picture
from stream.frames.side_data import Type

LONGEST_ASPECT = 4
"""A picture that is longer than this many times its shorter side is scaled down further."""
# https://ffmpeg.org/doxygen/trunk/group__lavu__video__display.html
_MATRIX = struct.Struct("=9i")


def to_rgb(frame: VideoFrame, side: int) -> Picture:
    """Return `frame` as RGB, as it is to be shown, its shorter side at most `side` pixels."""
    width, height = scaled_down(frame.width, frame.height, side)
    return upright(frame, as_rgb(frame, width, height))


def as_rgb(frame: VideoFrame, width: int | None = None, height: int | None = None) -> VideoFrame:
    """Return `frame` as RGB, of its own size where none is given, not turned yet."""
    # By itself FFmpeg starts a thread a core for every frame, which live as long as the frame.
    return frame.reformat(width=width, height=height, format="rgb24", threads=1)


def scaled_down(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the size of a picture of `width` by `height` whose shorter side is at most `side`."""
    shorter, longer = sorted((width, height))
    scale = min(1.0, side / shorter, LONGEST_ASPECT * side / longer)
    return max(1, round(width * scale)), max(1, round(height * scale))


def turn_of(frame: VideoFrame) -> tuple[int, int, int, int] | None:
    """Return a, b, c and d where the pixel at (x, y) is shown at (a x + c y, b x + d y); None if as it is."""
    try:
        matrix = cast("SideDataContainer", frame.side_data)[Type.DISPLAYMATRIX]
    except KeyError:
        return None
    a, b, _, c, d, *_ = _MATRIX.unpack(bytes(matrix)[: _MATRIX.size])
    return a, b, c, d


def upright(frame: VideoFrame, rgb: VideoFrame) -> Picture:
    """Return the pixels of `rgb` turned and mirrored as `frame` says.

    A telephone records as its sensor lies and notes how to turn the picture, a front camera how to
    mirror it.
    """
    pixels, matrix = rgb.to_ndarray(), turn_of(frame)
    if matrix is None:
        return pixels
    a, b, c, d = matrix
    if abs(a) + abs(d) >= abs(b) + abs(c):
        right, down = a, d
    else:
        pixels, right, down = pixels.swapaxes(0, 1), c, b
    turned = pixels[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1]
    return np.ascontiguousarray(turned)
