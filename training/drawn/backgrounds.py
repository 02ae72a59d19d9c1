"""Backgrounds that say nothing: colours and textures drawn from a seed.

The kinds used for training and those used to measure it are different kinds, so that a network
cannot do well by knowing its wallpapers.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
Field = npt.NDArray[np.float32]
Maker = Callable[[np.random.Generator, int, int], Field]


def background(
    kind: str, seed: int, height: int, width: int, avoid: tuple[int, int, int] | None = None
) -> Pixels:
    """Return a picture of the given kind, one field of values coloured between two or three colours.

    Args:
        kind: One of the kinds below.
        seed: Decides everything about it.
        height: In pixels.
        width: In pixels.
        avoid: A colour that must stand out from the picture.
    """
    random = np.random.default_rng(seed)
    field = np.clip(_MAKERS[kind](random, height, width), 0, 1)[..., None]
    first, second = _colour(random, avoid), _colour(random, avoid)
    if random.random() < 0.5:  # half of the pictures are calm: two colours near each other
        second = first + 0.3 * (second - first)
    picture = first + (second - first) * field
    if kind != "plain":
        grain = random.normal(0, random.uniform(0, 6), (height, width, 1))
        picture = picture + grain
    return np.clip(picture, 0, 255).astype(np.uint8)


def _colour(random: np.random.Generator, avoid: tuple[int, int, int] | None) -> Field:
    while True:
        colour = random.uniform(15, 245, 3)
        if random.random() < 0.5:  # greyish, as most rooms are
            colour = colour.mean() + 0.25 * (colour - colour.mean())
        if avoid is None or np.abs(colour - np.array(avoid)).sum() > 170:
            return colour.astype(np.float32)


def _grid(height: int, width: int) -> tuple[Field, Field]:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    return rows / height, columns / width


def _turned(random: np.random.Generator, height: int, width: int) -> Field:
    rows, columns = _grid(height, width)
    angle = random.uniform(0, 2 * np.pi)
    return np.asarray(np.cos(angle) * columns + np.sin(angle) * rows, dtype=np.float32)


def _noise(random: np.random.Generator, height: int, width: int, cells: int) -> Field:
    small = Image.fromarray(random.random((cells, cells)).astype(np.float32))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def _plain(random: np.random.Generator, height: int, width: int) -> Field:
    return np.full((height, width), random.random(), np.float32)


def _gradient(random: np.random.Generator, height: int, width: int) -> Field:
    return _turned(random, height, width) * 0.7 + 0.5


def _clouds(random: np.random.Generator, height: int, width: int) -> Field:
    octaves = [_noise(random, height, width, cells) / cells for cells in (3, 6, 12, 24)]
    total = np.sum(octaves, axis=0)
    return np.asarray((total - total.min()) / np.ptp(total), dtype=np.float32)


def _stripes(random: np.random.Generator, height: int, width: int) -> Field:
    phase = _turned(random, height, width) * random.uniform(3, 12)
    return np.asarray(phase % 1 > 0.5, dtype=np.float32)


def _checks(random: np.random.Generator, height: int, width: int) -> Field:
    rows, columns = _grid(height, width)
    cells = random.integers(3, 10)
    return np.asarray((np.floor(rows * cells) + np.floor(columns * cells)) % 2, dtype=np.float32)


def _blocks(random: np.random.Generator, height: int, width: int) -> Field:
    """Return overlapping rectangles, as of furniture and windows."""
    field = np.full((height, width), random.random(), np.float32)
    for _ in range(random.integers(2, 9)):
        top, left = random.integers(0, height), random.integers(0, width)
        tall, wide = random.integers(height // 8, height), random.integers(width // 8, width)
        field[top : top + tall, left : left + wide] = random.random()
    return field


def _rings(random: np.random.Generator, height: int, width: int) -> Field:
    rows, columns = _grid(height, width)
    distance = np.hypot(rows - random.random(), columns - random.random())
    return np.asarray((distance * random.uniform(2, 8)) % 1 > 0.5, dtype=np.float32)


def _waves(random: np.random.Generator, height: int, width: int) -> Field:
    fields = [np.sin(_turned(random, height, width) * random.uniform(5, 30)) for _ in range(3)]
    return np.asarray(np.sum(fields, axis=0) / 6 + 0.5, dtype=np.float32)


def _patches(random: np.random.Generator, height: int, width: int) -> Field:
    """Return soft-edged patches: noise with its contrast turned up, as of leaves and shadows."""
    return (_noise(random, height, width, int(random.integers(4, 16))) - 0.5) * 4 + 0.5


def _dots(random: np.random.Generator, height: int, width: int) -> Field:
    rows, columns = _grid(height, width)
    side, radius = random.uniform(4, 11), random.uniform(0.15, 0.45)
    away = np.hypot(rows * side % 1 - 0.5, columns * side % 1 - 0.5)
    return np.asarray(away < radius, dtype=np.float32)


def _rays(random: np.random.Generator, height: int, width: int) -> Field:
    rows, columns = _grid(height, width)
    angle = np.arctan2(rows - random.random(), columns - random.random())
    return np.asarray(angle / (2 * np.pi) * random.integers(5, 20) % 1 > 0.5, dtype=np.float32)


def _bricks(random: np.random.Generator, height: int, width: int) -> Field:
    rows, columns = _grid(height, width)
    count, joint = random.integers(4, 11), random.uniform(0.06, 0.2)
    row = np.floor(rows * count)
    along = (columns * count / 2 + row % 2 / 2) % 1
    stone = (rows * count % 1 > joint) & (along > joint / 2)
    shade = random.random(int(count)).astype(np.float32)[np.minimum(row, count - 1).astype(int)]
    return np.asarray(stone * (0.6 + 0.4 * shade), dtype=np.float32)


def _mosaic(random: np.random.Generator, height: int, width: int) -> Field:
    """Return squares of chance brightness, as of tiles."""
    count = int(random.integers(4, 15))
    small = Image.fromarray(random.random((count, count)).astype(np.float32))
    return np.asarray(small.resize((width, height), Image.Resampling.NEAREST))


def _plaid(random: np.random.Generator, height: int, width: int) -> Field:
    rows, columns = _grid(height, width)
    fields = [(line * random.uniform(3, 9)) % 1 > random.uniform(0.3, 0.8) for line in (rows, columns)]  # fmt: skip
    return np.asarray(np.sum(fields, axis=0) / 2, dtype=np.float32)


def _discs(random: np.random.Generator, height: int, width: int) -> Field:
    """Return discs with hard edges, one over the other."""
    rows, columns = _grid(height, width)
    field = np.full((height, width), random.random(), np.float32)
    for _ in range(random.integers(4, 25)):
        away = np.hypot(rows - random.random(), columns - random.random())
        field[away < random.uniform(0.03, 0.25)] = random.random()
    return field


def _zigzag(random: np.random.Generator, height: int, width: int) -> Field:
    rows, columns = _grid(height, width)
    tooth = np.abs(columns * random.uniform(3, 10) % 1 - 0.5) * random.uniform(0.5, 2)
    return np.asarray((rows * random.uniform(4, 12) + tooth) % 1 > 0.5, dtype=np.float32)


_MAKERS: dict[str, Maker] = {
    "plain": _plain, "gradient": _gradient, "clouds": _clouds, "stripes": _stripes,
    "checks": _checks, "blocks": _blocks, "rings": _rings, "waves": _waves, "patches": _patches,
    "dots": _dots, "rays": _rays, "bricks": _bricks, "mosaic": _mosaic, "plaid": _plaid,
    "discs": _discs, "zigzag": _zigzag,
}  # fmt: skip
TRAINING_KINDS = ("plain", "gradient", "clouds", "stripes", "checks", "blocks")
HELD_OUT_KINDS = ("rings", "waves", "patches")
WIDE_KINDS = ("bricks", "mosaic", "plaid", "discs", "zigzag")
"""More to train heads on: of these the encoder has seen nothing."""
TUNING_KINDS = ("dots", "rays")
"""Those that thresholds are chosen on."""
