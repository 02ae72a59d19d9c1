"""Networks by name: `lite`, `tiny`, the released checkpoints, or a folder that holds one."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from model.config import DropoutConfig, RopeScaling, VisionConfig
from model.engine.local import LocalEngine
from model.errors import ModelUnavailable
from model.language.prompt import FLASH, Prompt
from model.parts import ModelParts
from model.types import Clip
from model.video_chat import MAX_QUESTION_TOKENS, VideoChat
from model.vision.preprocess import normalise, squares
from model.zoo.as_released import Published, departures, run_as_released
from model.zoo.device import bound_kernels, pick_device, pick_dtype
from model.zoo.fingerprint import fingerprint
from model.zoo.lite import lite
from model.zoo.lite_base import DEFAULT_CACHE
from model.zoo.pretrained import Pretrained, open_pretrained
from model.zoo.released import TOWERS
from model.zoo.tiny import tiny

log = logging.getLogger(__name__)

_OURS = ("lite", "tiny")


def load_parts(
    name: str,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
    towers: Mapping[str, VisionConfig] = TOWERS,
    as_released: bool = False,
    cache: Path = DEFAULT_CACHE,
    progress: Callable[[str], None] = lambda _: None,
) -> ModelParts:
    """Return the network called `name`.

    Args:
        name: `lite`, `tiny`, one of `RELEASED`, a hub id, or a folder with a released checkpoint.
        device: Where it runs; None is a graphics card if there is one.
        dtype: Numbers of the language model; None is what is faster there.
        towers: The video encoders that a checkpoint may name.
        as_released: Whether a checkpoint is run as its own files say: dropout inside the language
            model, and how words are chosen. Else as the paper says, and greedily.
        cache: Where converted weights are kept.
        progress: Told in words what is being done.

    Raises:
        ModelUnavailable: If the weights of `lite`, published or our own, are not here; if a
            checkpoint cannot be fetched, a file of it is not what it says it is, its tensors do not
            fit, or it is a network that this code does not build; if it has no authors but us and
            is to be run as released.
    """
    if as_released and name in _OURS:
        raise ModelUnavailable(
            f"{name} is not a released checkpoint, it cannot be run as released: choose another model"
        )
    if name == "tiny":
        return tiny()
    device = device or pick_device()
    dtype = dtype or pick_dtype(device)
    if name == "lite":
        return lite(device, dtype, progress, cache=cache)
    progress(f"loading {name}")
    parts = _flash(open_pretrained(name, device=device, dtype=dtype, towers=towers), dtype)
    return _as_released(parts) if as_released else parts


def load_engine(
    name: str,
    *,
    history_bytes: int | None = None,
    budget: int | None = 1024,
    as_released: bool = False,
    stretch: float = 1.0,
    drops: bool = True,
    question_tokens: int = MAX_QUESTION_TOKENS,
    cache: Path = DEFAULT_CACHE,
    progress: Callable[[str], None] = lambda _: None,
) -> LocalEngine:
    """Return an engine that runs the network called `name`. Blocks while it is loaded.

    Args:
        name: See `load_parts`, whose errors this raises.
        history_bytes: Memory for the histories of streams, in bytes; None leaves it to us.
        budget: Visual tokens that a question selects at most, so that its cost has a bound;
            None keeps the published share of however many there are. Not used as released.
        as_released: See `load_parts`.
        stretch: How many times further than it was trained to the positions of the language model
            are made to reach, by YaRN.
        drops: Whether visual tokens are dropped inside the language model at all.
        question_tokens: Of a question with its conversation, at most.
        cache: See `load_parts`.
        progress: Told in words what is being done.
    """
    bound_kernels()
    parts = load_parts(name, as_released=as_released, cache=cache, progress=progress)
    if not as_released:
        dropout = parts.config.dropout.with_budget(budget)
        parts = replace(parts, config=replace(parts.config, dropout=dropout))
    if stretch > 1:
        parts = stretched(parts, stretch)
    if parts.published is not None:
        for departure in departures(parts.published, parts.config, parts.sampling):
            log.warning("%s: %s", parts.name, departure)
    chat = VideoChat(parts, None if drops else DropoutConfig(), question_tokens)
    return LocalEngine(chat, history_bytes=history_bytes or _memory_for_histories())


def stretched(parts: ModelParts, factor: float) -> ModelParts:
    """Return `parts` with positions that reach `factor` times further (YaRN).

    Raises:
        ModelUnavailable: If they are stretched already.
    """
    language = parts.config.language
    if language.rope_scaling is not None:
        raise ModelUnavailable(
            f"config.json of {parts.name} stretches positions {language.rope_scaling.factor:g} times "
            "already, they cannot be stretched again"
        )
    language = replace(language, rope_scaling=RopeScaling(factor, language.max_positions))
    parts.decoder.config = language
    return replace(parts, config=replace(parts.config, language=language))


def _as_released(parts: ModelParts) -> ModelParts:
    assert parts.published is not None
    config = run_as_released(parts.config, parts.published)
    return replace(parts, config=config, sampling=parts.published.generation.sampling)


def _memory_for_histories() -> int:
    """Return half of what the graphics card has left, or two gibibytes."""
    if pick_device().type != "cuda":
        return 2 << 30
    free, _ = torch.cuda.mem_get_info()
    return free // 2


def _flash(checkpoint: Pretrained, dtype: torch.dtype) -> ModelParts:
    network = checkpoint.network

    def encode(clips: Sequence[Clip]) -> Float[Tensor, "clips tokens features"]:
        device = network.decoder.lm_head.weight.device
        frames = squares(clips, network.config.vision.image_size, device)
        features: Tensor = network.vision(normalise(frames, network.config.vision, dtype))
        return features

    where = Path(checkpoint.name)
    return ModelParts(
        name=where.name if where.is_dir() else checkpoint.name,
        encoder_name=f"umt-l/{fingerprint(network.vision.state_dict())}",
        config=network.config,
        encoder=encode,
        projector=network.projector,
        decoder=network.decoder,
        prompt=Prompt(checkpoint.tokenizer, FLASH),
        ends=frozenset(checkpoint.generation.ends),
        published=Published(checkpoint.description, checkpoint.generation),
    )
