"""Little scenes: known things, in known places, moving in known ways.

A scene is a background, some things, and a few pictures that place them. It is planned from a
seed, without pixels; so what is true of it is known exactly and any question can be answered
from the plan. Clips are then any four of its pictures, in any order: a path walked backwards is the
opposite movement, the empty picture before a full one is something appearing.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

from training.drawn.backgrounds import TRAINING_KINDS, Pixels, background
from training.drawn.drawings import Sprites

SHAPES = ("circle", "square", "triangle", "star", "heart", "diamond")
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (220, 30, 35), "orange": (245, 140, 20), "yellow": (250, 220, 30),
    "green": (40, 165, 60), "blue": (35, 85, 220), "purple": (130, 50, 180),
    "pink": (250, 130, 190), "black": (15, 15, 15), "white": (250, 250, 250),
}  # fmt: skip
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


@dataclass(frozen=True, slots=True)
class DrawnThing:
    """Something to be seen.

    Attributes:
        name: Its word.
        colour: Of a shape; None for a drawing.
        source: The drawing set it comes from; empty for a shape.
        drawing: Which of the set's drawings of it.
        turn: Degrees it is turned by.
        mirrored: Whether left and right are swapped.
        shade: How its brightness and its colourfulness are scaled.
    """

    name: str
    colour: str | None = None
    source: str = ""
    drawing: int = 0
    turn: float = 0.0
    mirrored: bool = False
    shade: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a thing is in one picture; all in fractions of the picture.

    Attributes:
        thing: Its number in the scene.
        x: Its middle, from the left.
        y: Its middle, from the top.
        size: Its longer side, as a fraction of the height.
    """

    thing: int
    x: float
    y: float
    size: float


@dataclass(frozen=True, slots=True)
class DrawnScene:
    """What is shown, before it is drawn.

    Attributes:
        kind: `path` (nothing, then one thing in four places along a way), `some` (the first of
            them, then all, twice) or `count` (nothing, then one to four of the same).
        backdrop: The kind of background.
        seed: The background's seed, and that of the pictures' noise.
        squeeze: How much narrower things look: wide pictures are squeezed into squares.
        things: What there is to see.
        pictures: Where each thing is, picture by picture.
    """

    kind: str
    backdrop: str
    seed: int
    squeeze: float
    things: tuple[DrawnThing, ...]
    pictures: tuple[tuple[Placement, ...], ...]


def plan_scene(
    seed: int,
    sprites: Sprites,
    backdrops: Sequence[str] = TRAINING_KINDS,
    kind: str | None = None,
) -> DrawnScene:
    """Return the scene that belongs to `seed`.

    Args:
        seed: Decides everything.
        sprites: The drawings there are to choose from.
        backdrops: The kinds of background to choose from.
        kind: The kind of scene; None draws one.
    """
    random = np.random.default_rng([seed, 7])
    kind = kind or str(random.choice(["path", "some", "count"], p=[0.55, 0.28, 0.17]))
    squeeze = float(random.choice([1.0, 0.75, 0.5625], p=[0.3, 0.3, 0.4]))
    things, pictures = _PLANS[kind](random, sprites, squeeze)
    backdrop = str(random.choice(list(backdrops)))
    return DrawnScene(kind, backdrop, seed, squeeze, things, pictures)


Plan = tuple[tuple[DrawnThing, ...], tuple[tuple[Placement, ...], ...]]


def _plan_path(random: np.random.Generator, sprites: Sprites, squeeze: float) -> Plan:
    mover = some_thing(random, sprites, shapes=0.35)
    size = float(random.uniform(0.3, 0.62))
    way = _way(random, size, squeeze)
    first, path = (mover,), tuple((Placement(0, x, y, size),) for x, y in way)
    if random.random() > 0.25:
        return first, ((), *path)
    # A second thing that stays where it is, off the first one's way.
    other = some_thing(random, sprites, shapes=0.35, unlike=first)
    free = [c for c in _cells(3) if min(_gap(c, spot, squeeze) for spot in way) > 0.42]
    if not free:
        return first, ((), *path)
    x, y = free[random.integers(len(free))]
    still = Placement(1, x, y, float(random.uniform(0.25, 0.38)))
    return (mover, other), ((still,), *((*places, still) for places in path))


def _way(random: np.random.Generator, size: float, squeeze: float) -> list[tuple[float, float]]:
    """Return four spots along a straight, slightly trembling way to the left, right, top or bottom."""
    dx, dy = DIRECTIONS[str(random.choice(list(DIRECTIONS)))]
    length = random.uniform(0.24, 0.62)
    margin = (0.4 * size * squeeze, 0.4 * size)
    spread = (length / 2 * abs(dx), length / 2 * abs(dy))
    middle = [
        random.uniform(min(m + s, 0.5), max(1 - m - s, 0.5))
        for m, s in zip(margin, spread, strict=True)
    ]
    steps = (np.arange(4) / 3 - 0.5) * length + random.normal(0, 0.008, 4)
    tremble = random.normal(0, 0.012, (4, 2))
    return [
        (float(middle[0] + dx * s + tx), float(middle[1] + dy * s + ty))
        for s, (tx, ty) in zip(steps, tremble, strict=True)
    ]


def _plan_some(random: np.random.Generator, sprites: Sprites, squeeze: float) -> Plan:
    things: tuple[DrawnThing, ...] = ()
    for _ in range(random.integers(2, 4)):
        things = (*things, some_thing(random, sprites, shapes=0.35, unlike=things))
    spots = _apart(random, len(things), squeeze)
    size = random.uniform(0.26, 0.4, len(things))
    places = tuple(Placement(n, x, y, float(size[n])) for n, (x, y) in enumerate(spots))
    return things, (places[:1], places, _tremble(random, places))


def _plan_count(random: np.random.Generator, sprites: Sprites, squeeze: float) -> Plan:
    thing = some_thing(random, sprites, shapes=0.45)
    spots = _apart(random, int(random.integers(1, 5)), squeeze)
    size = float(random.uniform(0.22, 0.34))
    places = tuple(Placement(0, x, y, size) for x, y in spots)
    return (thing,), ((), places, _tremble(random, places))


_PLANS: dict[str, Callable[[np.random.Generator, Sprites, float], Plan]] = {
    "path": _plan_path, "some": _plan_some, "count": _plan_count,
}  # fmt: skip


def some_thing(
    random: np.random.Generator, sprites: Sprites, shapes: float, unlike: Sequence[DrawnThing] = ()
) -> DrawnThing:
    """Return a drawing or, in a share of `shapes`, a plain shape, of another name than those of `unlike`."""
    taken = {thing.name for thing in unlike}
    while True:
        turn, mirrored = float(random.normal(0, 7)), bool(random.random() < 0.5)
        shade = (float(random.uniform(0.8, 1.15)), float(random.uniform(0.75, 1.25)))
        if random.random() < shapes or not sprites:
            name, source, drawing = str(random.choice(SHAPES)), "", 0
            colour = str(random.choice(list(COLOURS)))
        else:
            # First the word, then the set: every word is as frequent as every other.
            name = str(
                random.choice(sorted({name for things in sprites.values() for name in things}))
            )
            source = str(random.choice([s for s, things in sprites.items() if name in things]))
            drawing, colour = int(random.integers(len(sprites[source][name]))), None
        if name not in taken:
            return DrawnThing(name, colour, source, drawing, turn, mirrored, shade)


def _cells(side: int) -> list[tuple[float, float]]:
    return [((c + 0.5) / side, (r + 0.5) / side) for r in range(side) for c in range(side)]


def _gap(a: tuple[float, float], b: tuple[float, float], squeeze: float) -> float:
    return float(np.hypot((a[0] - b[0]) / squeeze**0.5, a[1] - b[1]))


def _apart(random: np.random.Generator, count: int, squeeze: float) -> list[tuple[float, float]]:
    """Return `count` of nine cells of the picture, each a little off its middle, left to right."""
    cells = _cells(3)
    chosen = [cells[n] for n in random.permutation(9)[:count]]
    spots = [(x + random.normal(0, 0.02), y + random.normal(0, 0.02)) for x, y in chosen]
    return sorted((float(x), float(y)) for x, y in spots)


def _tremble(random: np.random.Generator, places: tuple[Placement, ...]) -> tuple[Placement, ...]:
    moves = random.normal(0, 0.008, (len(places), 2))
    return tuple(
        Placement(p.thing, p.x + float(dx), p.y + float(dy), p.size)
        for p, (dx, dy) in zip(places, moves, strict=True)
    )


def draw_scene(
    scene: DrawnScene, sprites: Sprites, height: int = 224, width: int = 224
) -> list[Pixels]:
    """Return the scene's pictures; nearly half of them with the traces of lossy compression."""
    random = np.random.default_rng([scene.seed, 11])
    shape_colour = next((COLOURS[t.colour] for t in scene.things if t.colour), None)
    ground = background(scene.backdrop, scene.seed, height, width, avoid=shape_colour)
    pictures = [thing_picture(thing, sprites) for thing in scene.things]
    drawn = []
    quality = int(random.integers(35, 95)) if random.random() < 0.45 else None
    for places in scene.pictures:
        canvas = Image.fromarray(ground)
        for place in places:
            paste(canvas, pictures[place.thing], place, scene.squeeze)
        drawn.append(compressed(canvas, quality))
    return drawn


def paste(canvas: Image.Image, picture: Image.Image, place: Placement, squeeze: float) -> None:
    """Draw `picture` onto `canvas`, its longer side `place.size` of the height, squeezed sideways."""
    scale = place.size * canvas.height / max(picture.size)
    wide = squeeze * canvas.width / canvas.height
    size = (max(1, round(picture.width * scale * wide)), max(1, round(picture.height * scale)))
    small = picture.resize(size, Image.Resampling.BILINEAR)
    corner = (
        round(place.x * canvas.width - size[0] / 2),
        round(place.y * canvas.height - size[1] / 2),
    )
    canvas.paste(small, corner, small)


def thing_picture(thing: DrawnThing, sprites: Sprites) -> Image.Image:
    """Return the thing as it looks in its scene, RGBA."""
    if thing.colour is not None:
        return draw_shape(thing.name, COLOURS[thing.colour]).rotate(thing.turn, expand=True)
    picture = Image.fromarray(sprites[thing.source][thing.name][thing.drawing])
    if thing.mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    brightness, colourfulness = thing.shade
    picture = ImageEnhance.Color(ImageEnhance.Brightness(picture).enhance(brightness)).enhance(
        colourfulness
    )
    return picture.rotate(thing.turn, Image.Resampling.BILINEAR, expand=True)


def draw_shape(name: str, colour: tuple[int, int, int]) -> Image.Image:
    """Return a plain shape in a plain colour, RGBA, 160 on a side."""
    big = Image.new("RGBA", (320, 320), (*colour, 0))
    pen = ImageDraw.Draw(big)
    fill = (*colour, 255)
    if name == "circle":
        pen.ellipse((4, 4, 316, 316), fill)
    elif name == "heart":
        pen.ellipse((4, 20, 172, 188), fill)
        pen.ellipse((148, 20, 316, 188), fill)
        pen.polygon([(24, 156), (296, 156), (160, 312)], fill)
    else:
        pen.polygon(_CORNERS[name], fill)
    return big.resize((160, 160), Image.Resampling.LANCZOS)


_STAR = [
    (160 + (156 if n % 2 == 0 else 66) * np.sin(n * np.pi / 5), 168 - (156 if n % 2 == 0 else 66) * np.cos(n * np.pi / 5))
    for n in range(10)
]  # fmt: skip
_CORNERS: Mapping[str, list[tuple[float, float]]] = {
    "square": [(20, 20), (300, 20), (300, 300), (20, 300)],
    "triangle": [(160, 16), (312, 300), (8, 300)],
    "diamond": [(160, 4), (280, 160), (160, 316), (40, 160)],
    "star": _STAR,
}


def compressed(picture: Image.Image, quality: int | None) -> Pixels:
    """Return the pixels, with the traces of JPEG at `quality` if that is not None."""
    if quality is None:
        return np.asarray(picture)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))
