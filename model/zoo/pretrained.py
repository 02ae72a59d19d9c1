"""A released checkpoint as a whole: the network, its tokenizer, and when an answer is over.

Source: the files that transformers writes beside the weights
(https://huggingface.co/docs/transformers/main_classes/text_generation).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from model.config import VisionConfig
from model.errors import ModelUnavailable
from model.language.tokenizer import HubTokenizer
from model.types import GREEDY, Sampling
from model.zoo.as_released import GenerationSettings, not_followed
from model.zoo.hub import locate
from model.zoo.released import TOWERS, from_hub_dict
from model.zoo.weights import Network, load, read_json


@dataclass(frozen=True, slots=True, eq=False)
class Pretrained:
    """Everything a checkpoint folder holds, ready to answer.

    Attributes:
        name: The name it was asked for by.
        network: With its weights, on its device.
        tokenizer: Between text and token numbers.
        generation: How to write.
        description: Its `config.json`.
    """

    name: str
    network: Network
    tokenizer: HubTokenizer
    generation: GenerationSettings
    description: Mapping[str, Any]


def open_pretrained(
    name: str,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.bfloat16,
    offline: bool = False,
    towers: Mapping[str, VisionConfig] = TOWERS,
) -> Pretrained:
    """Return the checkpoint called `name`: a folder, a hub id, or a released model's name.

    Args:
        name: As `model.zoo.hub.locate` takes it.
        device: Where the weights go.
        dtype: Into what they are converted on the way.
        offline: Use only what was fetched before.
        towers: The video encoders that `config.json` may name.

    Raises:
        ModelUnavailable: If it is not on this machine and cannot be fetched, or a file is missing,
            cut short or not what it says it is; if it describes a network that this code does not
            build; if tensors are missing, unexpected or of another shape: all are named.
    """
    # The small files first: a network that is not built here should not cost 17 GB to find out,
    # nor a broken file the minutes that the weights take.
    folder = locate(name, offline=offline, weights=False)
    description = read_json(folder / "config.json")
    config = from_hub_dict(description, towers)
    tokenizer, generation = read_tokenizer(folder), read_generation(folder)
    if unknown := [end for end in generation.ends if end >= config.language.vocab]:
        raise ModelUnavailable(
            f"generation_config.json in {folder} ends answers by token {unknown[0]}; config.json has "
            f"{config.language.vocab} tokens"
        )
    folder = locate(name, offline=offline, revision=folder.name)
    network = load(folder, device=device, dtype=dtype, towers=towers)
    return Pretrained(name, network, tokenizer, generation, description)


def read_tokenizer(folder: Path) -> HubTokenizer:
    """Return the tokenizer in `folder`; nothing is fetched and no code of the folder runs.

    Raises:
        ModelUnavailable: If there is none, or it cannot be read.
    """
    path = folder / "tokenizer.json"
    with TemporaryDirectory() as scratch:
        if not path.is_file():
            path = _converted(folder, Path(scratch))
        try:
            return HubTokenizer(path)
        except ModelUnavailable as error:
            raise ModelUnavailable(f"the tokenizer in {folder} cannot be read: {error}") from error


def _converted(folder: Path, scratch: Path) -> Path:
    """Write into `scratch` the tokenizer of a checkpoint that has it in Qwen2's older, separate files.

    Raises:
        ModelUnavailable: If one of them is missing or cannot be read.
    """
    wanted = ("vocab.json", "merges.txt", "tokenizer_config.json")
    if absent := [name for name in wanted if not (folder / name).is_file()]:
        raise ModelUnavailable(f"{folder} lacks tokenizer.json, and {', '.join(absent)} as well")
    _check_merges(folder)
    # Costs seconds to import, which whoever has the newer file should not pay.
    from transformers import Qwen2Tokenizer

    try:
        tokenizer = Qwen2Tokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(f"the tokenizer in {folder} cannot be read") from error
    path = scratch / "tokenizer.json"
    tokenizer.backend_tokenizer.save(str(path))
    return path


def _check_merges(folder: Path) -> None:
    # The library meets a broken file with a bare Exception, which is not ours to catch.
    vocab = read_json(folder / "vocab.json")
    lines = (folder / "merges.txt").read_text(encoding="utf-8", errors="replace").split("\n")
    for number, line in enumerate(lines, start=1):
        parts = line.split(" ")
        if (
            line
            and not line.startswith("#version")
            and not (len(parts) == 2 and {*parts, "".join(parts)} <= vocab.keys())
        ):
            raise ModelUnavailable(
                f"line {number} of merges.txt in {folder} is not a merge of its vocabulary"
            )


def read_generation(folder: Path) -> GenerationSettings:
    """Return the generation settings in `folder`; what they leave out is as in transformers.

    Raises:
        ModelUnavailable: If nothing says which token ends an answer, or a value cannot be used.
    """
    settings = folder / "generation_config.json"
    values = read_json(settings if settings.is_file() else folder / "config.json")
    ends = values.get("eos_token_id")
    ends = ends if isinstance(ends, list) else [ends]
    if not ends or not all(type(end) is int and end >= 0 for end in ends):
        raise ModelUnavailable(f"nothing in {folder} says which token ends an answer")
    if not settings.is_file():
        return GenerationSettings(tuple(ends), GREEDY, {})
    return GenerationSettings(tuple(ends), _sampling(values, folder), not_followed(values))


def _sampling(values: Mapping[str, Any], folder: Path) -> Sampling:
    """Return how `values` have tokens chosen.

    Raises:
        ModelUnavailable: If a value is not a number, or out of its range.
    """
    sampled = values.get("do_sample") or False
    if not isinstance(sampled, bool):
        raise ModelUnavailable(f"generation_config.json in {folder} has do_sample = {sampled!r}")
    try:
        return Sampling(
            temperature=_number(values, "temperature", 1.0, folder) if sampled else 0.0,
            top_p=_number(values, "top_p", 1.0, folder) if sampled else 1.0,
            # transformers samples from 50 if nothing is said.
            top_k=_whole(values, "top_k", 50.0, folder) if sampled else 0,
            repetition_penalty=_number(values, "repetition_penalty", 1.0, folder),
        )
    except ValueError as error:
        raise ModelUnavailable(f"generation_config.json in {folder}: {error}") from error


def _number(values: Mapping[str, Any], name: str, default: float, folder: Path) -> float:
    if (value := values.get(name)) is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ModelUnavailable(f"generation_config.json in {folder} has {name} = {value!r}")
    try:
        return float(value)
    except OverflowError:  # JSON has integers of any length
        raise ModelUnavailable(f"generation_config.json in {folder}: {name} is too large") from None


def _whole(values: Mapping[str, Any], name: str, default: float, folder: Path) -> int:
    value = _number(values, name, default, folder)
    if not value.is_integer():
        raise ModelUnavailable(f"generation_config.json in {folder} has {name} = {value!r}")
    return int(value)
