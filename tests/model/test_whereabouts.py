"""Where the classifier sees a thing, by what it believes of each cell."""

import torch

from model.vision.whereabouts import whereabouts


def belief(*columns, size=3, sure=1.0, best=None):
    """A thing in row 2 whose left edge is in one column after the other."""
    frames = torch.full((len(columns), 7, 7), 0.01)
    for frame, column in zip(frames, columns, strict=True):
        frame[2 : 2 + size, column : column + size] = sure
    if best is not None:
        frames[-1] *= best
    return frames


def test_a_thing_is_where_the_cells_look_like_it():
    spot = whereabouts(belief(1, 1, 1, 2))
    assert round(spot.x, 6) == round(3.5 / 7, 6)
    assert (spot.width, spot.height) == (3 / 7, 3 / 7)


def test_it_moves_with_the_middle_of_those_cells():
    assert whereabouts(belief(0, 1, 1, 2)).movement == 1
    assert whereabouts(belief(3, 2, 2, 1)).movement == 0
    assert whereabouts(belief(0, 1, 2, 3).mT).movement == 3
    assert whereabouts(belief(3, 2, 1, 0).mT).movement == 2


def test_what_stays_or_goes_to_and_fro_does_not_move():
    assert whereabouts(belief(2, 2, 2, 2)).movement is None
    assert whereabouts(belief(0, 2, 0, 1)).movement is None


def test_a_few_cells_are_a_place_but_are_not_followed():
    spot = whereabouts(belief(0, 1, 2, 3, size=2))
    assert (spot.movement, spot.width) == (None, 2 / 7)


def test_a_doubtful_thing_is_not_followed_and_one_that_is_gone_is_nowhere():
    assert whereabouts(belief(0, 1, 2, 3, sure=0.7)).movement is None
    assert whereabouts(belief(0, 1, 2, 3, best=0.4)) is None
