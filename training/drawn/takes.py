"""Clips made from scenes, and what is true of them.

A take is four pictures of one scene in some order. What each thing does in it follows from the
scene's plan, never from pixels.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.drawn.drawings import Sprites
from training.drawn.scenes import DrawnScene, DrawnThing, Placement

GRID = 7
CLEARLY_MOVED, CLEARLY_STILL = 0.14, 0.05


@dataclass(frozen=True, slots=True)
class Take:
    """A clip: four pictures of a scene.

    Attributes:
        scene: Its number.
        pictures: Which of the scene's pictures, in the order shown.
    """

    scene: int
    pictures: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class TakePart:
    """What one thing does in a take.

    Attributes:
        thing: The thing.
        number: Its number in the scene.
        count: How many of it there are.
        x: Where it is when last seen (the mean, of several), from the left.
        y: The same, from the top.
        movement: `left`, `right`, `up`, `down`, `still`; None where it cannot be told.
        change: `appears`, `disappears` or None.
    """

    thing: DrawnThing
    number: int
    count: int
    x: float
    y: float
    movement: str | None
    change: str | None


_PATH_TAKES: tuple[tuple[float, tuple[tuple[int, int, int, int], ...]], ...] = (
    (0.27, ((1, 2, 3, 4),)),
    (0.27, ((4, 3, 2, 1),)),
    (0.18, ((1, 1, 1, 1), (2, 2, 2, 2), (3, 3, 3, 3), (4, 4, 4, 4))),
    (0.06, ((0, 1, 1, 1), (0, 0, 2, 2), (0, 0, 0, 3), (0, 0, 4, 4), (0, 3, 3, 3))),
    (0.06, ((1, 1, 1, 0), (2, 2, 0, 0), (3, 0, 0, 0), (4, 4, 0, 0), (2, 2, 2, 0))),
    (0.07, ((0, 1, 2, 3), (0, 4, 3, 2), (1, 2, 3, 0), (4, 3, 2, 0), (0, 2, 3, 4))),
    (0.06, ((1, 1, 2, 3), (4, 4, 3, 2), (1, 2, 3, 3), (2, 3, 4, 4), (3, 2, 1, 1))),
    (0.03, ((0, 0, 0, 0),)),
)
_OTHER_TAKES: dict[str, tuple[tuple[int, int, int, int], ...]] = {
    "some": ((1, 2, 1, 2), (1, 1, 1, 1), (2, 1, 2, 2), (2, 1, 2, 1), (0, 0, 1, 2), (0, 1, 2, 1), (2, 1, 0, 0)),
    "count": ((1, 2, 1, 2), (1, 1, 1, 1), (2, 1, 2, 2), (2, 2, 1, 1), (0, 0, 1, 2), (1, 2, 0, 0)),
}  # fmt: skip


def some_take(random: np.random.Generator, number: int, scene: DrawnScene) -> Take:
    """Return a clip of `scene`, which is the scene of that `number`."""
    if scene.kind == "path":
        shares = [share for share, _ in _PATH_TAKES]
        choices = _PATH_TAKES[random.choice(len(shares), p=shares)][1]
    else:
        choices = _OTHER_TAKES[scene.kind]
    return Take(number, choices[random.integers(len(choices))])


def see(scene: DrawnScene, take: Take) -> list[TakePart]:
    """Return what every thing that is seen at all does, in the order of the scene's things."""
    found = []
    for number, thing in enumerate(scene.things):
        shown = [
            [place for place in scene.pictures[picture] if place.thing == number]
            for picture in take.pictures
        ]
        if any(shown):
            found.append(_describe(thing, number, shown))
    return found


def _describe(thing: DrawnThing, number: int, shown: list[list[Placement]]) -> TakePart:
    present = [places for places in shown if places]
    first, last = _middle(present[0]), _middle(present[-1])
    change = None
    if not (shown[0] and shown[-1]):
        change = "appears" if shown[-1] else "disappears" if shown[0] else None
    movement = movement_of(last[0] - first[0], last[1] - first[1]) if len(present) > 1 else None
    return TakePart(thing, number, len(present[-1]), *last, movement, change)


def _middle(places: list[Placement]) -> tuple[float, float]:
    return (
        sum(place.x for place in places) / len(places),
        sum(place.y for place in places) / len(places),
    )


def movement_of(dx: float, dy: float) -> str | None:
    """Return which way something goes that comes so far, in shares of the frame; None if in doubt."""
    if max(abs(dx), abs(dy)) < CLEARLY_STILL:
        return "still"
    if max(abs(dx), abs(dy)) < CLEARLY_MOVED:
        return None
    if abs(dx) > abs(dy):
        return "left" if dx < 0 else "right"
    return "up" if dy < 0 else "down"


def cells(scene: DrawnScene, take: Take, sprites: Sprites) -> npt.NDArray[np.int8]:
    """Return which thing covers each of a take's 4x49 cells; -1 where there is only background."""
    covered = np.full((len(take.pictures), GRID, GRID), -1, np.int8)
    middles = (np.arange(GRID) + 0.5) / GRID
    for frame, picture in enumerate(take.pictures):
        for place in scene.pictures[picture]:
            width, height = extent(scene, place, sprites)
            near_x = np.abs(middles - place.x) < 0.45 * width
            near_y = np.abs(middles - place.y) < 0.45 * height
            near_x[np.abs(middles - place.x).argmin()] = True
            near_y[np.abs(middles - place.y).argmin()] = True
            covered[frame][np.ix_(near_y, near_x)] = place.thing
    return covered.reshape(len(take.pictures), GRID * GRID)


def extent(scene: DrawnScene, place: Placement, sprites: Sprites) -> tuple[float, float]:
    """Return how wide and how high a thing is drawn, in shares of the picture."""
    thing = scene.things[place.thing]
    if thing.colour is not None:
        return place.size * scene.squeeze, place.size
    height, width = sprites[thing.source][thing.name][thing.drawing].shape[:2]
    longer = max(height, width)
    return place.size * scene.squeeze * width / longer, place.size * height / longer
