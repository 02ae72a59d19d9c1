"""What colour a thing has, as people call it: by hue, lightness and saturation of its pixels."""

import numpy as np
from jaxtyping import UInt8

from model.vision.vocabulary import COLOURS

_CLEAR = 0.55
"""Share of a thing's pixels that must be of one colour."""
_RED, _ORANGE, _YELLOW, _GREEN, _BLUE, _PURPLE, _PINK, _BLACK, _WHITE, _BROWN, _GREY = range(len(COLOURS))  # fmt: skip
_HUES = ((15, _RED), (42, _ORANGE), (70, _YELLOW), (165, _GREEN), (255, _BLUE), (290, _PURPLE), (338, _PINK), (361, _RED))  # fmt: skip
"""Degrees up to which a hue has a name."""


def colour_of(pixels: UInt8[np.ndarray, "height width 3"]) -> int | None:
    """Return the number in `COLOURS` of what most of a picture's middle has; None if nothing does."""
    height, width = pixels.shape[:2]
    middle = pixels[
        height // 4 : max(height - height // 4, 1), width // 4 : max(width - width // 4, 1)
    ]
    step = max(1, int((middle.shape[0] * middle.shape[1] / 1024) ** 0.5))
    rows = middle[::step, ::step].reshape(-1, 3).astype(np.float32) / 255
    if not len(rows):
        return None
    names = np.bincount(_named(rows), minlength=len(COLOURS))
    best = int(names.argmax())
    return best if names[best] >= _CLEAR * len(rows) else None


def _named(rows: np.ndarray) -> np.ndarray:
    value, least = rows.max(axis=1), rows.min(axis=1)
    chroma = value - least
    saturation = chroma / np.maximum(value, 1e-6)
    red, green, blue = rows.T
    safe = np.maximum(chroma, 1e-6)
    hue = (
        np.select(
            [value == red, value == green],
            [((green - blue) / safe) % 6, (blue - red) / safe + 2],
            (red - green) / safe + 4,
        )
        * 60
    )
    names = np.full(len(rows), _RED)
    for limit, name in reversed(_HUES):
        names[hue < limit] = name
    names[(names == _ORANGE) & (value < 0.6)] = _BROWN
    names[(names == _RED) & (saturation < 0.55) & (value > 0.75)] = _PINK
    grey = (saturation < 0.2) | (chroma < 0.08)
    names[grey] = _GREY
    names[grey & (value > 0.82)] = _WHITE
    names[value < 0.2] = _BLACK
    return names
