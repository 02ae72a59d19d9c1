"""A filled history has the shape of one that was read, or its times would mean nothing."""

import argparse

from benchmarks.networks.question_scene import QuestionScene
from benchmarks.question import Times
from model.config import LanguageConfig

SHAPE = LanguageConfig(
    hidden=32, layers=7, heads=4, kv_heads=2, head_dim=8, intermediate=48, vocab=50
)
OPTIONS = argparse.Namespace(dtype="float32", seed=0, budget=20)


def shapes(history):
    rows = [(cache.length, cache.bytes) for cache in history._caches]
    return rows, history._positions, history._rows, [c.rows for c in history.clips], history.bytes


def test_filling_leaves_what_reading_would():
    scene = QuestionScene(SHAPE, OPTIONS)
    read = scene.history(6, read=True)
    filled = scene.history(6, read=False)
    assert shapes(read) == shapes(filled)
    assert scene.question(filled) > 0
    scene.extend(filled, 1)
    scene.extend(read, 1)
    assert shapes(read) == shapes(filled)


def test_growth_is_compared_within_each_round():
    shorter = Times(256, [1.0, 2.0, 4.0], 0.1, 1)
    longer = Times(4096, [1.5, 3.0, 6.2], 0.1, 1)
    assert longer.growth_from(shorter) == 1.5
    assert longer.history == 3.0
