"""What drawn things are called follows from their cells and a closer look, and from those that look alike."""

import pytest
import torch

from model.vision.drawings import drawn_things
from model.vision.drawn_names import LOOKS, named
from model.vision.drawn_tracks import tracks_of
from tests.model.test_drawn import CAT, CIRCLE, DOG, NAMES, TABLE, in_turn, said, square

STAR, NOTHING = NAMES.index("star"), len(NAMES)


def looking(by_column):
    """A look that says of what is in a column how likely it has which name."""

    def look(views):
        shares = torch.zeros(len(views), NOTHING + 1)
        for view, row in zip(views, shares, strict=True):
            for name, likely in by_column[round(view.x * 7 - 0.5)].items():
                row[name] = likely
        return shares

    return look


def seen(clip, by_column):
    things = drawn_things(clip, TABLE, NAMES, looking(by_column))
    return [(TABLE[thing.word].name, thing.count, thing.sure >= 0.5) for thing in things]


def test_what_cells_or_look_hold_for_impossible_is_not_what_it_is():
    # Of cells: dog 0.6, cat 0.2, star 0.2. Half of each would be a dog, 0.3 of a star.
    clip = said({DOG: [square(2, 2, size=3, sure=0.6)]})
    assert seen(clip, {3: {CIRCLE: 0.45, CAT: 0.55}}) == [("cat", 1, True)]


def test_things_that_look_alike_have_one_name():
    clip = said({DOG: [square(row, column, sure=0.4) for row, column in ((0, 0), (0, 3), (4, 5))]})
    cats = {CAT: 0.8, DOG: 0.2}
    assert seen(clip, {0: cats, 3: cats, 5: {DOG: 0.6, CAT: 0.4}}) == [("cat", 3, True)]


def test_things_that_do_not_look_alike_keep_their_names():
    clip = said({DOG: [square(0, 0)], CAT: [square(0, 3)]})
    assert seen(clip, {0: {DOG: 1.0}, 3: {CAT: 1.0}}) == [("dog", 1, True), ("cat", 1, True)]


def test_where_a_closer_look_sees_nothing_is_no_other_of_its_name():
    clip = said({DOG: [square(0, 0), square(4, 4)]})
    assert seen(clip, {0: {DOG: 1.0}, 4: {NOTHING: 0.8, DOG: 0.2}}) == [("dog", 1, True)]


def test_what_is_perhaps_nothing_is_less_sure():
    tracks = tracks_of(said({DOG: [square(0, 0)]}))
    [sure], _ = named(tracks, looking({0: {DOG: 1.0}}))
    [unsure], nothing = named(tracks, looking({0: {DOG: 0.6, NOTHING: 0.4}}))
    assert unsure.names[DOG] < 0.65 < sure.names[DOG]
    assert nothing == pytest.approx(0.4)


def test_more_things_than_are_looked_at_are_named_by_their_cells():
    corners = [square(row, column, size=1) for row in (0, 3, 6) for column in (0, 4)]
    assert len(corners) > LOOKS
    assert seen(said({DOG: corners}), {0: {DOG: 1.0}, 4: {DOG: 1.0}}) == [("dog", 5, True)]


def test_of_frames_that_differ_those_that_show_more_are_right():
    two, one = said({DOG: [square(0, 0), square(4, 4)]}), said({DOG: [square(0, 0)]})
    [dogs] = drawn_things(in_turn(two, two, one, one), TABLE, NAMES)
    assert dogs.count == 2
    [dog] = drawn_things(in_turn(two, one, one, one), TABLE, NAMES)
    assert dog.count == 1


@pytest.mark.parametrize(("size", "frames"), [(1, {3}), (3, {0, 3})])
def test_a_thing_is_looked_at_closely_only_where_it_is_seen_well(size, frames):
    # A pattern that looks a little like it in one frame is no second view of what another shows.
    nothing = said({})
    clip = in_turn(said({DOG: [square(2, 2, size)]}), nothing, nothing, said({DOG: [square(2, 2, 3)]}))  # fmt: skip
    looked = []

    def look(views):
        looked.extend(view.frame for view in views)
        return looking({column: {DOG: 1.0} for column in range(7)})(views)

    assert drawn_things(clip, TABLE, NAMES, look)
    assert set(looked) == frames
