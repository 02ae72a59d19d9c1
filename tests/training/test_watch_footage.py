"""Watches on pixels: footage, what disturbs it, and runs that are cut short."""

import asyncio
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from model.types import ClipTokens
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from stream.watches.words.lexicon import Lexicon
from tests.stream.videos import write_video
from training.errors import BadData
from training.watches.disturbed import DISTURBANCES, clips_of
from training.watches.films import FilmTrial, quiet_parts, there, told_in
from training.watches.footage import WatchFootage, pictures, read_footage, rooms

TABLE = word_table()
LEXICON = Lexicon(TABLE)
DOG = Thing(TABLE.number["dog"])


class Eyes:
    """Sees a dog wherever it is bright, and counts the clips that it looked at."""

    frames_per_clip = 4

    def __init__(self):
        self.looked = 0

    async def encode(self, clip):
        self.looked += 1
        bright = torch.full((1, 3), float(clip.pixels.float().mean() > 200))
        return SimpleNamespace(tokens=ClipTokens(bright, clip.start, clip.end))

    async def things(self, clips):
        return [[DOG] if clip.values.any() else [] for clip in clips]


def show(folder, **entry):
    (folder / "footage.json").write_text(json.dumps([{"film": "film.mp4"} | entry]))
    return read_footage(folder, LEXICON)


def test_footage_says_what_a_part_of_a_film_shows_and_what_it_never_does(tmp_path):
    write_video(tmp_path / "film.mp4", seconds=4, size=(320, 180), rate=10)
    [one] = show(tmp_path, since=1, until=2, shows=["car"], without=["dog", "dog"])
    assert (one.name, one.shows, one.without) == ("film", ("car",), ("dog",))
    assert pictures(one, 0).shape == (10, 360, 640, 3)
    for wrong, said in [
        ({"shows": ["flurble"]}, "flurble"),
        ({"film": "other.mp4"}, "no film"),
        ({"since": "x"}, "cannot be used"),
    ]:
        with pytest.raises(BadData, match=said):
            show(tmp_path, **wrong)


@pytest.mark.parametrize("kind", DISTURBANCES)
def test_a_disturbed_camera_shows_the_same_things_but_never_the_same_pixels(kind):
    [room] = rooms(1)
    drawn = pictures(room, 0)[:, ::4, ::4].copy()
    clips = clips_of(drawn, 6, 4, kind, np.random.default_rng(1))
    assert [clip.start for clip in clips] == [0, 4, 8, 12, 16, 20]
    frames = torch.cat([clip.pixels for clip in clips])
    assert frames.shape == (24, 90, 160, 3)
    # Compressed so far, most frames of a room in which nothing moves are what was there before.
    assert len({frame.numpy().tobytes() for frame in frames}) >= (
        2 if kind == "compression" else 24
    )
    # Lights may go, but the picture is the same one still.
    alike = np.corrcoef(frames[-1].flatten(), drawn[0].flatten())[0, 1]
    assert alike > 0.5


async def test_a_run_that_is_cut_short_goes_on_where_it_was(tmp_path):
    quiet, dog = rooms(1)[0], WatchFootage("dog", None, shows=("dog",))

    def said(text):
        heard.append(text)
        if len(heard) == 2:
            raise asyncio.CancelledError

    heard, cut = [], Eyes()
    wanted = ([quiet, dog], 0.01, 1)  # three parts of three clips, and an event of six
    with pytest.raises(asyncio.CancelledError):
        await FilmTrial(cut, TABLE, tmp_path, 0, part=3).run(*wanted, said)
    assert cut.looked == 2 * 3
    again = Eyes()
    tallies = await FilmTrial(again, TABLE, tmp_path, 0, part=3).run(*wanted, heard.append)
    assert again.looked == 3 + 6
    assert (tallies["film quiet"].hours, tallies["film quiet"].alarms) == (0.01, 0)
    assert tallies["film quiet, every watch"].hours == 0.01 * len(quiet.without)
    assert (tallies["film events"].events, tallies["film events"].delays) == (1, [])


def test_quiet_parts_take_all_footage_in_turn_under_every_disturbance():
    parts = quiet_parts(rooms(2), 0.5, seed=0)
    assert [(p.footage.name, p.disturbance) for p in parts] == [
        (name, kind) for kind in DISTURBANCES for name in ("room 0", "room 1")
    ]


def test_an_event_planted_in_quiet_is_told_by_the_second_clip_that_shows_it():
    told = told_in([[]] * 40, [[DOG]] * 6, "dog", TABLE)
    assert told.delays == [1]
    assert there("dog").positive[0].words == ("dog",)
