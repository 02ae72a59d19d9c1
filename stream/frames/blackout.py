"""Zones of a picture that nobody is to see: painted black before anything else is done with it.

What is painted is in no clip, no thumbnail, no answer and no preview, and cannot be brought back.
"""

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
from jaxtyping import Bool
from PIL import Image, ImageDraw

from stream.frames.frame import Picture

Point = tuple[float, float]
_EDGE_PIXELS = 2
"""A zone is a little wider than it was drawn: half a face at its edge is a face."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the picture, as it is shown.

    Attributes:
        streams: Pattern of names of the streams whose pictures it is black in, such as `door-*`.
        points: Two opposite corners of a box, or the corners of a polygon in turn; from left and from
            top, as fractions of width and height.
    """

    streams: str
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        if len(self.points) < 2:
            raise ValueError(f"a zone has two corners or more, not {len(self.points)}")
        for number in (number for point in self.points for number in point):
            if not (math.isfinite(number) and 0 <= number <= 1):
                raise ValueError(f"{number:g} is not a fraction of a picture: write 0 to 1")
        if len(self.points) == 2 and any(a == b for a, b in zip(*self.points, strict=True)):
            raise ValueError("the two corners of a zone span no box")


class Blackout:
    """Paints the zones of one stream.

    Args:
        zones: Of all streams.
        stream: The name of this one.
    """

    def __init__(self, zones: tuple[Zone, ...], stream: str) -> None:
        self._zones = [zone for zone in zones if fnmatchcase(stream, zone.streams)]
        self._mask: Bool[np.ndarray, "height width"] | None = None

    def __call__(self, picture: Picture) -> Picture:
        """Return `picture` with the zones black; itself, if there are none."""
        if not self._zones:
            return picture
        if self._mask is None or self._mask.shape != picture.shape[:2]:
            self._mask = _drawn(self._zones, *picture.shape[:2])
        painted = picture.copy()  # it may lie in memory that others read
        painted[self._mask] = 0
        return painted


def _drawn(zones: list[Zone], height: int, width: int) -> Bool[np.ndarray, "height width"]:
    """Return where the zones are in a picture of this size."""
    canvas = Image.new("1", (width, height))
    pen = ImageDraw.Draw(canvas)
    for zone in zones:
        corners = [(x * (width - 1), y * (height - 1)) for x, y in zone.points]
        if len(corners) == 2:
            (left, right), (top, bottom) = (sorted(axis) for axis in zip(*corners, strict=True))
            corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        pen.polygon(corners, fill=1)
        pen.line([*corners, corners[0], corners[1]], fill=1, width=2 * _EDGE_PIXELS + 1)
    return np.asarray(canvas)
