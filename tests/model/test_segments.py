"""The plan of segments: which layers, what is dropped before them, what depends on the question."""

import pytest

from model.config import REFERENCE_DROPOUT, DropoutConfig, DropStage
from model.segments import Plan

PAPER = Plan.of(REFERENCE_DROPOUT.clipwise(), 28, 64)


def test_stages_divide_the_layers_and_each_stands_before_its_segment():
    assert [segment.layers for segment in PAPER.segments] == [
        range(4),
        range(4, 18),
        range(18, 28),
    ]
    assert [s.stage and s.stage.kind for s in PAPER.segments] == [None, "clipwise", "attention"]


def test_what_comes_before_the_first_selection_depends_on_no_question():
    assert [segment.number for segment in PAPER.early] == [0, 1]
    assert PAPER.selection is PAPER.segments[2]
    assert [len(segment.places) for segment in PAPER.early] == [64, 48]


def test_without_a_selection_nothing_depends_on_a_question():
    plan = Plan.of(DropoutConfig((DropStage(2, 0.5, "leading"),)), 6, 8)
    assert plan.selection is None
    assert plan.early == plan.segments
    assert plan.segments[1].places == (0, 1, 2, 3)


def test_a_clip_wise_stage_chooses_among_what_those_before_it_left():
    first, second = DropStage(1, 0.75, "leading"), DropStage(2, 0.25, "clipwise")
    plan = Plan.of(DropoutConfig((first, second)), 4, 8)
    assert plan.segments[2].places == (0, 5)


@pytest.mark.parametrize(
    ("dropout", "grows"), [(REFERENCE_DROPOUT, False), (DropoutConfig(), True)]
)
def test_a_stage_that_spreads_over_the_whole_video_changes_with_every_clip(dropout, grows):
    assert Plan.of(dropout, 28, 64).grows_by_clips is grows
