"""The checkpoints that VideoChat-Flash's authors published, and how they describe themselves.

A checkpoint says what it is in its `config.json`; `from_hub_dict` reads that and refuses whatever
this code would get wrong, rather than answering from a network that is not theirs.

Source: https://huggingface.co/OpenGVLab (`config.json` of each model) and the paper
(https://arxiv.org/abs/2501.00574).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeVar

from model.config import FlashConfig, LanguageConfig, RopeScaling, VisionConfig
from model.errors import ModelUnavailable

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Released:
    """A checkpoint its authors published, and what it is known to contain."""

    hub_id: str
    config: FlashConfig


_QWEN2_5_2B = LanguageConfig(
    hidden=1536, layers=28, heads=12, kv_heads=2, head_dim=128, intermediate=8960, vocab=151_936
)
_QWEN2_7B = LanguageConfig(
    hidden=3584, layers=28, heads=28, kv_heads=4, head_dim=128, intermediate=18_944, vocab=152_064
)
# The file says 1,010,000 positions; see _TRAINED_POSITIONS.
_QWEN2_5_7B_1M = replace(_QWEN2_7B, rope_theta=10_000_000.0, rms_eps=1e-5, max_positions=262_144)
_UMT_224, _UMT_448 = VisionConfig(image_size=224), VisionConfig(image_size=448)

_TRAINED_POSITIONS = 262_144
"""The furthest that any Qwen2 was trained to; those that say more reach it by dual chunk attention,
which is not built here: up to there it is ordinary attention (https://arxiv.org/abs/2501.15383)."""

_MOST = 2**31
"""No honest number of a description is larger."""

_ROTARY = {"type", "rope_type", "rope_theta", "factor", "original_max_position_embeddings"}
"""Fields about rotary positions that are followed here, or change nothing."""

TOWERS: Mapping[str, VisionConfig] = {"umt-large": _UMT_224, "umt-hd-large": _UMT_448}
"""Video encoders by the name that a `config.json` gives them."""

_IF_GIVEN: Mapping[str, Sequence[object]] = {
    "frame_aspect_ratio": ("square",),  # anything else cuts a frame into tiles
    "vision_encode_type": ("video_image",),  # "image" encodes every frame alone
    "mm_vision_select_feature": ("patch",),
    "mm_newline_position": ("nothing",),  # others put learned tokens between the frames
    "mm_patch_merge_type": ("spatial_nopad", "flat"),
    "mm_use_im_start_end": (False,),
    "use_sliding_window": (False,),
}
"""Fields that a checkpoint may leave out, and what is built here of what they may say."""

RELEASED: Mapping[str, Released] = {
    "flash-2b": Released(
        "OpenGVLab/VideoChat-Flash-Qwen2_5-2B_res448", FlashConfig(_UMT_448, _QWEN2_5_2B)
    ),
    "flash-7b": Released(
        "OpenGVLab/VideoChat-Flash-Qwen2-7B_res448", FlashConfig(_UMT_448, _QWEN2_7B)
    ),
    "flash-7b-res224": Released(
        "OpenGVLab/VideoChat-Flash-Qwen2-7B_res224", FlashConfig(_UMT_224, _QWEN2_7B)
    ),
    "flash-7b-1m": Released(
        "OpenGVLab/VideoChat-Flash-Qwen2_5-7B-1M_res224", FlashConfig(_UMT_224, _QWEN2_5_7B_1M)
    ),
}
"""The released models by the name a user types; what a download says of itself wins."""


def from_hub_dict(
    values: Mapping[str, Any], towers: Mapping[str, VisionConfig] = TOWERS
) -> FlashConfig:
    """Read the `config.json` of a released checkpoint.

    Args:
        values: What is in it. Fields that do not change the network are passed over.
        towers: The video encoders it may name.

    Raises:
        ModelUnavailable: If a field is missing or of the wrong type, or asks for something
            that this code does not do; the message names the field.
    """
    _expect(values, "mm_projector_type", "tome16_mlp_hd64")
    _expect(values, "hidden_act", "silu")
    _expect(values, "mm_vision_select_layer", -2)
    _expect(values, "mm_local_num_frames", 4)
    for name, allowed in _IF_GIVEN.items():
        if (value := values.get(name)) is not None and value not in allowed:
            _refuse(name, value, allowed)
    tower = _get(values, "mm_vision_tower", str)
    if tower not in towers:
        raise ModelUnavailable(
            f"config.json names the vision tower {tower!r}; supported are {', '.join(towers)}"
        )
    _expect(values, "mm_hidden_size", towers[tower].width)
    try:
        return FlashConfig(vision=towers[tower], language=_language(values))
    except ValueError as error:
        raise ModelUnavailable(f"config.json contradicts itself: {error}") from error


def _language(values: Mapping[str, Any]) -> LanguageConfig:
    hidden, heads = _count(values, "hidden_size"), _count(values, "num_attention_heads")
    if hidden % heads:
        raise ModelUnavailable(f"config.json cannot split hidden_size {hidden} over {heads} heads")
    rotary = _rotary(values)
    return LanguageConfig(
        hidden=hidden,
        layers=_count(values, "num_hidden_layers"),
        heads=heads,
        kv_heads=_count(values, "num_key_value_heads"),
        head_dim=hidden // heads,
        intermediate=_count(values, "intermediate_size"),
        vocab=_count(values, "vocab_size"),
        rope_theta=_number(rotary, "rope_theta", above=1),
        rms_eps=_number(values, "rms_norm_eps", above=0),
        tied_embeddings=_get({"tie_word_embeddings": False, **values}, "tie_word_embeddings", bool),
        max_positions=_positions(values),
        rope_scaling=_rope_scaling(rotary),
    )


def _positions(values: Mapping[str, Any]) -> int:
    said = min(_count(values, "max_position_embeddings"), _TRAINED_POSITIONS)
    if (chunked := values.get("dual_chunk_attention_config")) is None:
        return said
    if not isinstance(chunked, Mapping):
        raise ModelUnavailable(
            f"config.json has 'dual_chunk_attention_config' = {chunked!r}, of the wrong type"
        )
    # Within one chunk it is ordinary attention; beyond, positions would mean something else.
    return min(said, _count(chunked, "chunk_size"))


def _rotary(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what says how positions are turned: transformers 5 keeps all of it in one place.

    Raises:
        ModelUnavailable: If two places say different things.
    """
    older = {"rope_theta": values.get("rope_theta"), **_object(values, "rope_scaling")}
    older = {name: value for name, value in older.items() if value is not None}
    newer = {n: v for n, v in _object(values, "rope_parameters").items() if v is not None}
    for name in sorted(older.keys() & newer.keys()):
        if older[name] != newer[name]:
            raise ModelUnavailable(
                f"config.json says {name!r} twice: {older[name]!r}, and {newer[name]!r} in "
                "'rope_parameters'"
            )
    return {**older, **newer}


def _object(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = {} if values.get(name) is None else values[name]
    if not isinstance(value, Mapping):
        raise ModelUnavailable(f"config.json has {name!r} = {value!r}, of the wrong type")
    return value


def _rope_scaling(values: Mapping[str, Any]) -> RopeScaling | None:
    kind = values.get("rope_type", values.get("type", "default"))
    if values.get("type", kind) != kind:
        raise ModelUnavailable(
            f"config.json says twice how positions are scaled: {values['type']!r}, and {kind!r}"
        )
    if kind not in ("default", "yarn"):
        raise ModelUnavailable(
            f"config.json scales rotary positions by {kind!r}; only 'yarn' is supported"
        )
    what = "YaRN" if kind == "yarn" else "rotary positions"
    whole = values.get("partial_rotary_factor") == 1
    if extra := sorted(set(values) - _ROTARY - ({"partial_rotary_factor"} if whole else set())):
        raise ModelUnavailable(
            f"config.json tunes {what} with {', '.join(extra)}, which is not supported"
        )
    if kind == "default":
        return None
    return RopeScaling(
        factor=_number(values, "factor", above=0),
        original_positions=_count(values, "original_max_position_embeddings"),
    )


def _get(
    values: Mapping[str, Any], name: str, kind: type[_Value] | tuple[type[_Value], ...]
) -> _Value:
    if name not in values:
        raise ModelUnavailable(f"config.json lacks {name!r}")
    value = values[name]
    # bool is an int to Python, never to a configuration.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ModelUnavailable(f"config.json has {name!r} = {value!r}, of the wrong type")
    return value


def _count(values: Mapping[str, Any], name: str) -> int:
    value = _get(values, name, int)
    if not 1 <= value <= _MOST:
        raise ModelUnavailable(f"config.json has {name!r} = {value}, which cannot be")
    return value


def _number(values: Mapping[str, Any], name: str, *, above: float) -> float:
    value = _get(values, name, (int, float))
    if not above < value <= _MOST:
        raise ModelUnavailable(f"config.json has {name!r} = {value!r}, which cannot be")
    return float(value)


def _expect(values: Mapping[str, Any], name: str, only: object) -> None:
    if (value := values.get(name)) != only:
        _refuse(name, value, (only,))


def _refuse(name: str, value: object, allowed: Sequence[object]) -> NoReturn:
    supported = " or ".join(repr(one) for one in allowed)
    raise ModelUnavailable(f"config.json has {name!r} = {value!r}; only {supported} is supported")
