"""Examples for reading are made anywhere, the same from the same seed, and go through in batches."""

import numpy as np
import pytest
import torch

from model.vision.things import SURE
from model.vision.vocabulary import word_table
from model.zoo.lite_base import convert
from training.dialogue.asker import Asker
from training.lite.folded import folded
from training.lite.forms import FORM
from training.lite.made_up import COURSES, Course, MadeUpStream, Maker, batches
from training.packing import Packed
from training.streams.world import Mix, World

TABLE = word_table()
WORLD = World(TABLE, [[(n + 1) % len(TABLE)] for n in range(len(TABLE))])
LONG = Mix(longest=60, single=0.0, scenes=12, cuts=True)
SHORT = (Course(1.0, Mix(longest=6, single=0.2, scenes=3, folded=0.5), 5),)


@pytest.fixture(scope="module")
def maker():
    return Maker(convert(), SHORT, deep=0.5)


def example(length, ratio):
    row = torch.zeros(length, dtype=torch.int64)
    show = Packed(row, row - 1, row - 1, row, row - 100)
    return MadeUpStream(show, torch.zeros(1, 2), torch.zeros(1, 2, 3), ("name",), ratio)


def test_an_example_follows_from_its_seed_alone(maker):
    one, other = (maker.example(np.random.default_rng([3, 5])) for _ in range(2))
    assert one.kinds == other.kinds
    assert one.show.ids.tolist() == other.show.ids.tolist()
    assert one.seen.equal(other.seen)


def test_a_clip_is_a_caption_and_its_visual_tokens(maker):
    for seed in range(20):
        one = maker.example(np.random.default_rng(seed))
        assert len(one.captions) == len(one.seen)
        assert (one.show.place >= 0).sum() == FORM.tokens * len(one.seen)
        assert len(one.kinds) == int(one.show.branch.max()) > 0


def test_batches_hold_every_example_once_and_no_more_than_there_is_room_for():
    lengths = [30, 10, 20, 10, 80, 20, 10]
    made = [example(n, ratio) for n in lengths for ratio in (1.0, 0.25)]
    found = list(batches(made, 60))
    assert sum(len(batch.ratios) for batch in found) == len(made)
    assert all(len(set(batch.ratios)) == 1 for batch in found)
    for batch in found:
        assert len(batch.ratios) == 1 or batch.shows.ids.numel() <= 60


def streams(count):
    for seed in range(count):
        random = np.random.default_rng(seed)
        yield WORLD.stream(random, LONG), random


def test_a_folded_stream_reaches_as_far_back_and_keeps_its_newest_clips():
    shorter = 0
    for stream, random in streams(40):
        made = folded(stream, random)
        assert made.starts[0] == stream.starts[0]
        assert made.ends[-1] == stream.ends[-1]
        assert [t.word for t in made.seen[-1]] == [t.word for t in stream.seen[-1]]
        assert [n for scene in made.scenes for n in scene.clips] == list(range(len(made.seen)))
        shorter += len(made.seen) < len(stream.seen)
    assert shorter > 30


def test_nothing_is_in_a_folded_stream_that_was_not_in_the_stream():
    for stream, random in streams(20):
        before = {t.word for things in stream.seen for t in things if t.sure >= SURE}
        after = {t.word for things in folded(stream, random).seen for t in things if t.sure >= SURE}
        assert after <= before


def test_a_folded_stream_can_be_asked_about():
    kinds = {
        asked.kind
        for stream, random in streams(40)
        for asked in Asker(WORLD, folded(stream, random), random).ask(12, past=3.0)
    }
    assert {"before", "after", "when", "first", "was there", "which first", "list"} <= kinds


def test_courses_go_from_a_scene_to_hours():
    assert sum(course.share for course in COURSES) == pytest.approx(1.0)
    assert max(course.mix.longest for course in COURSES) == 200
