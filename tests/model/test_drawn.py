import torch

from model.vision.networks.drawn import Heads, Said, drawn_things
from model.vision.networks.lite_network import FRAMES, GRID
from model.vision.vocabulary import word_table

TABLE = word_table()
NAMES = tuple(TABLE.of_drawing)
BACKGROUND = len(NAMES)
DOG, CAT, CIRCLE = (NAMES.index(name) for name in ("dog", "cat", "circle"))


def said(cells, drawn=1.0, movement=4, colour=0):
    """`cells`: name to its (row, column, sureness) in every frame."""
    names = torch.zeros(FRAMES, GRID, GRID, len(NAMES) + 1)
    names[..., BACKGROUND] = 1.0
    for name, places in cells.items():
        for row, column, sure in places:
            names[:, row, column, BACKGROUND] = 0.0
            names[:, row, column, name] = sure
    count = FRAMES * GRID * GRID
    colours, movements = torch.zeros(count, 9), torch.zeros(count, 5)
    colours[:, colour], movements[:, movement] = 1.0, 1.0
    return Said(names.flatten(0, 2), colours, movements, (drawn,) * FRAMES)


def square(row, column, size=2, sure=0.9):
    return [(row + r, column + c, sure) for r in range(size) for c in range(size)]


def things(*args, **options):
    return drawn_things(said(*args, **options), TABLE, NAMES)


def test_what_is_not_drawn_is_left_to_others():
    assert things({DOG: square(0, 0)}, drawn=0.2) is None


def test_a_drawing_is_named_where_it_is():
    [dog] = things({DOG: square(0, 5)}, movement=0)
    assert TABLE[dog.word].name == "dog"
    assert (dog.x, dog.y) == (6 / 7, 1 / 7)
    assert (dog.movement, dog.colour, dog.count) == (0, None, 1)


def test_shapes_have_a_colour():
    [circle] = things({CIRCLE: square(2, 2)}, colour=4)
    assert circle.colour == 4


def test_apart_is_several_and_several_do_not_move():
    [dogs] = things({DOG: square(0, 0) + square(4, 4)}, movement=1)
    assert (dogs.count, dogs.movement) == (2, None)


def test_a_small_part_of_a_thing_is_no_other_thing():
    [dog] = things({DOG: square(0, 0, size=4), CAT: [(4, 0, 0.8), (4, 1, 0.8)]})
    assert TABLE[dog.word].name == "dog"


def test_two_things_are_two():
    assert len(things({DOG: square(0, 0), CAT: square(4, 4)})) == 2


def test_what_is_not_sure_is_said_with_a_perhaps_unless_something_is():
    [doubted] = things({DOG: square(0, 0, sure=0.5)})
    assert doubted.sure < 0.5
    [plain] = things({DOG: square(0, 0, sure=0.5), CAT: square(4, 4)})
    assert TABLE[plain.word].name == "cat"


def test_nothing_drawn_on_a_drawn_ground_is_nothing():
    assert things({}) == []


def test_heads_say_something_of_every_cell_and_frame():
    heads = Heads(8, NAMES)
    found = heads(torch.randn(FRAMES * GRID * GRID, 8))
    assert found.names.shape == (196, len(NAMES) + 1)
    assert len(found.drawn) == FRAMES


def moving(*columns, movement=4, row=2, size=3):
    """A dog whose left edge is in one column after the other."""
    frames = [said({DOG: square(row, c, size)}, movement=movement) for c in columns]
    names = torch.cat([f.names.view(FRAMES, -1, len(NAMES) + 1)[n] for n, f in enumerate(frames)])
    [dog] = drawn_things(frames[0]._replace(names=names), TABLE, NAMES)
    return dog.movement


def test_what_has_come_far_moves_though_its_cells_say_that_it_stays():
    assert moving(0, 1, 2, 3) == 1
    assert moving(3, 2, 1, 0) == 0


def test_what_has_not_come_far_moves_only_if_its_cells_are_sure_of_it():
    assert moving(2, 2, 2, 2) is None
    assert moving(2, 3, 2, 2) is None
    assert moving(2, 2, 2, 3, movement=1) == 1


def test_a_cell_taken_for_a_thing_that_is_not_there_yet_does_not_move_it():
    first = said({DOG: square(0, 6, size=1)})
    rest = said({DOG: square(2, 1, size=3)})
    names = torch.cat([first.names[: GRID * GRID], rest.names[GRID * GRID :]])
    [dog] = drawn_things(rest._replace(names=names), TABLE, NAMES)
    assert dog.movement is None


def test_cells_that_meet_at_a_corner_are_one_thing():
    [star] = things({NAMES.index("star"): square(1, 1) + square(3, 3)}, movement=1)
    assert (star.count, star.movement) == (1, 1)


def test_a_little_piece_apart_is_no_second_thing():
    [rocket] = things({NAMES.index("rocket"): square(0, 2, size=3) + square(5, 2, size=1)})
    assert rocket.count == 1
