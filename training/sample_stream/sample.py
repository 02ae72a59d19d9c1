"""The sample stream that comes with the product: more than two minutes in which known things happen.

Camera films and drawn scenes in turn, written as a small H.264 film with a list beside it of what is
shown when: `python -m training.sample_stream.sample OUT FILMS…`, where the folders FILMS hold the camera films (see
NOTICE: Intel's IoT DevKit sample videos). Drawings are of Noto Emoji (Apache-2.0) and plain shapes.
The same code and films give the same pictures.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from training.drawn.backgrounds import Pixels, background
from training.drawn.drawings import TRAINING_SETS, Sprites, load_sprites
from training.drawn.scenes import COLOURS, DrawnThing, Placement, paste, thing_picture
from training.sample_stream.sample_films import Cut, frames

WIDTH, HEIGHT, RATE = 640, 360, 15
SECONDS = 9.0
"""How long every part lasts."""
KEYFRAME_SECONDS = 2


@dataclass(frozen=True, slots=True)
class SampleThing:
    """A thing that can be seen.

    Attributes:
        word: What most people would call it.
        also: Other words that are right.
        count: How many there are all the time; None if that changes.
    """

    word: str
    also: tuple[str, ...] = ()
    count: int | None = 1


@dataclass(frozen=True, slots=True)
class Drawing:
    """Things that are drawn on a background.

    Attributes:
        things: What is drawn.
        start: Where each is at the beginning.
        end: Where each is at the end; the same, if it stays.
        backdrop: Kind and seed of the background.
    """

    things: tuple[DrawnThing, ...]
    start: tuple[Placement, ...]
    end: tuple[Placement, ...]
    backdrop: tuple[str, int]


@dataclass(frozen=True, slots=True)
class SamplePart:
    """Something that is shown for a while.

    Attributes:
        sentence: What happens, in words.
        shows: What can be seen, the main thing first.
        picture: Where it comes from.
    """

    sentence: str
    shows: tuple[SampleThing, ...]
    picture: Drawing | Cut


Point = tuple[float, float]


def _drawn(sentence: str, thing: DrawnThing, start: Point, end: Point, backdrop: tuple[str, int], *also: str) -> SamplePart:  # fmt: skip
    places = (Placement(0, *start, 0.5),), (Placement(0, *end, 0.5),)
    return SamplePart(
        sentence, (SampleThing(thing.name, also),), Drawing((thing,), *places, backdrop)
    )


def _noto(name: str) -> DrawnThing:
    return DrawnThing(name, source="noto")


MIDDLE = (0.5, 0.5)
PERSON = ("man", "woman", "people", "worker", "human")
CAR = ("vehicle", "sports car", "taxi", "automobile")
# The crop follows nothing: it leaves out what comes before and after on the belt.
BELT = (0.3333, 0.25, 0.6667, 0.6667)

PARTS: tuple[SamplePart, ...] = (
    SamplePart("A worker with a yellow helmet walks through a hall.", (SampleThing("person", (*PERSON, "workman", "builder", "helmet", "hard hat", "vest", "warehouse")),), Cut("worker-zone-detection.mp4", 0.0, 8.0)),
    _drawn("A cat moves to the right.", _noto("cat"), (0.15, 0.5), (0.85, 0.5), ("gradient", 3), "kitten"),
    SamplePart("Three bottles stand on a table.", (SampleThing("bottle", ("water bottle", "plastic bottle"), 3),), Cut("bottle-detection.mp4", 0.0, 5.6)),
    _drawn("A rocket moves up.", _noto("rocket"), (0.5, 0.8), (0.5, 0.2), ("gradient", 17), "missile", "spaceship"),
    SamplePart("A car turns in a car park; behind it someone pushes a bicycle.", (SampleThing("car", CAR), SampleThing("bicycle", ("bike",)), SampleThing("person", PERSON), SampleThing("car park", ("parking lot", "street", "road"))), Cut("person-bicycle-car-detection.mp4", 4.9, 7.7)),
    _drawn("An elephant stays in the middle.", _noto("elephant"), MIDDLE, MIDDLE, ("gradient", 21)),
    SamplePart("A head of broccoli passes on a belt.", (SampleThing("broccoli", ("vegetable",)),), Cut("fruit-and-vegetable-detection.mp4", 1.85, 2.5, BELT)),
    _drawn("A penguin moves to the left.", _noto("penguin"), (0.85, 0.5), (0.15, 0.5), ("gradient", 45), "bird"),
    SamplePart("A woman and a man walk down a corridor.", (SampleThing("person", (*PERSON, "couple"), 2), SampleThing("dress"), SampleThing("corridor", ("hall", "hallway"))), Cut("face-demographics-walking.mp4", 0.0, 8.0)),
    _drawn("A clock stays on the right.", _noto("clock"), (0.75, 0.5), (0.75, 0.5), ("plain", 41), "watch"),
    SamplePart("An orange passes on a belt.", (SampleThing("orange", ("grapefruit", "fruit", "mandarin")),), Cut("fruit-and-vegetable-detection.mp4", 6.6, 7.4, BELT)),
    _drawn("A blue star moves down.", DrawnThing("star", "blue"), (0.4, 0.2), (0.4, 0.8), ("plain", 26)),
    SamplePart("A cauliflower passes on a belt.", (SampleThing("cauliflower", ("vegetable",)),), Cut("fruit-and-vegetable-detection.mp4", 4.7, 5.6, BELT)),
    _drawn("A pizza stays in the middle.", _noto("pizza"), MIDDLE, MIDDLE, ("gradient", 63)),
    SamplePart("Four people sit in a classroom.", (SampleThing("person", (*PERSON, "student"), 4), SampleThing("classroom", ("office", "room", "class")), SampleThing("chair"), SampleThing("table", ("desk",))), Cut("classroom.mp4", 0.0, 8.0)),
    _drawn("A red circle stays on the left.", DrawnThing("circle", "red"), (0.25, 0.5), (0.25, 0.5), ("gradient", 12), "ball"),
)  # fmt: skip


def drawn_frames(drawing: Drawing, sprites: Sprites) -> Iterator[Pixels]:
    """Yield the frames of a drawn scene."""
    avoid = next((COLOURS[t.colour] for t in drawing.things if t.colour), None)
    ground = background(*drawing.backdrop, HEIGHT, WIDTH, avoid)
    pictures = [thing_picture(thing, sprites) for thing in drawing.things]
    count = round(SECONDS * RATE)
    for number in range(count):
        canvas, share = Image.fromarray(ground), number / (count - 1)
        for start, stop in zip(drawing.start, drawing.end, strict=True):
            x, y = start.x + share * (stop.x - start.x), start.y + share * (stop.y - start.y)
            place = Placement(start.thing, x, y, start.size)
            # A wide frame is not squeezed here: whoever looks at it may do that.
            paste(canvas, pictures[start.thing], place, HEIGHT / WIDTH)
        yield np.asarray(canvas)


def part_frames(part: SamplePart, sprites: Sprites, films: tuple[Path, ...]) -> Iterator[Pixels]:
    """Yield the frames of one part."""
    if isinstance(part.picture, Drawing):
        return drawn_frames(part.picture, sprites)
    return frames(part.picture, films, SECONDS, (WIDTH, HEIGHT), RATE)


def write_sample(
    folder: Path, sprites: Sprites, films: tuple[Path, ...], parts: Sequence[SamplePart] = PARTS
) -> None:
    """Write `sample.mp4` and `sample.json` into `folder`.

    Args:
        folder: Where they go.
        sprites: The drawings.
        films: Folders with the camera films.
        parts: What to show.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with av.open(str(folder / "sample.mp4"), "w") as film:
        video = film.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        # No frame that looks ahead: it plays live.
        video.options = {
            "crf": "27",
            "preset": "slow",
            "g": str(KEYFRAME_SECONDS * RATE),
            "bf": "0",
            "threads": "1",
        }
        for part in parts:
            for picture in part_frames(part, sprites, films):
                film.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(video.encode(None))
    (folder / "sample.json").write_text(json.dumps(timeline(parts), indent=1) + "\n")


def timeline(parts: Sequence[SamplePart] = PARTS) -> list[dict[str, object]]:
    """Return what is shown when, in seconds from the beginning."""
    return [
        {
            "start": number * SECONDS,
            "end": (number + 1) * SECONDS,
            "sentence": part.sentence,
            "shows": [asdict(shown) for shown in part.shows],
        }
        for number, part in enumerate(parts)
    ]


if __name__ == "__main__":
    noto = load_sprites(tuple(s for s in TRAINING_SETS if s.name == "noto"))
    write_sample(Path(sys.argv[1]), noto, tuple(map(Path, sys.argv[2:])))
