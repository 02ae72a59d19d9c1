"""Draws a planned film, frame by frame, and writes it as a video file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
from PIL import Image

from training.drawn.backgrounds import Pixels, background
from training.drawn.drawings import Sprites
from training.drawn.scenes import DIRECTIONS, paste, thing_picture
from training.drawn.scenes import Placement as Spot
from training.long_films.plan import FilmPlan, PlannedEvent, PlannedPlace

ROOM = 1.25
"""How much larger a background is than a frame, so that the camera can move over it."""


def frames(plan: FilmPlan, sprites: Sprites, rate: int, size: tuple[int, int]) -> Iterator[Pixels]:
    """Yield the frames of a film, `rate` a second, width and height `size`."""
    random = np.random.default_rng([plan.seed, 37])
    grounds: dict[int, Image.Image] = {}
    for number in range(round(plan.seconds * rate)):
        time = number / rate
        which = next(n for n, place in enumerate(plan.places) if time < place.end or n == len(plan.places) - 1)  # fmt: skip
        if which not in grounds:
            grounds = {which: _ground(plan.places[which], size)}
        place = plan.places[which]
        canvas = _seen(grounds[which], place, time, random, size)
        for event in plan.events:
            if event.start <= time < event.end:
                _draw(canvas, event, time, sprites)
        yield _lit(canvas, place, random)


def write_film(plan: FilmPlan, sprites: Sprites, file: Path, rate: int, size: tuple[int, int]) -> None:  # fmt: skip
    """Write a film as H.264, compressed as planned."""
    with av.open(str(file), "w") as container:
        video = container.add_stream("libx264", rate=rate, options={"crf": str(plan.quality), "preset": "veryfast"})  # fmt: skip
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        for pixels in frames(plan, sprites, rate, size):
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(video.encode())


def _ground(place: PlannedPlace, size: tuple[int, int]) -> Image.Image:
    width, height = round(size[0] * ROOM), round(size[1] * ROOM)
    if place.photo is not None:
        return Image.open(place.photo).convert("RGB").resize((width, height))
    return Image.fromarray(background(place.backdrop, place.seed, height, width))


def _seen(
    ground: Image.Image,
    place: PlannedPlace,
    time: float,
    random: np.random.Generator,
    size: tuple[int, int],
) -> Image.Image:
    """Return what the camera shows of the background."""
    done = (time - place.start) / max(place.end - place.start, 1e-6)
    spare = ground.width - size[0], ground.height - size[1]
    moves: dict[str, Callable[[], tuple[float, float, float]]] = {
        "stands": lambda: (0.5, 0.5, 1.0),
        "pans": lambda: (done, 0.5, 1.0),
        "zooms": lambda: (0.5, 0.5, 1 - 0.2 * done),
        "shakes": lambda: (0.5 + random.normal(0, 0.12), 0.5 + random.normal(0, 0.12), 1.0),
    }
    x, y, zoom = moves[place.camera]()
    left, top = (int(np.clip(at, 0, 1) * room) for at, room in zip((x, y), spare, strict=True))
    width, height = (round(side * zoom) for side in size)
    left, top = left + (size[0] - width) // 2, top + (size[1] - height) // 2
    part = ground.crop((left, top, left + width, top + height))
    return part if part.size == size else part.resize(size)


def _draw(canvas: Image.Image, event: PlannedEvent, time: float, sprites: Sprites) -> None:
    done = (time - event.start) / (event.end - event.start)
    dx, dy = DIRECTIONS.get(event.movement, (0, 0))
    for number in range(event.count):
        spread = (number + 0.5) / event.count - 0.5
        x = 0.5 + 0.5 * dx * (done - 0.5) + (spread * 0.7 if not dx else 0)
        y = 0.5 + 0.5 * dy * (done - 0.5) + (spread * 0.6 if dx else 0)
        size = 0.5 if event.count == 1 else 0.32
        paste(canvas, thing_picture(event.thing, sprites), Spot(number, x, y, size), 1.0)
    if event.hidden and 0.4 < done < 0.6:
        # A post that passes in front of it.
        width = canvas.width // 6
        left = round((done - 0.4) / 0.2 * (canvas.width + width)) - width
        canvas.paste((70, 70, 75), (left, 0, left + width, canvas.height))


def _lit(canvas: Image.Image, place: PlannedPlace, random: np.random.Generator) -> Pixels:
    pixels: Pixels = np.asarray(canvas)
    if not place.night:
        return pixels
    noise = random.normal(0, 6, pixels.shape[:2])[..., None]
    dark = pixels * np.array([0.25, 0.27, 0.38]) + noise
    lit: Pixels = np.clip(dark, 0, 255).astype(np.uint8)
    return lit
