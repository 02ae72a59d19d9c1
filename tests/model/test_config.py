import re

import pytest

from model.config import (
    REFERENCE_DROPOUT,
    DropoutConfig,
    DropStage,
    FlashConfig,
    LanguageConfig,
    RopeScaling,
    VisionConfig,
)
from model.language.decoder import Decoder
from model.reading import PromptReader

LANGUAGE = LanguageConfig(
    hidden=64, layers=6, heads=4, kv_heads=2, head_dim=16, intermediate=128, vocab=128
)


def test_a_clip_has_the_patches_of_its_frames():
    assert VisionConfig(image_size=224).patches == 784
    assert VisionConfig(image_size=448).patches == 3136


def test_the_last_block_is_left_out_when_the_one_before_is_selected():
    assert VisionConfig(depth=24, select_layer=-2).blocks == 23
    assert VisionConfig(depth=24, select_layer=-1).blocks == 24


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"image_size": 225}, "patch_size = 16 must divide image_size = 225"),
        ({"heads": 3}, "heads = 3 must divide width = 1024"),
        ({"select_layer": 0}, "-1 to -24; got 0"),
        ({"select_layer": -25}, "-1 to -24; got -25"),
        ({"tokens_per_clip": 785}, "784 patches cannot become 785 tokens"),
    ],
)
def test_vision_shapes_that_do_not_fit_are_refused(changes, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        VisionConfig(**changes)


def test_language_heads_share_key_value_heads_evenly():
    with pytest.raises(ValueError, match="kv_heads = 3 must divide heads = 4"):
        LanguageConfig(64, 6, heads=4, kv_heads=3, head_dim=16, intermediate=128, vocab=128)


def test_scaling_cannot_shorten_the_reach():
    with pytest.raises(ValueError, match=r"cannot stretch 32768 by 0\.5"):
        RopeScaling(factor=0.5, original_positions=32_768)


def test_a_stage_keeps_a_share_of_what_there_was_at_the_beginning():
    assert [stage.keep(192) for stage in REFERENCE_DROPOUT.stages] == [144, 48]
    assert DropStage(4, 0.75, "uniform").keep(10) == 7


def test_a_budget_bounds_the_share():
    stage = DropStage(18, 0.25, "attention", budget=1024)
    assert stage.keep(100_000) == 1024
    assert stage.keep(1000) == 250


@pytest.mark.parametrize(
    ("stage", "complaint"),
    [
        ((0, 0.5, "uniform"), "got layer 0"),
        ((4, 0.0, "uniform"), "got 0.0"),
        ((4, 1.5, "attention"), "got 1.5"),
        ((4, 0.5, "clipwise", 100), "got 100 for clipwise"),
        ((4, 0.5, "attention", 0), "got 0 for attention"),
    ],
)
def test_a_stage_that_makes_no_sense_is_refused(stage, complaint):
    with pytest.raises(ValueError, match=complaint):
        DropStage(*stage)


@pytest.mark.parametrize("kind", ["uniform", "clipwise", "attention"])
def test_a_stage_that_keeps_nothing_of_a_clip_is_refused(kind):
    nothing = DropoutConfig((DropStage(2, 0.015, kind),))
    complaint = r"keeps 0.015 of a clip's 64 tokens, which is none; the least is 0\.015625"
    with pytest.raises(ValueError, match=complaint):
        FlashConfig(VisionConfig(), LANGUAGE, nothing)
    with pytest.raises(ValueError, match=complaint):
        PromptReader(Decoder(LANGUAGE), nothing, 64)
    least = DropoutConfig((DropStage(2, 1 / 64, kind),))
    assert FlashConfig(VisionConfig(), LANGUAGE, least).dropout.stages[0].keep(64) == 1


def test_stages_go_deeper_and_keep_less():
    first, second = REFERENCE_DROPOUT.stages
    with pytest.raises(ValueError, match=r"layer 4 .* cannot follow layer 18"):
        DropoutConfig((second, first))


def test_clipwise_and_budget_change_only_their_own_stages():
    changed = REFERENCE_DROPOUT.clipwise().with_budget(1024)
    assert changed.stages == (
        DropStage(4, 0.75, "clipwise"),
        DropStage(18, 0.25, "attention", budget=1024),
    )


def test_dropping_beyond_the_last_layer_is_refused():
    with pytest.raises(ValueError, match="cannot drop at layer 18: there are 6 layers"):
        FlashConfig(VisionConfig(), LANGUAGE, REFERENCE_DROPOUT)


def test_positions_that_stand_still_are_refused():
    with pytest.raises(ValueError, match="positions must move forward"):
        FlashConfig(VisionConfig(), LANGUAGE, DropoutConfig(), visual_step=0.0)
