import torch

from model.vision.drawn import Heads, Said, drawn_things
from model.vision.lite_network import FRAMES, GRID
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
