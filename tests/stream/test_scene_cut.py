import numpy as np

from stream.frames.clipper import Clipper
from stream.frames.frame import Frame
from stream.frames.scene_cut import SceneCuts


def picture(seed, height=48, width=64):
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return small.repeat(height // 6, 0).repeat(width // 8, 1)


def cuts_in(*pictures):
    cuts = SceneCuts()
    return [cuts.is_cut(pixels) for pixels in pictures]


def test_another_picture_is_a_cut_and_the_same_is_none():
    one, other = picture(1), picture(2)
    assert cuts_in(one, one, other, other, one) == [False, False, True, False, True]


def test_a_thing_that_moves_is_no_cut():
    before, after = picture(1), picture(1)
    after[10:30, 20:40] = 255
    assert cuts_in(before, after) == [False, False]


def test_what_changes_all_the_time_is_cut_at_most_once_and_again():
    found = cuts_in(*(picture(n) for n in range(8)))
    assert sum(found) < 8


def test_tiny_pictures_are_compared_as_a_whole():
    dark, bright = (np.full((4, 4, 3), value, np.uint8) for value in (0, 255))
    assert cuts_in(dark, dark, bright) == [False, False, True]


def test_a_clip_ends_at_a_cut_where_that_is_asked_for():
    shown = [picture(1)] * 2 + [picture(2)] * 4
    for cuts, lengths in ((True, [2, 4]), (False, [4, 2])):
        clipper = Clipper(4, longest_gap=5, cuts=cuts)
        clips = [c for t, p in enumerate(shown) for c in clipper.add(Frame(p, float(t)))]
        clips += clipper.flush()
        assert [len(clip.pixels) for clip in clips] == lengths
