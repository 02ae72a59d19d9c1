"""Close-ups: one drawn thing, cut out of a frame as the eyes cut it out to look at it again.

Beside what scenes are varied in, drawings here get other colours, outlines and contrasts, and the cut is
a little off: what is found in a clip is not found to the pixel.
"""

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter

from model.vision.networks.closer import View, close_ups
from training.drawn.backgrounds import Pixels, background
from training.drawn.drawings import Sprites
from training.drawn.scenes import (
    COLOURS,
    DrawnThing,
    Placement,
    compressed,
    paste,
    some_thing,
    thing_picture,
)

FRAME = 224
_OFF = 0.03
"""Share of the frame that a middle is off by, and as much of its extent."""
_NOTHING, _BESIDE = 0.12, 0.35
"""Shares of close-ups of background alone, and of those that another thing reaches into."""


def some_close_up(
    random: np.random.Generator, sprites: Sprites, backdrops: tuple[str, ...]
) -> tuple[Pixels, str | None]:
    """Return a close-up and the name of what it shows; None if that is nothing.

    Args:
        random: Decides everything.
        sprites: The drawings there are to choose from.
        backdrops: Kinds of background.
    """
    squeeze = float(random.choice([1.0, 0.75, 0.5625], p=[0.4, 0.3, 0.3]))
    thing = some_thing(random, sprites, shapes=0.2)
    colour = COLOURS[thing.colour] if thing.colour else None
    kind = str(random.choice(list(backdrops)))
    canvas = Image.fromarray(
        background(kind, int(random.integers(2**31)), FRAME, FRAME, avoid=colour)
    )
    picture = _looks(random, thing, sprites)
    place = _somewhere(random, squeeze)
    if random.random() < _BESIDE:
        other = thing_picture(some_thing(random, sprites, shapes=0.35), sprites)
        paste(canvas, other, _beside(random, place, squeeze), squeeze)
    shown = random.random() >= _NOTHING
    if shown:
        paste(canvas, picture, place, squeeze)
    quality = int(random.integers(35, 95)) if random.random() < 0.45 else None
    frame = torch.from_numpy(np.array(compressed(canvas, quality)))
    longer = place.size / max(picture.size)
    extent = (picture.width * longer * squeeze, picture.height * longer)
    wide, high = (max(side + random.normal(0, _OFF), 0.08) for side in extent)
    x, y = place.x + random.normal(0, _OFF), place.y + random.normal(0, _OFF)
    cut = close_ups(frame[None], [View(0, x, y, wide, high)])[0]
    return cut.movedim(0, -1).numpy(), thing.name if shown else None


def _somewhere(random: np.random.Generator, squeeze: float) -> Placement:
    size = float(np.exp(random.uniform(np.log(0.2), np.log(0.65))))
    edges = (0.4 * size * squeeze, 0.4 * size)
    x, y = (float(random.uniform(min(edge, 0.5), max(1 - edge, 0.5))) for edge in edges)
    return Placement(0, x, y, size)


def _beside(random: np.random.Generator, place: Placement, squeeze: float) -> Placement:
    angle, away = random.uniform(0, 2 * np.pi), random.uniform(0.9, 1.3) * place.size
    x, y = place.x + away * squeeze * np.cos(angle), place.y + away * np.sin(angle)
    return Placement(0, float(x), float(y), place.size * float(random.uniform(0.6, 1.1)))


def _looks(random: np.random.Generator, thing: DrawnThing, sprites: Sprites) -> Image.Image:
    """Return a thing; a drawing in two of three cases as another hand might have drawn it."""
    picture = thing_picture(thing, sprites)
    if thing.colour is None:
        way = random.random()
        if way < 0.25:
            picture = _other_hue(random, picture)
        elif way < 0.4:
            picture = _outlined(random, picture)
        elif way < 0.5:
            picture = ImageEnhance.Color(picture).enhance(float(random.uniform(0, 0.6)))
        elif way < 0.6:
            harder = ImageEnhance.Contrast(picture.convert("RGB"))
            picture = _with_alpha(harder.enhance(float(random.uniform(0.6, 1.8))), picture)
    return picture.rotate(float(random.normal(0, 8)), Image.Resampling.BILINEAR, expand=True)


def _other_hue(random: np.random.Generator, picture: Image.Image) -> Image.Image:
    turn = random.integers(256) if random.random() < 0.4 else round(random.normal(0, 12))
    values = np.array(picture.convert("RGB").convert("HSV"))
    values[..., 0] += np.uint8(turn % 256)
    return _with_alpha(Image.fromarray(values, "HSV").convert("RGB"), picture)


def _outlined(random: np.random.Generator, picture: Image.Image) -> Image.Image:
    margin, thickness = 8, 2 * int(random.integers(1, 4)) + 1
    low, high = (0, 60) if random.random() < 0.7 else (200, 256)
    colour = tuple(int(value) for value in random.integers(low, high, 3))
    size = (picture.width + 2 * margin, picture.height + 2 * margin)
    inner = Image.new("RGBA", size, (0, 0, 0, 0))
    inner.paste(picture, (margin, margin))
    line = Image.new("RGBA", size, (*colour, 0))
    line.putalpha(inner.getchannel("A").filter(ImageFilter.MaxFilter(thickness)))
    line.alpha_composite(inner)
    return line


def _with_alpha(picture: Image.Image, like: Image.Image) -> Image.Image:
    picture = picture.convert("RGBA")
    picture.putalpha(like.getchannel("A"))
    return picture
