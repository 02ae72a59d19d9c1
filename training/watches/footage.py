"""What is shown to the model when watches are measured on pixels: films of real cameras, and rooms drawn here.

A folder names its films in `footage.json`: a list of `{"film", "name", "since", "until", "shows", "without"}`. `since` and
`until` are seconds of the film, all of it where they are left out; `shows` are words of what can be seen throughout,
`without` of what never can. A folder of questions about films (`cases.json`) will do as well.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from stream.file.film import open_film
from stream.watches.words.lexicon import Lexicon
from training.errors import BadData
from training.exams.film_cases import FilmCase, read_cases

LISTED = "footage.json"
# What *was* there is not there all the time.
_ASKED = re.compile(r"is there (?:an? )?(.+?)\?", re.IGNORECASE)
SIDE = 640
_MOST_PICTURES = 96
NEVER_IN_A_ROOM = ("person", "dog", "cat", "car", "bicycle", "bird")


@dataclass(frozen=True, slots=True)
class WatchFootage:
    """Pictures, and what is true of all of them.

    Attributes:
        name: For people.
        film: The file; None is a room that is drawn.
        since: Second of the film where it begins.
        until: Where it ends; None is the film's end.
        shows: Words of what can be seen throughout.
        without: Words of what never can.
    """

    name: str
    film: Path | None
    since: float = 0.0
    until: float | None = None
    shows: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def read_footage(folder: Path, lexicon: Lexicon) -> list[WatchFootage]:
    """Return the footage that `folder` lists.

    Raises:
        BadData: If something in it cannot be used.
    """
    listed = folder / LISTED
    if not listed.is_file():
        return of_cases(read_cases(folder), lexicon)
    try:
        entries = json.loads(listed.read_text(encoding="utf-8"))
        found = [_footage(folder, entry) for entry in entries]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadData(
            f"{listed} cannot be used: {error!r}; see training/watches/footage.py"
        ) from None
    for one in found:
        _check(one, lexicon)
    if len({one.name for one in found}) < len(found):
        raise BadData(f"{listed} names a film twice: give each entry a name of its own")
    return found


def of_cases(cases: Sequence[FilmCase], lexicon: Lexicon) -> list[WatchFootage]:
    """Return the films of questions: what is in them and what is not is what "Is there …?" asks."""
    shows, without = dict[Path, list[str]](), dict[Path, list[str]]()
    for case in cases:
        found = _ASKED.fullmatch(case.question)
        words, _ = lexicon.find(found[1].lower().split(), 0) if found else ((), 0)
        if words:
            (shows if case.is_right("yes") else without).setdefault(case.film, []).append(words[0])
    return [
        WatchFootage(film.stem, film, shows=_each(shows.get(film, ())), without=_each(without.get(film, ())))
        for film in dict.fromkeys((*without, *shows))
    ]  # fmt: skip


def rooms(count: int) -> list[WatchFootage]:
    """Return so many rooms that are drawn, with nothing in them that one would watch for."""
    return [
        WatchFootage(f"room {number}", None, without=NEVER_IN_A_ROOM) for number in range(count)
    ]


def pictures(footage: WatchFootage, seed: int) -> np.ndarray:
    """Return pictures of `footage` in order, evenly spread over it. Blocks.

    Raises:
        BadData: If the film shows nothing in that time.
    """
    if footage.film is None:
        return _room(np.random.default_rng([seed, *footage.name.encode()]))
    container, video = open_film(footage.film)
    with container:
        kept = [
            frame
            for frame in container.decode(video)
            if footage.since <= (frame.time or 0.0) < (footage.until or float("inf"))
        ][:: max(1, int((video.frames or 1) // _MOST_PICTURES))]
        if not kept:
            raise BadData(f"{footage.film} shows nothing from {footage.since:g} s on")
        scale = SIDE / max(kept[0].width, kept[0].height)
        width, height = (round(kept[0].width * scale) // 2 * 2, round(kept[0].height * scale) // 2 * 2)  # fmt: skip
        return np.stack([f.to_ndarray(format="rgb24", width=width, height=height) for f in kept])


def _room(random: np.random.Generator) -> np.ndarray:
    """Draw walls, a floor and boxes; a patch of sunlight wanders over them."""
    width, height, floor = SIDE, SIDE * 9 // 16, int(random.integers(180, 260))
    wall, ground = (tuple(int(v) for v in random.integers(90, 220, 3)) for _ in range(2))
    room = Image.new("RGB", (width, height), wall)
    draw = ImageDraw.Draw(room)
    draw.rectangle((0, floor, width, height), fill=ground)
    for _ in range(int(random.integers(2, 6))):
        left, top = int(random.integers(0, width - 80)), int(random.integers(40, floor))
        size = (int(random.integers(40, 200)), int(random.integers(30, 140)))
        colour = tuple(int(v) for v in random.integers(40, 230, 3))
        draw.rectangle((left, top, left + size[0], top + size[1]), fill=colour)
    still = np.asarray(room.filter(ImageFilter.GaussianBlur(1.2)), dtype=np.float32)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    shown = []
    for step in np.linspace(0.0, 1.0, 24):
        at = (width * (0.1 + 0.8 * step), height * 0.4)
        patch = np.exp(-(((columns - at[0]) / 90) ** 2 + ((rows - at[1]) / 60) ** 2))
        shown.append(np.clip(still * (1 + 0.25 * patch[..., None]), 0, 255).astype(np.uint8))
    return np.stack(shown)


def _footage(folder: Path, entry: dict[str, Any]) -> WatchFootage:
    film = folder / str(entry["film"])
    until = entry.get("until")
    return WatchFootage(
        str(entry.get("name", film.stem)),
        film,
        float(entry.get("since", 0.0)),
        None if until is None else float(until),
        _each(entry.get("shows", ())),
        _each(entry.get("without", ())),
    )


def _each(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _check(footage: WatchFootage, lexicon: Lexicon) -> None:
    if footage.film is None or not footage.film.is_file():
        raise BadData(f"there is no film {footage.film}")
    for word in (*footage.shows, *footage.without):
        if lexicon.find([word], 0)[0] != (word,):
            raise BadData(f"{word!r} of {footage.name} is not a word of the model's vocabulary")
