"""Close-ups are drawn from a seed, computed once, and learned from."""

from itertools import product

import numpy as np
import pytest
import torch

from model.vision.networks.closer import CLOSE, SEEN
from training.drawn.backgrounds import HELD_OUT_KINDS, TRAINING_KINDS
from training.drawn.closeups import some_close_up
from training.drawn.drawings import HELD_OUT_SET
from training.lite import closer
from training.lite.closer import CloseUps, keep_close_ups, learn_closer
from training.lite.loop import StagePlan
from training.lite.materials import TRAIN, TUNING, WIDE, Material

SPRITES = {"set": {"dog": (np.full((60, 160, 4), 255, np.uint8),)}}


def close_up(seed):
    return some_close_up(np.random.default_rng(seed), SPRITES, TRAINING_KINDS)


def test_a_close_up_follows_from_its_seed():
    (pixels, name), (again, same) = close_up(1), close_up(1)
    assert np.array_equal(pixels, again)
    assert name == same
    assert pixels.shape == (CLOSE, CLOSE, 3)


def test_some_close_ups_show_nothing():
    names = [close_up(seed)[1] for seed in range(40)]
    assert 0 < names.count(None) < 20
    assert "dog" in names


def test_nothing_is_trained_on_that_thresholds_are_chosen_on_or_that_judges():
    judges = Material("", (HELD_OUT_SET,), HELD_OUT_KINDS)
    for one, other in product((TRAIN, WIDE), (TUNING, judges)):
        assert not {s.name for s in one.sets} & {s.name for s in other.sets}
        assert not set(one.backdrops) & set(other.backdrops)


class Sees:
    """An image network that sees one number in every picture."""

    pictures = 0

    def last_stage(self, pictures):
        self.pictures += len(pictures)
        return torch.ones(len(pictures), SEEN - 1280, 5, 5)

    def head(self, coarse):
        return torch.ones(len(coarse), 1280, 5, 5)


def test_close_ups_that_were_seen_are_not_seen_again(tmp_path, monkeypatch):
    monkeypatch.setattr(closer, "SHARD", 8)
    names = ("dog", "circle", "square", "triangle", "star", "heart", "diamond")
    vision, done = Sees(), []
    first = keep_close_ups(vision, SPRITES, TRAINING_KINDS, names, range(1), tmp_path)
    assert vision.pictures == 8
    again = keep_close_ups(vision, SPRITES, TRAINING_KINDS, names, range(2), tmp_path, done.append)
    assert vision.pictures == 16
    assert torch.equal(again.names[:8], first.names)
    assert done == [8, 8]


@pytest.mark.parametrize("stopped", [None, 5])
def test_the_layer_learns_to_name_close_ups_and_goes_on_where_it_stopped(tmp_path, stopped):
    torch.manual_seed(0)
    names = ("dog", "circle", "square", "triangle", "star", "heart", "diamond")
    kinds, numbers = torch.randn(len(names), SEEN), torch.arange(64) % len(names)
    ups = CloseUps((kinds[numbers] + 0.1 * torch.randn(64, SEEN)).half(), numbers)
    real = torch.randn(4, SEEN)
    checkpoint = tmp_path / "closer.pt"
    if stopped:
        learn_closer(names, ups, ups, real, StagePlan(stopped, 2e-3, 1, checkpoint), lambda _: None)
    told = []
    learn_closer(names, ups, ups, real, StagePlan(12, 2e-3, 1, checkpoint, warm_up=1), told.append)
    assert told == [line for line in told if "drawing 1.000  shape 1.000" in line] != []
