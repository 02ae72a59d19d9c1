"""What is measured on long made-up streams is a stream of that length, and one without anything in it."""

import numpy as np

from model.vision.things import unpack
from model.vision.vocabulary import word_table
from model.zoo.lite import LOOK, THINGS
from training.exams.evaluate_streams import _clips, _replaced, _stream
from training.streams.world import World

TABLE = word_table()
WORLD = World(TABLE, [[(n + 1) % len(TABLE)] for n in range(len(TABLE))])


def made(seed, length):
    random = np.random.default_rng(seed)
    stream = _stream(WORLD, random, length)
    return stream, list(_clips(stream, WORLD, random))


def things(clip):
    return [thing.word for thing in unpack(clip.values[:THINGS, LOOK:].float())]


def test_a_stream_is_about_as_long_as_was_asked_for():
    for seed in range(10):
        stream, _ = made(seed, 35)
        assert 32 <= len(stream.seen) <= 35
        assert len(stream.scenes) > 1


def test_clips_hold_what_was_reported_at_its_times():
    stream, clips = made(3, 35)
    assert [things(clip) for clip in clips] == [[t.word for t in seen] for seen in stream.seen]
    assert [(c.start, c.end) for c in clips] == list(zip(stream.starts, stream.ends, strict=True))


def test_the_blind_see_as_many_clips_with_nothing_in_them():
    _, clips = made(3, 35)
    nothing = [_replaced(clip, ()) for clip in clips]
    assert [(c.start, c.end) for c in nothing] == [(c.start, c.end) for c in clips]
    assert not any(things(clip) for clip in nothing)
    assert not any(clip.values[THINGS:].any() for clip in nothing)
