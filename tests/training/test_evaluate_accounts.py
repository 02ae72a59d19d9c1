"""An account is scored by what it names in the right order, whether it was told at once or in parts."""

import numpy as np

from model.vision.vocabulary import word_table
from training.exams.evaluate_accounts import common, glimpsed, named_in, stream_of, wanted_of
from training.streams.world import World

TABLE = word_table()
WORLD = World(TABLE, [[(n + 1) % len(TABLE)] for n in range(len(TABLE))])


def test_what_an_account_names_is_read_however_it_was_told():
    names = ("a cat", "three bottles", "a t-shirt")
    assert named_in("First a cat, then three bottles, then a T-shirt.") == names
    parts = "From 0:00 to 0:40: a cat, then three bottles. From 1:00:01 to 1:00:09: a T-shirt."
    assert named_in(parts) == names
    assert named_in(f"{parts} Those are 3 of 9 scenes: the newest.") == names
    assert named_in("A cat.") == ("a cat",)


def test_order_counts_and_what_is_told_twice_does_not():
    assert common("abcd", "abcd") == 4
    assert common("abcd", "acbd") == 3
    assert common("abcd", "abab") == 2
    assert common("abcd", "") == 0


def test_a_stream_has_as_many_scenes_as_were_asked_for_and_some_come_again():
    streams = [stream_of(WORLD, np.random.default_rng(seed), 12, 0.5) for seed in range(5)]
    assert {len(stream.scenes) for stream in streams} == {12}
    wanted = [name for stream in streams for name in wanted_of(stream, WORLD)]
    assert len(wanted) > len(set(wanted)) > 0


def test_a_share_of_clips_half_see_their_main_thing_as_something_else():
    stream = stream_of(WORLD, np.random.default_rng(1), 12, 0.0)
    assert glimpsed(stream, WORLD, np.random.default_rng(2), 0.0) == stream
    seen = glimpsed(stream, WORLD, np.random.default_rng(2), 1.0).seen
    mains = [(was[0], now[0]) for was, now in zip(stream.seen, seen, strict=True) if was]
    assert mains
    assert all(now.word != was.word and 0.5 <= now.sure <= 0.75 for was, now in mains)
