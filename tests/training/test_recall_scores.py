"""What a recall exam comes to."""

import pytest

from training.exams.recall.exam import Case, Outcome
from training.exams.recall.scores import MARKS, Sitting, as_dict, marks, tables, targets

AGES = (30.0, 300.0, 80_000.0)


def outcome(kind, age, right, found=None):
    moment = None if kind == "never" else (0.0, 1.0)
    return Outcome(Case(kind, age, "?", str, moment), "", right, found, 0.5)


def sitting(way, *outcomes, reach=1e6):
    return Sitting(way, outcomes, 3, reach)


def test_evidence_is_counted_against_answers():
    told = [outcome("what", 30, right, found) for right in (True, False) for found in (True, False)]
    told.append(outcome("never", 30, right=True))
    assert marks(told) == dict.fromkeys(MARKS, 1)


def test_what_a_day_leaves_is_asked_of_what_was_shown_and_whether_it_was_there():
    fold = sitting(
        "fold",
        *(outcome("what", age, right) for age in (300, 80_100) for right in (True, True)),
        outcome("ever", 300, right=True),
        outcome("ever", 79_900, right=False),
        outcome("where", 300, right=False),
    )
    assert targets([fold], AGES) == {"fold": {"of 5 minutes after a day": pytest.approx(0.67)}}


def test_the_control_counts_beyond_its_reach_alone():
    fold = sitting("fold", *(outcome("ever", 80_000, right=True) for _ in range(3)))
    newest = sitting(
        "first in, first out",
        outcome("ever", 30, right=True),
        *(outcome("ever", 80_000, right) for right in (True, False, False)),
        reach=600.0,
    )
    found = targets([fold, newest], AGES)["fold"]
    assert found["times first in, first out beyond its reach"] == pytest.approx(3.0, abs=0.01)


def test_the_tables_say_how_many_of_how_many():
    fold = sitting("fold", outcome("ever", 30, right=True), outcome("ever", 300, right=False))
    told = tables([fold], AGES)
    assert "| fold | 1 of 1 | 0 of 1 |  | 1 of 2 | 500 | 0 | 0 | 0 | 0 |" in told
    assert "| ever | 1 of 1 | 0 of 1 |  | 1 of 2 |" in told
    assert as_dict(fold, AGES)["kinds"] == {"ever": {"30": 1.0, "300": 0.0, "80000": None}}
