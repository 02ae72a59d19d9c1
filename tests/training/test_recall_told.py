"""Answers of a recall exam are kept: a run that was cut short goes on, and no day counts twice."""

import json

from training.exams.recall.exam import RecallCase, RecallOutcome
from training.exams.recall.scores import tables
from training.exams.recall.told import Read, RecallTold, save

CASES = [
    RecallCase("what", 300.0, "?", bool, (0.0, 20.0)),
    RecallCase("ever", 300.0, "?", bool, None),
]


def outcome(case, right=True):
    return RecallOutcome(case, "A dog.", right, True, 0.5)


def test_what_is_kept_is_what_was_told(tmp_path):
    told = RecallTold(tmp_path)
    told.bytes_an_hour = 5.0
    for day in (0, 1):
        for case in CASES:
            told.tell(Read(day, "fold", 3, 600.0), outcome(case, right=day == 0))
    again = RecallTold(tmp_path)
    assert again.bytes_an_hour == 5.0
    assert again.knows(1, "fold", CASES)
    [mine], [theirs] = told.sittings(["fold"]), again.sittings(["fold"])
    assert tables([mine], [300.0]) == tables([theirs], [300.0])
    assert "| fold | 2 of 4 |" in tables([theirs], [300.0])


def test_a_day_that_was_cut_short_is_asked_from_its_beginning(tmp_path):
    told = RecallTold(tmp_path)
    told.tell(Read(0, "fold", 3, 600.0), outcome(CASES[0]))
    again = RecallTold(tmp_path)
    assert not again.knows(0, "fold", CASES)
    for case in CASES:
        again.tell(Read(0, "fold", 3, 600.0), outcome(case))
    assert len(RecallTold(tmp_path).sittings(["fold"])[0].outcomes) == 2


def test_a_report_is_tables_numbers_and_a_plot(tmp_path):
    told = RecallTold(None)
    for case in CASES:
        told.tell(Read(0, "fold", 3, 600.0), outcome(case))
    save(tmp_path, "| a |\n", {"eval": "recall"}, told.sittings(["fold"]), [300.0, 3600.0])
    assert json.loads((tmp_path / "recall.json").read_text()) == {"eval": "recall"}
    assert (tmp_path / "recall.png").stat().st_size > 1000
