"""Bounds of hits and false alarms, and what is counted."""

import numpy as np
import pytest

from model.vision.vocabulary import word_table
from training.streams.world import World
from training.watches.evaluate import likeness
from training.watches.quiet import KINDS, case
from training.watches.scores import Tally, binomial_lower, poisson_upper
from training.watches.trial import event, quiet, told_of

TABLE = word_table()
WORLD = World(TABLE, likeness(TABLE))


@pytest.mark.parametrize(
    # The exact bounds of the tables: Garwood 1936; Clopper and Pearson 1934.
    ("bound", "expected"),
    [
        (poisson_upper(0, 1.0), 2.3026),
        (poisson_upper(0, 10.0), 0.23026),
        (poisson_upper(2, 1.0), 5.3223),
        (poisson_upper(0, 1.0, 0.95), 2.9957),
        (binomial_lower(10, 10), 0.7943),
        (binomial_lower(9, 10), 0.6632),
        (binomial_lower(0, 10), 0.0),
    ],
)
def test_bounds_are_the_exact_ones(bound, expected):
    assert bound == pytest.approx(expected, abs=1e-4)


def test_an_event_counts_once_and_only_while_it_lasts():
    assert told_of([3, 9, 12], first=8, end=14).delays == [1]
    assert told_of([3, 14], first=8, end=14).delays == []
    assert told_of([6], first=8, end=14).delays == []
    assert told_of([6], first=8, end=14, early=2).delays == [0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_watch_tells_its_events_and_rests_in_quiet(kind):
    random = np.random.default_rng(1)
    told = Tally()
    for _ in range(20):
        told.add(event(WORLD, random, kind))
    assert told.events == 20
    assert len(told.delays) >= 18
    assert quiet(WORLD, random, kind, hours=0.2).hours == 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_watched_for_is_not_so_in_quiet(kind):
    one = case(WORLD, np.random.default_rng(2), kind)
    assert one.quiet != one.event
