"""Finds where a film goes over to another scene, from the sampled frames alone.

Two frames are compared as pictures of a dozen cells a side. A cut changes nearly all of them at once;
a camera or a thing that moves changes some, and has changed about as many in the frame before.
"""

import numpy as np

from stream.frames.frame import Picture

_CELLS = 12
_CHANGED = 24.0
"""Mean difference of cells, of 255, from which on it may be a cut. Films of fixed cameras differ by 1
to 20 from second to second, with a car that drives past the lens by 50; cuts differ by 30 to 90."""
_UNREST = 3.0
"""A cut differs by this many times what the frames before it differed by."""


class SceneCuts:
    """Watches the frames of one stream."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None
        self._difference = 0.0

    def is_cut(self, pixels: Picture) -> bool:
        """Return whether `pixels` begin another scene; every frame must be shown, in order."""
        cells = _cells(pixels)
        before, self._before = self._before, cells
        if before is None:
            return False
        difference = float(np.abs(cells - before).mean())
        cut = difference > max(_CHANGED, _UNREST * self._difference)
        self._difference = 0.0 if cut else difference
        return cut


def _cells(pixels: Picture) -> np.ndarray:
    """Return the mean colour of each cell."""
    height, width = (size // _CELLS * _CELLS for size in pixels.shape[:2])
    if not height or not width:
        return np.broadcast_to(pixels.mean((0, 1), dtype=np.float32), (_CELLS, _CELLS, 3))
    blocks = pixels[:height, :width].reshape(_CELLS, height // _CELLS, _CELLS, width // _CELLS, 3)
    return np.asarray(blocks.mean((1, 3), dtype=np.float32))
