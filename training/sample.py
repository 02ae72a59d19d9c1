"""The sample stream that comes with the product: more than two minutes in which known things happen.

Made by the scene generator from drawings of Noto Emoji (Apache-2.0) and plain shapes, written as a
small H.264 film with a timeline beside it: `python -m training.sample FOLDER`. The same code gives
the same pictures.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from training.backgrounds import Pixels, background
from training.drawings import TRAINING_SETS, Sprites, load_sprites
from training.scenes import COLOURS, Place, Thing, paste, thing_picture

WIDTH, HEIGHT, RATE = 640, 360, 15


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that is shown for a while.

    Attributes:
        things: What is shown.
        places: Where each is at the beginning.
        to: Where each is at the end; the same, if it stays.
        seconds: For how long.
        sentence: What happens, in words.
        backdrop: Kind and seed of the background.
    """

    things: tuple[Thing, ...]
    places: tuple[Place, ...]
    to: tuple[Place, ...]
    seconds: float
    sentence: str
    backdrop: tuple[str, int]


def _drawing(name: str) -> Thing:
    return Thing(name, source="noto")


def _one(
    thing: Thing, start: tuple[float, float], stop: tuple[float, float], sentence: str, backdrop: tuple[str, int]
) -> Happening:  # fmt: skip
    first, last = Place(0, *start, 0.5), Place(0, *stop, 0.5)
    return Happening((thing,), (first,), (last,), 10.0, sentence, backdrop)


def _still(
    thing: Thing, at: tuple[float, float], sentence: str, backdrop: tuple[str, int]
) -> Happening:
    return _one(thing, at, at, sentence, backdrop)


def _several(things: Sequence[Thing], at: Sequence[tuple[float, float]], sentence: str, backdrop: tuple[str, int]) -> Happening:  # fmt: skip
    places = tuple(Place(n % len(things), x, y, 0.36) for n, (x, y) in enumerate(at))
    return Happening(tuple(things), places, places, 10.0, sentence, backdrop)


TIMELINE: tuple[Happening, ...] = (
    _one(_drawing("dog"), (0.15, 0.5), (0.85, 0.5), "A dog moves to the right.", ("gradient", 3)),
    _still(Thing("circle", "red"), (0.2, 0.5), "A red circle stays on the left.", ("gradient", 3)),
    _one(_drawing("rocket"), (0.5, 0.8), (0.5, 0.2), "A rocket moves up.", ("clouds", 8)),
    _several([_drawing("apple")], [(0.2, 0.5), (0.5, 0.5), (0.8, 0.5)], "Three apples are shown.", ("plain", 12)),
    _one(_drawing("train"), (0.85, 0.6), (0.15, 0.6), "A train moves to the left.", ("clouds", 17)),
    _still(_drawing("elephant"), (0.5, 0.5), "An elephant stays in the middle.", ("gradient", 21)),
    _one(Thing("star", "blue"), (0.4, 0.2), (0.4, 0.8), "A blue star moves down.", ("plain", 26)),
    _several([_drawing("umbrella"), _drawing("bicycle")], [(0.2, 0.5), (0.8, 0.5)], "An umbrella is on the left and a bicycle on the right.", ("gradient", 31)),
    _one(_drawing("balloon"), (0.6, 0.8), (0.6, 0.2), "A balloon moves up.", ("clouds", 36)),
    _still(_drawing("clock"), (0.8, 0.5), "A clock stays on the right.", ("plain", 41)),
    _one(_drawing("penguin"), (0.85, 0.5), (0.15, 0.5), "A penguin moves to the left.", ("gradient", 45)),
    _still(Thing("heart", "pink"), (0.5, 0.25), "A pink heart stays at the top.", ("plain", 52)),
    _one(_drawing("car"), (0.15, 0.6), (0.85, 0.6), "A car moves to the right.", ("clouds", 57)),
    _still(_drawing("pizza"), (0.5, 0.5), "A pizza stays in the middle.", ("gradient", 63)),
)  # fmt: skip


def pictures(happening: Happening, sprites: Sprites, width: int = WIDTH, height: int = HEIGHT, rate: int = RATE) -> Iterator[Pixels]:  # fmt: skip
    """Yield the frames of one happening; nothing but the background in its last second."""
    avoid = next((COLOURS[t.colour] for t in happening.things if t.colour), None)
    ground = background(*happening.backdrop, height, width, avoid)
    drawn = [thing_picture(thing, sprites) for thing in happening.things]
    count = round(happening.seconds * rate)
    for number in range(count):
        canvas = Image.fromarray(ground)
        if number < count - rate:
            share = number / max(count - rate - 1, 1)
            for start, stop in zip(happening.places, happening.to, strict=True):
                x, y = start.x + share * (stop.x - start.x), start.y + share * (stop.y - start.y)
                place = Place(start.thing, x, y, start.size)
                # A wide frame is not squeezed here: whoever looks at it may do that.
                paste(canvas, drawn[start.thing], place, height / width)
        yield np.asarray(canvas)


def write_sample(
    folder: Path, sprites: Sprites, happenings: Sequence[Happening] = TIMELINE
) -> None:
    """Write `sample.mp4` and `sample.json` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with av.open(str(folder / "sample.mp4"), "w") as film:
        video = film.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        # No frame that looks ahead: it plays live.
        video.options = {
            "crf": "30",
            "preset": "slow",
            "g": str(5 * RATE),
            "bf": "0",
            "threads": "1",
        }
        for happening in happenings:
            for picture in pictures(happening, sprites):
                film.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(video.encode(None))
    (folder / "sample.json").write_text(json.dumps(timeline(happenings), indent=1) + "\n")


def timeline(happenings: Sequence[Happening]) -> list[dict[str, float | str]]:
    """Return when what is seen, in seconds from the beginning."""
    lines: list[dict[str, float | str]] = []
    start = 0.0
    for happening in happenings:
        end = start + happening.seconds - 1
        lines.append({"start": start, "end": end, "sentence": happening.sentence})
        start += happening.seconds
    return lines


if __name__ == "__main__":
    write_sample(
        Path(sys.argv[1]), load_sprites(tuple(s for s in TRAINING_SETS if s.name == "noto"))
    )
