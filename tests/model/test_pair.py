import pytest
import torch

from model.folding.pair import join_pair
from model.folding.thing_rows import ThingRows
from model.folding.visual_rows import VisualRows
from model.types import ClipTokens
from model.vision.things import CODE, Thing, pack, unpack

LOOK, THINGS, TOKENS = 8, 4, 6


def with_things(start, *words, frames=4):
    random = torch.Generator().manual_seed(int(start))
    values = torch.randn(THINGS + TOKENS, LOOK + CODE, generator=random).half()
    values[:THINGS, LOOK:] = pack([Thing(word, 0.9) for word in words], THINGS)
    return ClipTokens(values, start, start + 3.0, frames)


@pytest.mark.parametrize("rows", [VisualRows(), ThingRows(THINGS, LOOK, 4)])
def test_two_clips_become_one_of_their_time_and_frames_with_the_rows_of_one(rows):
    one, other = with_things(0.0, 7), with_things(4.0, 9, frames=3)
    both = join_pair(rows, one, other)
    assert (both.start, both.end, both.frames) == (0.0, 7.0, 7)
    assert both.values.shape == one.values.shape
    again = join_pair(rows, one, other)
    assert torch.equal(both.values, again.values), "the same clips give the same"


def test_what_either_showed_is_named_by_both():
    rows = ThingRows(THINGS, LOOK, 4)
    both = join_pair(rows, with_things(0.0, 7, 579), with_things(4.0, 7, 9))
    words = {thing.word for thing in unpack(both.values[:THINGS, LOOK:].float())}
    assert words == {7, 9, 579}
