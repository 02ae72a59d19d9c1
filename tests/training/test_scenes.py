"""Scenes are decided by their seed, and what is said of them is what is drawn."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from training.drawn.backgrounds import HELD_OUT_KINDS, TRAINING_KINDS, background
from training.drawn.scenes import (
    COLOURS,
    SHAPES,
    DrawnScene,
    DrawnThing,
    Placement,
    draw_scene,
    draw_shape,
    plan_scene,
)
from training.drawn.takes import Take, cells, see


def drawing(colour):
    picture = Image.new("RGBA", (160, 120), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((0, 0, 159, 119), (*colour, 255))
    return np.asarray(picture)


@pytest.fixture(scope="module")
def sprites():
    one, two = drawing((200, 40, 40)), drawing((40, 40, 200))
    return {"first": {"dog": (one, two), "cat": (two,)}, "second": {"dog": (two,), "owl": (one,)}}


def test_a_seed_gives_the_same_scene_and_the_same_pictures(sprites):
    scene = plan_scene(5, sprites)
    assert scene == plan_scene(5, sprites)
    for once, again in zip(draw_scene(scene, sprites), draw_scene(scene, sprites), strict=True):
        assert np.array_equal(once, again)
    assert plan_scene(6, sprites) != scene


def test_every_kind_of_scene_is_planned(sprites):
    scenes = [plan_scene(seed, sprites) for seed in range(60)]
    assert {scene.kind for scene in scenes} == {"path", "some", "count"}
    assert {len(scene.pictures) for scene in scenes if scene.kind == "path"} == {5}


def test_measuring_uses_backgrounds_that_training_does_not(sprites):
    assert not set(TRAINING_KINDS) & set(HELD_OUT_KINDS)
    assert {plan_scene(s, sprites, HELD_OUT_KINDS).backdrop for s in range(40)} <= set(
        HELD_OUT_KINDS
    )
    assert {plan_scene(s, sprites).backdrop for s in range(40)} <= set(TRAINING_KINDS)


@pytest.mark.parametrize("kind", [*TRAINING_KINDS, *HELD_OUT_KINDS])
def test_a_background_leaves_a_shape_of_the_avoided_colour_visible(kind):
    for seed in range(5):
        picture = background(kind, seed, 40, 60, avoid=COLOURS["red"])
        assert picture.shape == (40, 60, 3)
        assert np.abs(picture.mean((0, 1)) - COLOURS["red"]).sum() > 60


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_drawn_in_its_colour(shape):
    pixels = np.asarray(draw_shape(shape, COLOURS["blue"]))
    solid = pixels[pixels[..., 3] == 255]
    assert len(solid) > 0.2 * 160 * 160
    assert np.abs(solid[:, :3].mean(0) - COLOURS["blue"]).max() < 2


@pytest.mark.parametrize(("order", "movement"), [((1, 2, 3, 4), "first"), ((4, 3, 2, 1), "back")])
def test_a_path_walked_backwards_is_the_opposite_movement(sprites, order, movement):
    opposite = {"left": "right", "right": "left", "up": "down", "down": "up"}
    scenes = [plan_scene(seed, sprites, kind="path") for seed in range(30)]
    for scene in scenes:
        there = see(scene, Take(0, (1, 2, 3, 4)))[0].movement
        seen = see(scene, Take(0, order))[0].movement
        assert seen == (there if movement == "first" else opposite[there])


def one_thing(x, y):
    thing = DrawnThing("circle", "red")
    places = ((), (Placement(0, x, y, 0.3),), (Placement(0, x, y, 0.3),))
    return DrawnScene("count", "plain", 3, 1.0, (thing,), places)


def test_what_comes_appears_and_what_goes_disappears():
    scene = one_thing(0.5, 0.5)
    assert see(scene, Take(0, (0, 0, 1, 2)))[0].change == "appears"
    assert see(scene, Take(0, (1, 2, 0, 0)))[0].change == "disappears"
    assert see(scene, Take(0, (1, 2, 1, 2)))[0].change is None
    assert see(scene, Take(0, (0, 0, 0, 0))) == []


def test_the_cells_of_a_thing_are_where_it_is_drawn():
    scene = one_thing(0.2, 0.8)
    covered = cells(scene, Take(0, (0, 1, 1, 1)), {}).reshape(4, 7, 7)
    assert (covered[0] == -1).all()
    drawn = draw_scene(scene, {})[1].astype(int)
    red = (drawn[..., 0] - drawn[..., 1] > 120).reshape(7, 32, 7, 32).mean((1, 3))
    assert (covered[1][red > 0.5] == 0).all()
    assert (covered[1][red == 0] == -1).mean() > 0.9
