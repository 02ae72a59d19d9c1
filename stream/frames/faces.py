"""Faces that nobody is to recognise: found in every picture and blurred before anything else is done.

What is blurred is so in every clip, thumbnail, preview and film, and cannot be brought back: of a face
sixteen averages are left. Where faces were in the picture before is blurred as well, since one that
turns away for a moment may be missed. What is not found is not blurred; see docs/operations.md.
"""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from functools import cache

import numpy as np
import torch
from PIL import Image

from model.vision.networks.faces import Face, find_faces
from stream.frames.frame import Picture

_CELLS = 4
"""So many averages along each side are left of a face, fewer of a small one."""
_SMALLEST_CELL = 4
_WIDER, _TALLER = 1.5, 1.6
"""A box is grown so far: hair, ears and chin tell who it is, too."""


class FaceBlur:
    """Blurs faces in the pictures of one stream, if it is to.

    Args:
        streams: Patterns of the names of streams whose faces are blurred, such as `door-*`.
        stream: The name of this one.
    """

    def __init__(self, streams: tuple[str, ...], stream: str) -> None:
        self.wanted = any(fnmatchcase(stream, pattern) for pattern in streams)
        self._before: list[Face] = []

    async def __call__(self, picture: Picture) -> Picture:
        """Return `picture` without faces that can be recognised; itself, if that is not wanted."""
        if not self.wanted:
            return picture
        loop = asyncio.get_running_loop()
        faces = await loop.run_in_executor(_worker(), _find, picture)
        before, self._before = self._before, faces
        return blurred(picture, [*faces, *before])


@cache
def _worker() -> ThreadPoolExecutor:
    # One for all streams, and none of those that everybody shares: looking takes a tenth of a second.
    return ThreadPoolExecutor(1, thread_name_prefix="faces")


def _find(picture: Picture) -> list[Face]:
    return find_faces(torch.tensor(picture))  # a copy: what others may write to is not looked at


def blurred(picture: Picture, faces: Iterable[Face]) -> Picture:
    """Return `picture` with `faces` averaged away; itself, if there is none in it."""
    height, width = picture.shape[:2]
    shown = None
    for face in faces:
        across, down = (face.left + face.right) / 2, (face.top + face.bottom) / 2
        wide = (face.right - face.left) * _WIDER / 2
        tall = (face.bottom - face.top) * _TALLER / 2
        left, right = _within(across - wide, across + wide, width)
        top, bottom = _within(down - tall, down + tall, height)
        if left >= right or top >= bottom:
            continue
        shown = picture.copy() if shown is None else shown  # it may lie in memory that others read
        shown[top:bottom, left:right] = _averaged(picture[top:bottom, left:right])
    return picture if shown is None else shown


def _within(low: float, high: float, size: int) -> tuple[int, int]:
    return max(0, int(low)), min(size, int(high) + 1)


def _averaged(region: Picture) -> Picture:
    height, width = region.shape[:2]
    image = Image.fromarray(region)
    sides = (max(1, min(_CELLS, side // _SMALLEST_CELL)) for side in (width, height))
    cells = image.resize(tuple(sides), Image.Resampling.BOX)
    return np.asarray(cells.resize((width, height), Image.Resampling.BILINEAR))
