"""What is looked at again: what the question made stand out, the rest of the history aside."""

import pytest

from model.types import Evidence
from stream.past.second_look import MOST_SECONDS, NAMED, calibrated, named


def evidence(*scores, seconds=3.0, period=4.0):
    return [Evidence(period * n, period * n + seconds, score) for n, score in enumerate(scores)]


def test_evidence_is_flat_with_age_where_every_question_looks_alike():
    leaning = evidence(0.05, 0.05, 0.1, 0.8)
    assert [one.score for one in calibrated(leaning, leaning)] == pytest.approx([0.25] * 4)


def test_what_the_question_adds_stands_out_wherever_it_is():
    found = calibrated(evidence(0.05, 0.15, 0.1, 0.7), evidence(0.05, 0.05, 0.1, 0.8))
    assert max(found, key=lambda one: one.score).start == 4.0
    assert sum(one.score for one in found) == pytest.approx(1)


def test_what_an_empty_question_never_looks_at_is_not_blown_up():
    found = calibrated(evidence(0.001, 0.499, 0.5), evidence(0.0, 0.1, 0.9))
    assert max(found, key=lambda one: one.score).start == 4.0


def test_a_history_that_has_grown_between_two_glances_is_compared_as_far_as_it_goes():
    found = calibrated(evidence(0.2, 0.2, 0.6), evidence(0.5, 0.5))
    assert [one.start for one in found] == [0.0, 4.0, 8.0]


def test_nothing_is_looked_at_again_where_nothing_that_is_named_is_folded():
    assert named(evidence(*[0.1] * 10), 4.0) == []


def test_the_best_are_named_with_their_neighbours_in_order_of_time():
    blocks = evidence(*[0.01] * 20, 0.8, *[0.01] * 20, seconds=39.0, period=40.0)
    spans = named(blocks, 4.0)
    assert {(760.0, 799.0), (800.0, 839.0), (840.0, 879.0)} <= set(spans)
    assert spans == sorted(spans)
    assert len(spans) <= 3 * NAMED


def test_no_more_is_named_than_can_be_read_while_someone_waits():
    hours = evidence(*[0.05] * 20, seconds=3599.0, period=3600.0)
    assert named(hours, 4.0) == []
    minutes = evidence(*[0.05] * 40, seconds=599.0, period=600.0)
    assert 0 < sum(end - start for start, end in named(minutes, 4.0)) <= MOST_SECONDS
