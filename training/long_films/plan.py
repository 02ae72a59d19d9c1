"""What happens in a film, second by second, decided from a seed before anything is drawn.

A film is a row of scenes (a background or a photograph, day or night, a camera that stands, pans,
zooms or shakes), in which things come, move and go, one or several of the same at a time.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.drawn.backgrounds import TRAINING_KINDS
from training.drawn.drawings import Sprites
from training.drawn.scenes import COLOURS, DIRECTIONS, SHAPES, DrawnThing
from training.needles.trials import names, some_things

SHORTEST, LONGEST = 3.0, 9.0
"""Seconds of an event."""
SCENE = (20.0, 60.0)
CAMERAS = ("stands", "pans", "zooms", "shakes")


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """Something that is to be seen for a while.

    Attributes:
        thing: What.
        count: How many of it at once.
        start: When it comes, in seconds.
        end: When it is gone.
        movement: `left`, `right`, `up`, `down`, or empty if it stays where it is.
        hidden: Whether something passes in front of it meanwhile.
    """

    thing: DrawnThing
    count: int
    start: float
    end: float
    movement: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class PlannedPlace:
    """Where a stretch of film plays.

    Attributes:
        start: In seconds.
        end: In seconds.
        backdrop: Kind of background; empty for a photograph.
        photo: The photograph; None for a drawn background.
        seed: Of the background.
        night: Whether it is dark.
        camera: How it moves.
    """

    start: float
    end: float
    backdrop: str
    photo: Path | None
    seed: int
    night: bool
    camera: str


@dataclass(frozen=True, slots=True)
class FilmPlan:
    """A whole film.

    Attributes:
        seconds: How long it is.
        places: Where it plays, one after the other.
        events: What happens, in order; none overlaps another.
        seed: That it was made from.
        quality: How hard its file is compressed: 18 hardly, 40 a lot.
    """

    seconds: float
    places: tuple[PlannedPlace, ...]
    events: tuple[PlannedEvent, ...]
    seed: int
    quality: int


def plan_film(
    seed: int, seconds: float, sprites: Sprites, photos: tuple[Path, ...] = ()
) -> FilmPlan:
    """Return the film that belongs to `seed`; the same things may come again."""
    random = np.random.default_rng([seed, 31])
    cast = _cast(random, sprites)
    events: list[PlannedEvent] = []
    time = float(random.uniform(0.5, 2))
    while (end := time + float(random.uniform(SHORTEST, LONGEST))) < seconds:
        movement = str(random.choice(["", *DIRECTIONS]))
        thing = cast[len(events) % len(cast)]
        if len(events) > 1 and random.random() < 0.2:
            thing = events[int(random.integers(len(events) - 1))].thing
        count = int(random.choice([1, 1, 1, 2, 3]))
        events.append(PlannedEvent(thing, count, round(time, 1), round(end, 1), movement, bool(random.random() < 0.15)))  # fmt: skip
        time = end + float(random.uniform(0.5, 3))
    quality = int(random.integers(18, 38))
    return FilmPlan(seconds, tuple(_places(random, seconds, photos)), tuple(events), seed, quality)


def _cast(random: np.random.Generator, sprites: Sprites) -> list[DrawnThing]:
    """Return everything that may come, in the order in which it does; shapes in every colour."""
    if sprites:
        return some_things(random, sprites, len(names(sprites)))
    every = [DrawnThing(shape, colour=colour) for shape in SHAPES for colour in COLOURS]
    return [every[int(number)] for number in random.permutation(len(every))]


def _places(
    random: np.random.Generator, seconds: float, photos: tuple[Path, ...]
) -> list[PlannedPlace]:
    places: list[PlannedPlace] = []
    start = 0.0
    while start < seconds:
        end = min(seconds, start + float(random.uniform(*SCENE)))
        photo = photos[int(random.integers(len(photos)))] if photos and random.random() < 0.5 else None  # fmt: skip
        backdrop = "" if photo else str(random.choice(TRAINING_KINDS))
        night = not (places and places[-1].night) and bool(random.random() < 0.25)
        camera, number = str(random.choice(CAMERAS)), int(random.integers(1 << 30))
        places.append(
            PlannedPlace(round(start, 1), round(end, 1), backdrop, photo, number, night, camera)
        )
        start = end
    return places
