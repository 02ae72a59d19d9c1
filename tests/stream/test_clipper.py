import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.frames.clipper import Clipper
from stream.frames.frame import Frame

SIZES = [(4, 6), (6, 4)]
SHOTS = st.lists(
    st.tuples(st.floats(min_value=-1, max_value=8, width=32), st.sampled_from(SIZES)), max_size=60
)


def frame(time, size=(4, 6)):
    return Frame(np.zeros((*size, 3), dtype=np.uint8), time)


def clips_of(clipper, frames):
    return [clip for f in frames for clip in clipper.add(f)] + clipper.flush()


def test_frames_are_grouped_as_they_come():
    clips = clips_of(Clipper(4, longest_gap=5), [frame(t / 2) for t in range(10)])
    assert [(c.start, c.end, len(c.pixels)) for c in clips] == [
        (0, 1.5, 4),
        (2, 3.5, 4),
        (4, 4.5, 2),
    ]


def test_a_gap_ends_the_clip_begun():
    clips = clips_of(Clipper(4, longest_gap=5), [frame(0), frame(1), frame(6.5), frame(7)])
    assert [(c.start, c.end) for c in clips] == [(0, 1), (6.5, 7)]


def test_a_new_picture_size_ends_the_clip_begun():
    frames = [frame(0), frame(1), frame(2, (6, 4)), frame(3, (6, 4))]
    clips = clips_of(Clipper(4, longest_gap=5), frames)
    assert [tuple(c.pixels.shape) for c in clips] == [(2, 4, 6, 3), (2, 6, 4, 3)]


def test_nothing_begun_flushes_to_nothing():
    assert Clipper(4, longest_gap=5).flush() == []


@given(SHOTS, st.integers(min_value=1, max_value=5))
def test_clips_hold_every_later_frame_once_and_in_order(shots, frames_per_clip):
    time, frames = 0.0, []
    for step, size in shots:
        time += step
        frames.append(frame(time, size))
    later, last = 0, float("-inf")
    for f in frames:
        later, last = (later + 1, f.time) if f.time > last else (later, last)
    clips = clips_of(Clipper(frames_per_clip, longest_gap=5), frames)
    assert sum(len(c.pixels) for c in clips) == later
    assert all(len(c.pixels) <= frames_per_clip for c in clips)
    assert all(a.end < b.start for a, b in itertools.pairwise(clips))


def test_the_pixels_arrive_unchanged():
    shot = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    [clip] = Clipper(1, longest_gap=5).add(Frame(shot, 1.0))
    assert (clip.pixels[0].numpy() == shot).all()


@pytest.mark.parametrize(("frames", "gap"), [(0, 1.0), (4, 0.0)])
def test_a_clipper_of_nothing_is_refused(frames, gap):
    with pytest.raises(ValueError, match="positive"):
        Clipper(frames, gap)
