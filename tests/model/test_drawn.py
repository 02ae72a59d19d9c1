import torch

from model.vision.drawings import drawn_things
from model.vision.networks.drawn import Heads, HeadsOutput
from model.vision.networks.lite_network import FRAMES, GRID
from model.vision.vocabulary import word_table

TABLE = word_table()
NAMES = tuple(TABLE.of_drawing)
BACKGROUND = len(NAMES)
DOG, CAT, CIRCLE = (NAMES.index(name) for name in ("dog", "cat", "circle"))


def said(cells, drawn=1.0, movement=4, colour=0):
    """`cells`: name to the squares it covers in every frame, each with a middle."""
    names = torch.zeros(FRAMES, GRID, GRID, len(NAMES) + 1)
    middles = torch.zeros(FRAMES, GRID, GRID)
    names[..., BACKGROUND] = 1.0
    for name, squares in cells.items():
        for one in squares:
            for row, column, sure in one:
                names[:, row, column] = 0.0
                for other in (CAT if name == DOG else DOG, NAMES.index("star")):
                    names[:, row, column, other] = (1 - sure) / 2
                names[:, row, column, name] = sure
            row, column, _ = one[len(one) // 2]
            middles[:, row, column] = 0.9
    count = FRAMES * GRID * GRID
    colours, movements = torch.zeros(count, 9), torch.zeros(count, 5)
    colours[:, colour], movements[:, movement] = 1.0, 1.0
    sides = torch.full((count, 2), 0.3)
    return HeadsOutput(
        names.flatten(0, 2), colours, movements, middles.flatten(), sides, (drawn,) * FRAMES
    )


def square(row, column, size=2, sure=0.9):
    return [(row + r, column + c, sure) for r in range(size) for c in range(size)]


def things(*args, **options):
    return drawn_things(said(*args, **options), TABLE, NAMES)


def test_what_is_not_drawn_is_left_to_others():
    assert things({DOG: [square(0, 0)]}, drawn=0.05) is None


def test_a_drawing_is_named_where_it_is():
    [dog] = things({DOG: [square(0, 5)]}, movement=0)
    assert TABLE[dog.word].name == "dog"
    assert (dog.x, dog.y) == (6 / 7, 1 / 7)
    assert (dog.movement, dog.colour, dog.count) == (0, None, 1)


def test_shapes_have_a_colour():
    [circle] = things({CIRCLE: [square(2, 2)]}, colour=4)
    assert circle.colour == 4


def test_apart_is_several_and_several_do_not_move():
    [dogs] = things({DOG: [square(0, 0), square(4, 4)]}, movement=1)
    assert (dogs.count, dogs.movement) == (2, None)


def test_a_small_part_of_a_thing_is_no_other_thing():
    [dog] = things({DOG: [square(0, 0, size=4)], CAT: [[(4, 0, 0.8), (4, 1, 0.8)]]})
    assert TABLE[dog.word].name == "dog"


def test_two_things_are_two():
    assert len(things({DOG: [square(0, 0)], CAT: [square(4, 4)]})) == 2


def test_what_is_not_sure_is_said_with_a_perhaps_unless_something_is():
    [doubted] = things({DOG: [square(0, 0, sure=0.4)]})
    assert doubted.sure < 0.5
    [plain] = things({DOG: [square(0, 0, sure=0.4)], CAT: [square(4, 4)]})
    assert TABLE[plain.word].name == "cat"


def test_nothing_drawn_on_a_drawn_ground_is_nothing():
    assert things({}) == []


def test_heads_say_something_of_every_cell_and_frame():
    heads = Heads(8, NAMES, trunk=12)
    cells = FRAMES * GRID * GRID
    found = heads(torch.randn(cells, 8), torch.randn(cells, 12))
    assert found.names.shape == (cells, len(NAMES) + 1)
    assert found.middles.shape == (cells,)
    assert len(found.drawn) == FRAMES


def in_turn(*frames):
    """One frame of each of four clips."""
    cells = GRID * GRID
    parts = [[f[part].view(FRAMES, cells, -1)[n] for n, f in enumerate(frames)] for part in (0, 3)]
    names, middles = (torch.cat(part) for part in parts)
    return frames[-1]._replace(names=names, middles=middles[:, 0])


def moving(*columns, movement=4, row=2, size=3):
    """A dog whose left edge is in one column after the other."""
    frames = [said({DOG: [square(row, c, size)]}, movement=movement) for c in columns]
    [dog] = drawn_things(in_turn(*frames), TABLE, NAMES)
    return dog.movement


def test_what_has_come_far_moves_though_its_cells_say_that_it_stays():
    assert moving(0, 1, 2, 3) == 1
    assert moving(3, 2, 1, 0) == 0


def test_what_has_not_come_far_moves_only_if_its_cells_are_sure_of_it():
    assert moving(2, 2, 2, 2) is None
    assert moving(2, 3, 2, 2) is None
    assert moving(2, 2, 2, 3, movement=1) == 1


def test_a_cell_taken_for_a_thing_that_is_not_there_yet_does_not_move_it():
    first, rest = said({DOG: [square(0, 6, size=1)]}), said({DOG: [square(2, 1, size=3)]})
    [dog] = drawn_things(in_turn(first, rest, rest, rest), TABLE, NAMES)
    assert (dog.count, dog.movement) == (1, None)


def test_things_that_touch_are_as_many_as_their_middles():
    [dogs] = things({DOG: [square(0, 0), square(0, 2), square(0, 4), square(2, 0)]})
    assert dogs.count == 4


def test_a_thing_is_one_wherever_its_cells_are():
    star = [(row, row, 0.9) for row in (1, 2, 3, 5)]
    [star] = things({NAMES.index("star"): [star]}, movement=1)
    assert (star.count, star.movement) == (1, 1)


def test_a_middle_on_the_edge_of_two_cells_is_one():
    one = said({DOG: [square(2, 2)]})
    middles = torch.zeros(FRAMES, GRID, GRID)
    middles[:, 3, 2:4] = 0.45
    [dog] = drawn_things(one._replace(middles=middles.flatten()), TABLE, NAMES)
    assert dog.count == 1


def test_all_cells_of_a_thing_name_it_together():
    some, other = square(2, 2, size=3)[:5], square(2, 2, size=3)[5:]
    one = said({DOG: [square(2, 2, size=3)]})
    names = one.names.view(FRAMES, GRID, GRID, -1)
    for row, column, _ in other:
        names[:, row, column] = 0.0
        names[:, row, column, CAT] = 1.0
    [dog] = drawn_things(one, TABLE, NAMES)
    assert len(some) > len(other)
    assert (TABLE[dog.word].name, dog.count) == ("dog", 1)
    assert dog.sure < 0.6, "they did not agree"
