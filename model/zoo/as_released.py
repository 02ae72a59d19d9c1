"""What a checkpoint's own files say about running it, and where this service departs from that.

`config.json` says whether visual tokens are dropped inside the language model, and where;
`generation_config.json` says how words are chosen. By default the service does neither as they say
(docs/decisions/0013): it drops as the paper does and answers greedily. Either way nothing that they
say is passed over without a word: `departures` names it.

Source: the published files (https://huggingface.co/OpenGVLab) and transformers' generation settings
(https://huggingface.co/docs/transformers/main_classes/text_generation).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from model.config import DropKind, DropoutConfig, DropStage, FlashConfig
from model.errors import ModelUnavailable
from model.types import GREEDY, Sampling

_KINDS: Mapping[str, Sequence[DropKind]] = {
    "attention": ("attention", "attention"),
    "uniform": ("uniform", "uniform"),
    "uniform0_attention": ("uniform", "attention"),
}
"""By `llm_compress_type`: the kind of the first stage, and of those after it."""

_FOLLOWED = {"eos_token_id", "do_sample", "temperature", "top_p", "top_k", "repetition_penalty"}
_WITHOUT_EFFECT = {"bos_token_id", "pad_token_id", "transformers_version", "use_cache"}
"""Fields of `generation_config.json` that change no word of an answer here."""
_NEUTRAL: tuple[object, ...] = (None, False, 0, 1, [], {}, "")
"""Values that switch a setting of transformers' generation off."""


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How the authors mean their model to write.

    Attributes:
        ends: Tokens that end an answer.
        sampling: How a token is chosen.
        others: What else is said there and changes answers; not followed.
    """

    ends: tuple[int, ...]
    sampling: Sampling
    others: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Published:
    """What the files of a checkpoint say about running it.

    Attributes:
        config: Its `config.json`.
        generation: Its generation settings.
    """

    config: Mapping[str, Any]
    generation: GenerationSettings


def run_as_released(config: FlashConfig, published: Published) -> FlashConfig:
    """Return `config` with the dropout that the checkpoint itself asks for.

    Even spreading is done inside each clip: a history that grows cannot do it over the whole video.

    Raises:
        ModelUnavailable: If that is not followed here.
    """
    try:
        return replace(config, dropout=published_dropout(published.config).clipwise())
    except ValueError as error:
        raise ModelUnavailable(f"config.json contradicts itself: {error}") from error


def published_dropout(values: Mapping[str, Any]) -> DropoutConfig:
    """Return where a `config.json` has visual tokens dropped inside the language model.

    Raises:
        ModelUnavailable: If it says so in a way that this code does not follow.
    """
    if not values.get("mm_llm_compress"):
        return DropoutConfig()
    kind = values.get("llm_compress_type", "attention")
    layers: Any = values.get("llm_compress_layer_list")
    ratios: Any = values.get("llm_image_token_ratio_list")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ModelUnavailable(
            f"config.json drops visual tokens by {kind!r}; supported are {', '.join(_KINDS)}"
        )
    if not _all(int, layers) or not _all((int, float), ratios) or len(ratios) != len(layers) + 1:
        raise ModelUnavailable(
            f"config.json drops visual tokens at layers {layers!r} to shares {ratios!r}: one share "
            "before the first layer and one for each is expected"
        )
    if ratios[0] != 1:
        raise ModelUnavailable(
            f"config.json drops visual tokens before the first layer, to {ratios[0]!r}, which is "
            "not supported"
        )
    first, later = _KINDS[kind]
    try:
        return DropoutConfig(
            tuple(
                DropStage(layer, float(ratio), later if number else first)
                for number, (layer, ratio) in enumerate(zip(layers, ratios[1:], strict=True))
            )
        )
    except ValueError as error:
        raise ModelUnavailable(f"config.json contradicts itself: {error}") from error


def departures(published: Published, config: FlashConfig, sampling: Sampling) -> Iterator[str]:
    """Yield in words what a checkpoint says and what is done instead.

    Args:
        published: What it says.
        config: What it is run with.
        sampling: How answers are written.
    """
    values, generation = published.config, published.generation
    yield from _dropout_departs(values, config.dropout)
    if sampling == GREEDY != generation.sampling:
        yield (
            f"generation_config.json says {_in_words(generation.sampling)}; answers are greedy and "
            "without a penalty here"
        )
    for name, value in sorted(generation.others.items()):
        yield f"generation_config.json says {name} = {value!r}, which is not followed"
    said = values["max_position_embeddings"]
    if said > config.language.max_positions:
        yield (
            f"config.json says {said} positions; used are the {config.language.max_positions} that "
            "need no dual chunk attention"
        )


def not_followed(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a `generation_config.json` says that changes answers and is not followed."""
    return {
        name: value
        for name, value in values.items()
        if name not in _FOLLOWED | _WITHOUT_EFFECT
        and not name.startswith("_")
        and value not in _NEUTRAL
    }


def _dropout_departs(values: Mapping[str, Any], used: DropoutConfig) -> Iterator[str]:
    try:
        published = published_dropout(values)
    except ModelUnavailable as error:
        yield f"{error}; {_stages(used)} here"
        return
    if published.clipwise() != used:
        yield f"config.json says that {_stages(published)}; {_stages(used)} here"
    elif published != used:
        yield "evenly dropped tokens are spread inside each clip, not over the whole video"


def _stages(dropout: DropoutConfig) -> str:
    if not dropout.stages:
        return "no visual token is dropped inside the language model"
    at = ", ".join(
        f"to {stage.ratio:g} at layer {stage.layer}"
        + (f" ({stage.budget} tokens at most)" if stage.budget else "")
        for stage in dropout.stages
    )
    return f"visual tokens are dropped inside the language model, {at}"


def _in_words(sampling: Sampling) -> str:
    said = [
        f"temperature {sampling.temperature:g}" if sampling.temperature else "greedy",
        f"top_p {sampling.top_p:g}" if sampling.top_p < 1 else "",
        f"top_k {sampling.top_k}" if sampling.top_k else "",
        f"repetition penalty {sampling.repetition_penalty:g}"
        if sampling.repetition_penalty != 1
        else "",
    ]
    return ", ".join(filter(None, said))


def _all(kind: type | tuple[type, ...], values: object) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, kind) and not isinstance(value, bool) for value in values
    )
