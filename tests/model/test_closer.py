"""What is looked at closely is cut out of its own frame, whole and undistorted."""

import pytest
import torch

from model.vision.drawings import drawn_things
from model.vision.networks.closer import CLOSE, Closer, View, close_ups
from tests.model.test_drawn import CAT, DOG, NAMES, TABLE, said, square


def clip(height=120, width=200):
    """Four frames, each of its own grey, with a white square in the second."""
    frames = torch.zeros(4, height, width, 3, dtype=torch.uint8)
    frames += 20 * torch.arange(4, dtype=torch.uint8)[:, None, None, None]
    frames[1, 40:80, 100:140] = 255
    return frames


def test_a_close_up_is_of_its_frame_and_a_little_larger_than_the_thing():
    view = View(1, 0.6, 0.5, 40 / 200, 40 / 120)
    [picture] = close_ups(clip(), [view])
    assert picture.shape == (3, CLOSE, CLOSE)
    white = (picture[0] > 200).float()
    assert 0.8 < white.mean(dim=1)[CLOSE // 2] < 0.95, "it is as wide"
    assert 0.8 < white.mean(dim=0)[CLOSE // 2] < 0.95, "as it is high"


def test_a_close_up_at_the_edge_stays_within_the_frame():
    pictures = close_ups(clip(), [View(0, 0, 0, 0.1, 0.1), View(2, 1, 1, 0.1, 0.1), View(3, 0.5, 0.5, 1, 1)])  # fmt: skip
    assert [int(picture.float().mean()) for picture in pictures] == [0, 40, 60]


def looking(name, seen):
    def look(views):
        seen.append(list(views))
        shares = torch.zeros(len(views), len(NAMES) + 1)
        shares[:, name] = 1.0
        return shares

    return look


def test_a_closer_look_outvotes_cells_that_are_unsure():
    seen = []
    some = said({DOG: [square(2, 2, size=3, sure=0.4)]})
    [cat] = drawn_things(some, TABLE, NAMES, looking(CAT, seen))
    assert TABLE[cat.word].name == "cat"
    [views] = seen
    assert {(round(view.x * 7 - 0.5), round(view.y * 7 - 0.5)) for view in views} == {(3, 3)}


@pytest.mark.parametrize(("corners", "frames"), [([0], 4), ([0, 6], 2), ([0, 3, 6], 1)])
def test_of_few_things_several_frames_are_looked_at(corners, frames):
    seen = []
    squares = [square(at, at, size=1) for at in corners]
    drawn_things(said({DOG: squares}), TABLE, NAMES, looking(DOG, seen))
    [views] = seen
    each = {
        corner: [v.frame for v in views if round(v.x * 7 - 0.5) == corner] for corner in corners
    }
    assert [len(set(of)) for of in each.values()] == [frames] * len(corners)


@pytest.mark.parametrize(("gate", "found", "is_drawn"), [(0.9, DOG, True), (0.9, -1, False), (0.3, DOG, True), (0.2, DOG, True), (0.2, -1, False), (0.05, DOG, False)])  # fmt: skip
def test_a_closer_look_tells_a_drawing_from_what_looks_like_one(gate, found, is_drawn):
    dogs = drawn_things(said({DOG: [square(2, 2)]}, drawn=gate), TABLE, NAMES, looking(found, []))
    assert (dogs is not None) == is_drawn


def test_few_things_are_looked_at_closely():
    seen = []
    corners = [square(row, column, size=1) for row in (0, 3, 6) for column in (0, 3, 6)]
    drawn_things(said({DOG: corners}), TABLE, NAMES, looking(DOG, seen))
    assert [len(views) for views in seen] == [4]


def test_where_nothing_is_found_nothing_is_looked_at():
    seen = []
    assert drawn_things(said({}), TABLE, NAMES, looking(DOG, seen)) == []
    assert seen == []


def test_every_close_up_has_names_and_may_have_none():
    closer = Closer(("dog", "cat"))
    found = closer(torch.rand(5, closer.name.in_features))
    assert found.shape == (5, 3)
    assert torch.allclose(found.sum(dim=1), torch.ones(5))
