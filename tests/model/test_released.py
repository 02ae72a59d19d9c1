import math
import re

import pytest

from model.config import REFERENCE_DROPOUT, LanguageConfig, RopeScaling, VisionConfig
from model.errors import ModelUnavailable
from model.zoo.released import RELEASED, from_hub_dict

HUB_7B = {
    "model_type": "videochat_flash_qwen",
    "hidden_act": "silu",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "max_position_embeddings": 32768,
    "mm_hidden_size": 1024,
    "mm_local_num_frames": 4,
    "mm_projector_type": "tome16_mlp_hd64",
    "mm_vision_select_layer": -2,
    "mm_vision_tower": "umt-hd-large",
    "num_attention_heads": 28,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "rms_norm_eps": 1e-06,
    "rope_scaling": None,
    "rope_theta": 1000000.0,
    "tie_word_embeddings": False,
    "use_sliding_window": False,
    "vocab_size": 152064,
}


def test_a_released_description_gives_the_named_network():
    assert from_hub_dict(HUB_7B) == RELEASED["flash-7b"].config


def test_the_tower_says_the_image_size():
    config = from_hub_dict({**HUB_7B, "mm_vision_tower": "umt-large"})
    assert config == RELEASED["flash-7b-res224"].config
    assert config.vision.image_size == 224


def test_stretched_positions_are_read():
    yarn = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
    config = from_hub_dict({**HUB_7B, "rope_scaling": yarn})
    assert config.language.rope_scaling == RopeScaling(4.0, 32_768)


def newer(parameters):
    """Return the description as transformers 5 writes it."""
    older = {name: value for name, value in HUB_7B.items() if not name.startswith("rope_")}
    return older | {"rope_parameters": parameters}


def test_positions_are_read_where_transformers_5_writes_them():
    plain = newer({"rope_theta": 1e6, "rope_type": "default"})
    assert from_hub_dict(plain) == RELEASED["flash-7b"].config
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
    stretched = from_hub_dict(newer({"rope_theta": 1e6, **yarn})).language
    assert stretched.rope_scaling == RopeScaling(4.0, 32_768)
    assert stretched.rope_theta == 1e6


def test_what_the_published_files_say_besides_is_no_obstacle():
    besides = {
        "frame_aspect_ratio": "square",
        "vision_encode_type": "video_image",
        "mm_newline_position": "nothing",
        "mm_patch_merge_type": "spatial_nopad",
        "mm_vision_select_feature": "patch",
        "mm_use_im_start_end": False,
        "mm_llm_compress": False,
    }
    assert from_hub_dict({**HUB_7B, **besides}) == RELEASED["flash-7b"].config


def test_no_position_is_used_that_needs_dual_chunk_attention():
    said = {"max_position_embeddings": 1_010_000}
    chunked = {"dual_chunk_attention_config": {"chunk_size": 131_072, "local_size": 8192}}
    assert from_hub_dict({**HUB_7B, **said}).language.max_positions == 262_144
    assert from_hub_dict({**HUB_7B, **said, **chunked}).language.max_positions == 131_072
    assert from_hub_dict({**HUB_7B, **chunked}).language.max_positions == 32_768


@pytest.mark.parametrize("name", ["hidden_size", "vocab_size", "mm_vision_tower", "rope_theta"])
def test_a_missing_field_is_named(name):
    incomplete = {key: value for key, value in HUB_7B.items() if key != name}
    with pytest.raises(ModelUnavailable, match=f"lacks '{name}'"):
        from_hub_dict(incomplete)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"mm_vision_tower": "internvideo2"}, "vision tower 'internvideo2'; supported are umt"),
        ({"mm_projector_type": "linear"}, "'mm_projector_type' = 'linear'; only 'tome16"),
        ({"hidden_act": "relu"}, "'hidden_act' = 'relu'"),
        ({"mm_local_num_frames": 8}, "'mm_local_num_frames' = 8"),
        ({"use_sliding_window": True}, "'use_sliding_window' = True; only False"),
        ({"frame_aspect_ratio": "anyres_nopad"}, "'frame_aspect_ratio' = 'anyres_nopad'; only"),
        ({"vision_encode_type": "image"}, "'vision_encode_type' = 'image'; only 'video_image'"),
        ({"mm_newline_position": "grid"}, "'mm_newline_position' = 'grid'"),
        ({"mm_patch_merge_type": "spatial_unpad"}, "only 'spatial_nopad' or 'flat' is supported"),
        ({"mm_vision_select_feature": "cls_patch"}, "'mm_vision_select_feature' = 'cls_patch'"),
        ({"mm_use_im_start_end": True}, "'mm_use_im_start_end' = True"),
        ({"dual_chunk_attention_config": "yes"}, "'dual_chunk_attention_config' = 'yes'"),
        ({"dual_chunk_attention_config": {}}, "lacks 'chunk_size'"),
        ({"rope_parameters": [1]}, "'rope_parameters' = [1], of the wrong type"),
        ({"rope_parameters": {"rope_theta": 5.0}}, "says 'rope_theta' twice: 1000000.0, and 5.0"),
        (
            {"rope_parameters": {"rope_theta": 1e6, "rope_type": "llama3"}},
            "by 'llama3'; only 'yarn'",
        ),
        ({"rope_scaling": {"type": "linear", "factor": 2}}, "by 'linear'; only 'yarn'"),
        ({"rope_scaling": {"type": "yarn", "factor": 2.0}}, "lacks 'original_max_position"),
        (
            {
                "rope_scaling": {
                    "type": "yarn",
                    "factor": 2.0,
                    "original_max_position_embeddings": 32768,
                    "beta_fast": 16,
                }
            },
            "tunes YaRN with beta_fast",
        ),
        ({"hidden_size": "3584"}, "'hidden_size' = '3584', of the wrong type"),
        ({"hidden_size": True}, "'hidden_size' = True, of the wrong type"),
        ({"num_attention_heads": 0}, "'num_attention_heads' = 0"),
        ({"num_key_value_heads": 5}, "contradicts itself: kv_heads = 5 must divide heads = 28"),
        ({"num_hidden_layers": 12}, "contradicts itself: cannot drop at layer 18"),
    ],
)
def test_what_would_be_computed_wrongly_is_refused(changes, complaint):
    with pytest.raises(ModelUnavailable, match=re.escape(complaint)):
        from_hub_dict({**HUB_7B, **changes})


@pytest.mark.parametrize(
    ("name", "hub_id", "image_size", "language"),
    [
        (
            "flash-2b",
            "OpenGVLab/VideoChat-Flash-Qwen2_5-2B_res448",
            448,
            {"hidden": 1536, "heads": 12, "kv_heads": 2, "intermediate": 8960, "vocab": 151_936,
             "rope_theta": 1e6, "rms_eps": 1e-6, "max_positions": 32_768},
        ),
        (
            "flash-7b",
            "OpenGVLab/VideoChat-Flash-Qwen2-7B_res448",
            448,
            {"hidden": 3584, "heads": 28, "kv_heads": 4, "intermediate": 18_944, "vocab": 152_064,
             "rope_theta": 1e6, "rms_eps": 1e-6, "max_positions": 32_768},
        ),
        (
            "flash-7b-res224",
            "OpenGVLab/VideoChat-Flash-Qwen2-7B_res224",
            224,
            {"hidden": 3584, "heads": 28, "kv_heads": 4, "intermediate": 18_944, "vocab": 152_064,
             "rope_theta": 1e6, "rms_eps": 1e-6, "max_positions": 32_768},
        ),
        (
            "flash-7b-1m",
            "OpenGVLab/VideoChat-Flash-Qwen2_5-7B-1M_res224",
            224,
            {"hidden": 3584, "heads": 28, "kv_heads": 4, "intermediate": 18_944, "vocab": 152_064,
             "rope_theta": 1e7, "rms_eps": 1e-5, "max_positions": 262_144},
        ),
    ],
)  # fmt: skip
def test_every_released_model_is_known_as_it_was_published(name, hub_id, image_size, language):
    released = RELEASED[name]
    assert released.hub_id == hub_id
    assert released.config.vision == VisionConfig(image_size=image_size)
    assert released.config.language == LanguageConfig(**language, layers=28, head_dim=128)
    assert released.config.dropout == REFERENCE_DROPOUT.clipwise()
    assert released.config.visual_step == 1.0


def test_no_released_model_is_missing_from_the_list_above():
    assert set(RELEASED) == {"flash-2b", "flash-7b", "flash-7b-res224", "flash-7b-1m"}


SIZES = ("hidden_size", "intermediate_size", "vocab_size", "num_hidden_layers")
POSITIONS = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}


@pytest.mark.parametrize("value", [0, -3, 10**30])
@pytest.mark.parametrize("name", [*SIZES, "max_position_embeddings", "num_attention_heads"])
def test_a_size_that_cannot_be_is_refused_by_name(name, value):
    with pytest.raises(ModelUnavailable, match=f"'{name}' = {value}"):
        from_hub_dict({**HUB_7B, name: value})


@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf, 10**400])
@pytest.mark.parametrize("name", ["rope_theta", "rms_norm_eps"])
def test_a_number_that_cannot_be_is_refused_by_name(name, value):
    with pytest.raises(ModelUnavailable, match=f"'{name}' = "):
        from_hub_dict({**HUB_7B, name: value})


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("yarn", "'rope_scaling' = 'yarn', of the wrong type"),
        ([4.0], "of the wrong type"),
        (POSITIONS | {"factor": math.inf}, "'factor' = inf"),
        (POSITIONS | {"factor": math.nan}, "'factor' = nan"),
        (POSITIONS | {"factor": 0.5}, "cannot stretch"),
        (POSITIONS | {"original_max_position_embeddings": 0}, "cannot be"),
        (POSITIONS | {"type": "linear"}, "says twice how positions are scaled"),
        ({"rope_type": ["yarn"]}, "only 'yarn' is supported"),
        ({"rope_type": "default", "partial_rotary_factor": 0.5}, "partial_rotary_factor"),
        ({"mrope_section": [16, 24, 24]}, "mrope_section"),
        ({"full_attention": {"rope_type": "default"}}, "full_attention"),
    ],
)
def test_positions_that_are_turned_otherwise_are_refused(parameters, said):
    with pytest.raises(ModelUnavailable, match=re.escape(said)):
        from_hub_dict({**HUB_7B, "rope_scaling": parameters})
    if isinstance(parameters, dict):
        with pytest.raises(ModelUnavailable, match=re.escape(said)):
            from_hub_dict(newer({"rope_theta": 1e6, **parameters}))


def test_what_changes_no_position_is_no_obstacle():
    plain = {"rope_theta": 1e6, "rope_type": "default", "partial_rotary_factor": 1.0}
    assert from_hub_dict(newer(plain | {"factor": None})) == RELEASED["flash-7b"].config
