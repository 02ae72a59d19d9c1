"""What is true of a clip, and whether what the eyes report of it is right."""

from itertools import islice

import numpy as np
import pytest
import torch

from model.types import Clip
from model.vision.things import Thing
from model.vision.vocabulary import COLOURS, word_table
from training.exams.eyes_exam import Fact, Seeing, calibration, drawn, judge, sample

TABLE = word_table()
DOG, CAT, STAR = (TABLE.number[name] for name in ("dog", "cat", "star"))
CLIP = Clip(torch.zeros(4, 8, 8, 3, dtype=torch.uint8), 0.0, 3.0)


def verdicts(*facts, seen, whole=True):
    """Return what is wrong, and what is right, of `seen`."""
    found = list(judge(Seeing(CLIP, facts, whole), seen, TABLE))
    return [{v.kind for v in found if v.right is right} for right in (False, True)]


A_DOG = Fact(frozenset(["dog", "puppy"]), 1, movement="left", place=(0.2, 0.5))


def test_everything_that_is_known_of_a_thing_is_compared():
    wrong, right = verdicts(A_DOG, seen=[Thing(DOG, movement=0, x=0.2)])
    assert not wrong
    assert right == {"main thing", "named", "count of one", "direction", "place", "what is named is there"}  # fmt: skip


@pytest.mark.parametrize(
    ("thing", "mistake"),
    [
        (Thing(DOG, movement=1, x=0.2), "direction"),
        (Thing(DOG, movement=None, x=0.2), "direction"),
        (Thing(DOG, movement=0, x=0.9), "place"),
        (Thing(DOG, movement=0, x=0.2, count=2), "count of one"),
    ],
)
def test_what_is_reported_wrongly_counts_as_wrong(thing, mistake):
    assert verdicts(A_DOG, seen=[thing])[0] == {mistake}


def test_of_a_thing_that_is_not_named_nothing_more_is_asked():
    assert verdicts(A_DOG, seen=[Thing(CAT)])[0] == {"main thing", "named", "what is named is there"}  # fmt: skip
    assert verdicts(A_DOG, seen=[Thing(DOG, sure=0.3)])[0] == {"main thing", "named"}


def test_where_a_clip_may_show_more_than_is_known_nothing_named_is_wrong():
    seen = [Thing(DOG, movement=0, x=0.2), Thing(CAT)]
    assert verdicts(A_DOG, seen=seen)[0] == {"what is named is there"}
    assert not verdicts(A_DOG, seen=seen, whole=False)[0]


def test_colours_and_several_are_compared_as_well():
    stars = Fact(frozenset(["star"]), 3, "blue")
    seen = [Thing(STAR, count=3, colour=COLOURS.index("blue"))]
    assert verdicts(stars, seen=seen)[1] >= {"colour", "count of several"}
    assert verdicts(stars, seen=[Thing(STAR, count=2)])[0] == {"colour", "count of several"}


def test_a_middle_at_the_edge_of_a_third_lies_on_either_side():
    edge = Fact(frozenset(["dog"]), place=(0.33, 0.5))
    for x in (0.2, 0.5):
        assert "place" in verdicts(edge, seen=[Thing(DOG, x=x)])[1]


def test_drawn_clips_come_with_what_is_true_of_them():
    sprite = np.full((8, 8, 4), 255, np.uint8)
    seeings = list(drawn({"some": {"dog": (sprite,)}}, 12))
    assert len(seeings) == 12
    assert all(seeing.whole and len(seeing.clip.pixels) == 4 for seeing in seeings)
    facts = [fact for seeing in seeings for fact in seeing.facts]
    assert all(fact.movement is None for fact in facts if (fact.count or 0) > 1)
    assert any(fact.movement for fact in facts)


def test_clips_of_the_sample_come_with_what_is_true_of_them():
    first, *_, cat = islice(sample(64), 4)
    assert (first.whole, first.facts[0].count) == (False, 1)
    [fact] = cat.facts
    assert cat.whole
    assert "cat" in fact.words
    assert fact.movement == "right"


@pytest.mark.parametrize(
    ("sure", "kind"),
    [
        (0.3, "said with a perhaps"),
        (0.5, "said sure, below 0.7"),
        (0.8, "said sure, below 0.9"),
        (1.0, "said sure, below 1.0"),
    ],
)
def test_whether_what_is_said_is_there_is_told_by_how_surely_it_is_said(sure, kind):
    seen = [Thing(DOG, sure), Thing(CAT, sure)]
    found = list(calibration(Seeing(CLIP, (A_DOG,), whole=True), seen, TABLE))
    assert [(v.kind, v.right) for v in found] == [(kind, True), (kind, False)]
    assert not list(calibration(Seeing(CLIP, (A_DOG,), whole=False), seen, TABLE))
