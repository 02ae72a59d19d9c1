"""The sample stream: what it shows is what its list says, and it plays live."""

import json
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

import web
from tests.stream.videos import write_video
from training.drawn.scenes import DrawnThing, Placement
from training.errors import BadData
from training.sample_stream.sample import (
    KEYFRAME_SECONDS,
    PARTS,
    SECONDS,
    Drawing,
    drawn_frames,
    timeline,
)
from training.sample_stream.sample_films import Cut, frames

SAMPLE = Path(web.__file__).parent / "sample"
RED, BLUE = (220, 30, 30), (30, 30, 220)


def test_the_list_beside_the_sample_is_what_it_was_made_from():
    listed = json.loads((SAMPLE / "sample.json").read_text())
    assert listed == json.loads(json.dumps(timeline()))
    assert all(part["end"] - part["start"] >= 8 for part in listed)
    assert all(one["end"] == two["start"] for one, two in pairwise(listed))
    assert all(part["shows"] for part in listed)


def test_camera_films_and_drawn_scenes_come_in_turn():
    drawn = [isinstance(part.picture, Drawing) for part in PARTS]
    assert all(one != two for one, two in pairwise(drawn))


def test_the_sample_is_small_and_can_be_joined_at_any_time():
    assert (SAMPLE / "sample.mp4").stat().st_size < 4_000_000
    with av.open(str(SAMPLE / "sample.mp4")) as film:
        video = film.streams.video[0]
        assert video.codec_context.name == "h264"
        assert video.width <= 640
        keys = [float(p.pts * p.time_base) for p in film.demux(video) if p.pts is not None and p.is_keyframe]  # fmt: skip
        length = film.duration / 1e6
    assert length == pytest.approx(SECONDS * len(PARTS), abs=0.2)
    gaps = np.diff([*keys, length])
    assert max(gaps) <= KEYFRAME_SECONDS + 0.01


def test_a_drawn_part_is_the_same_every_time_and_moves_as_it_says():
    thing = DrawnThing("circle", "red")
    moving = Drawing(
        (thing,), (Placement(0, 0.2, 0.5, 0.4),), (Placement(0, 0.8, 0.5, 0.4),), ("plain", 1)
    )
    once, again = ([*drawn_frames(moving, {})][::30] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    reds = [np.nonzero((p[..., 0].astype(int) - p[..., 1]) > 100)[1].mean() for p in once]
    assert reds == sorted(reds)
    assert reds[-1] - reds[0] > 300


@pytest.fixture
def films(tmp_path):
    write_video(tmp_path / "film.mp4", seconds=4, rate=10, colours=[RED, BLUE])
    return (tmp_path / "elsewhere", tmp_path)


@pytest.mark.parametrize("seconds", [2.0, 8.0])
def test_a_part_of_a_film_lasts_as_long_as_wanted_from_its_start_to_its_end(films, seconds):
    shown = [*frames(Cut("film.mp4", 1.0, 3.0), films, seconds, (64, 36), 5)]
    assert len(shown) == seconds * 5
    assert shown[0].shape == (36, 64, 3)
    blue = [bool(p[..., 2].mean() > p[..., 0].mean()) for p in shown]
    assert blue == sorted(blue)
    assert abs(sum(blue) - len(blue) / 2) <= 2


def test_of_a_film_only_the_box_is_kept(tmp_path):
    write_video(tmp_path / "film.mp4", colours=[RED], top=BLUE, size=(96, 64))
    [top, bottom] = [
        next(frames(Cut("film.mp4", 0, 1, (0, y, 1, 0.5)), (tmp_path,), 1, (64, 36), 5))
        for y in (0, 0.5)
    ]
    assert top[..., 2].mean() > 150 > bottom[..., 2].mean()


@pytest.mark.parametrize("cut", [Cut("other.mp4", 0, 1), Cut("film.mp4", 3, 9)])
def test_a_film_that_is_missing_or_too_short_is_named(films, cut):
    with pytest.raises(BadData, match=cut.film):
        list(frames(cut, films, 4, (64, 36), 5))
