"""The checkpoints that VideoChat-Flash's authors published, and how they describe themselves.

A checkpoint says what it is in its `config.json`; `from_hub_dict` reads that and refuses whatever
this code would get wrong, rather than answering from a network that is not theirs.

Source: https://huggingface.co/OpenGVLab (`config.json` of each model) and the paper
(https://arxiv.org/abs/2501.00574).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from model.config import FlashConfig, LanguageConfig, RopeScaling, VisionConfig

Value = TypeVar("Value")


class UnsupportedCheckpoint(Exception):
    """A checkpoint describes a network that this code does not build."""


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
_QWEN2_5_7B_1M = replace(_QWEN2_7B, rope_theta=10_000_000.0, rms_eps=1e-5, max_positions=1_010_000)
_UMT_224, _UMT_448 = VisionConfig(image_size=224), VisionConfig(image_size=448)

TOWERS: Mapping[str, VisionConfig] = {"umt-large": _UMT_224, "umt-hd-large": _UMT_448}
"""Video encoders by the name that a `config.json` gives them."""

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
        UnsupportedCheckpoint: If a field is missing or of the wrong type, or asks for something
            that this code does not do; the message names the field.
    """
    _expect(values, "mm_projector_type", "tome16_mlp_hd64")
    _expect(values, "hidden_act", "silu")
    _expect(values, "mm_vision_select_layer", -2)
    _expect(values, "mm_local_num_frames", 4)
    if values.get("use_sliding_window"):
        raise UnsupportedCheckpoint(
            "config.json asks for sliding-window attention, which is not supported"
        )
    tower = _get(values, "mm_vision_tower", str)
    if tower not in towers:
        raise UnsupportedCheckpoint(
            f"config.json names the vision tower {tower!r}; supported are {', '.join(towers)}"
        )
    _expect(values, "mm_hidden_size", towers[tower].width)
    try:
        return FlashConfig(vision=towers[tower], language=_language(values))
    except ValueError as error:
        raise UnsupportedCheckpoint(f"config.json contradicts itself: {error}") from error


def _language(values: Mapping[str, Any]) -> LanguageConfig:
    hidden, heads = _get(values, "hidden_size", int), _get(values, "num_attention_heads", int)
    if heads < 1 or hidden % heads:
        raise UnsupportedCheckpoint(
            f"config.json cannot split hidden_size {hidden} over {heads} heads"
        )
    return LanguageConfig(
        hidden=hidden,
        layers=_get(values, "num_hidden_layers", int),
        heads=heads,
        kv_heads=_get(values, "num_key_value_heads", int),
        head_dim=hidden // heads,
        intermediate=_get(values, "intermediate_size", int),
        vocab=_get(values, "vocab_size", int),
        rope_theta=float(_get(values, "rope_theta", (int, float))),
        rms_eps=float(_get(values, "rms_norm_eps", (int, float))),
        tied_embeddings=_get({"tie_word_embeddings": False, **values}, "tie_word_embeddings", bool),
        max_positions=_get(values, "max_position_embeddings", int),
        rope_scaling=_rope_scaling(values.get("rope_scaling")),
    )


def _rope_scaling(values: Mapping[str, Any] | None) -> RopeScaling | None:
    if values is None:
        return None
    kind = values.get("rope_type", values.get("type"))
    if kind != "yarn":
        raise UnsupportedCheckpoint(
            f"config.json scales rotary positions by {kind!r}; only 'yarn' is supported"
        )
    known = {"type", "rope_type", "factor", "original_max_position_embeddings"}
    if extra := sorted(set(values) - known):
        raise UnsupportedCheckpoint(
            f"config.json tunes YaRN with {', '.join(extra)}, which is not supported"
        )
    return RopeScaling(
        factor=float(_get(values, "factor", (int, float))),
        original_positions=_get(values, "original_max_position_embeddings", int),
    )


def _get(
    values: Mapping[str, Any], name: str, kind: type[Value] | tuple[type[Value], ...]
) -> Value:
    if name not in values:
        raise UnsupportedCheckpoint(f"config.json lacks {name!r}")
    value = values[name]
    # bool is an int to Python, never to a configuration.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise UnsupportedCheckpoint(f"config.json has {name!r} = {value!r}, of the wrong type")
    return value


def _expect(values: Mapping[str, Any], name: str, only: object) -> None:
    if (value := values.get(name)) != only:
        raise UnsupportedCheckpoint(
            f"config.json has {name!r} = {value!r}; only {only!r} is supported"
        )
