"""What a recall exam comes to."""

import pytest

from model.vision.vocabulary import word_table
from training.exams.recall.exam import RecallCase, RecallOutcome, cases
from training.exams.recall.scores import MARKS, Sitting, as_dict, marks, tables, targets
from training.streams.day import Day
from training.streams.world import World

AGES = (30.0, 300.0, 80_000.0)


def outcome(kind, age, right, found=None):
    moment = None if kind == "never" else (0.0, 1.0)
    return RecallOutcome(RecallCase(kind, age, "?", str, moment), "", right, found, 0.5)


def sitting(way, *outcomes, reach=1e6):
    return Sitting(way, outcomes, 3, reach)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("From 19:57:40 to 19:58:00.", True),
        ("At 71864 seconds.", True),
        ("From 19:27:40 to 19:28:00.", False),
        ("I have not seen a lobster.", False),
    ],
)
def test_when_is_judged_by_the_time_however_it_is_told(answer, right):
    table = word_table()
    likeness = [[n] for n in range(len(table.words))]
    day = Day(World(table, likeness), 86_400.0, [14_500.0], 0)
    assert day.events[0].start == 71_860
    (when,) = (case for case in cases(day) if case.kind == "when")
    assert when.right(answer) == right


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
