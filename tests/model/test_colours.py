import numpy as np
import pytest

from model.vision.colours import colour_of
from model.vision.vocabulary import COLOURS

SHOWN = {
    "red": (200, 30, 30), "orange": (240, 140, 20), "yellow": (240, 220, 40), "green": (40, 160, 60),
    "blue": (40, 80, 210), "purple": (130, 50, 180), "pink": (240, 130, 190), "black": (15, 15, 18),
    "white": (245, 245, 245), "brown": (120, 75, 35), "grey": (120, 122, 120),
}  # fmt: skip


@pytest.mark.parametrize("name", COLOURS)
def test_a_plain_picture_has_its_colour(name):
    pixels = np.full((20, 30, 3), SHOWN[name], np.uint8)
    assert COLOURS[colour_of(pixels)] == name


def test_only_the_middle_counts():
    pixels = np.full((40, 40, 3), SHOWN["green"], np.uint8)
    pixels[10:30, 10:30] = SHOWN["red"]
    assert COLOURS[colour_of(pixels)] == "red"


def test_what_has_many_colours_has_none():
    pixels = np.zeros((40, 40, 3), np.uint8)
    for n, colour in enumerate(list(SHOWN.values())[:4]):
        pixels[:, 10 * n : 10 * n + 10] = colour
    assert colour_of(pixels[:, ::-1]) is None


def test_a_sliver_is_no_error():
    assert colour_of(np.zeros((1, 1, 3), np.uint8)) == COLOURS.index("black")
    assert colour_of(np.zeros((0, 5, 3), np.uint8)) is None
