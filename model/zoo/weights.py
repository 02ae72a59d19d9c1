"""Reads a released checkpoint from its folder into a network, without a second copy in memory.

The network is built without memory (torch's meta device) to learn what it needs. The files are
then asked what they have; only if every name and shape agrees is anything loaded, one tensor at
a time, straight into its data type on its device.

Files from elsewhere are not trusted: safetensors only, since unpickling runs code, and nothing
outside the folder that the index might name.

Source: the released checkpoints' layout (https://huggingface.co/OpenGVLab) and safetensors
(https://github.com/huggingface/safetensors).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from model.config import FlashConfig, VisionConfig
from model.errors import ModelUnavailable
from model.language.decoder import Decoder
from model.language.projector import Projector
from model.vision.networks.umt import UmtVision
from model.zoo.released import TOWERS, from_hub_dict

INDEX, _SINGLE = "model.safetensors.index.json", "model.safetensors"
_FLOATING = {"F64", "F32", "F16", "BF16"}
"""Data types that convert to ours; others mean quantised weights, which need code of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """The three parts of a VideoChat-Flash network.

    Attributes:
        config: What it was built from.
        vision: Pixels to patch features.
        projector: Merged features to the language model's input space.
        decoder: The language model.
    """

    config: FlashConfig
    vision: UmtVision
    projector: Projector
    decoder: Decoder

    def slots(self) -> dict[str, tuple[nn.Module, str]]:
        """Return, by its published name, the module and attribute that hold each tensor."""
        places: dict[str, tuple[nn.Module, str]] = {}
        for prefix, part in (
            ("model.vision_tower.vision_tower.encoder.", self.vision),
            ("model.mm_projector.", self.projector),
            ("", self.decoder),
        ):
            for path, module in part.named_modules():
                for name, _ in module.named_parameters(recurse=False):
                    places[f"{prefix}{path}.{name}"] = (module, name)
        return places


def build(config: FlashConfig) -> Network:
    """Return the network that `config` describes, without memory: on torch's meta device."""
    with torch.device("meta"):
        return Network(
            config=config,
            vision=UmtVision(config.vision),
            projector=Projector(config.vision.width, config.language.hidden),
            decoder=Decoder(config.language),
        )


def load(
    folder: Path,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.bfloat16,
    towers: Mapping[str, VisionConfig] = TOWERS,
) -> Network:
    """Return the network of the checkpoint in `folder`, ready to answer, on `device` in `dtype`.

    Args:
        folder: Where `config.json` and the weights lie.
        device: Where the weights go.
        dtype: Into what they are converted on the way.
        towers: The video encoders that `config.json` may name.

    Raises:
        ModelUnavailable: If it describes a network that this code does not build; if a file is
            missing, cut short or not what it says it is; if tensors are missing, unexpected or of
            another shape: all are named.
    """
    network = build(from_hub_dict(read_json(folder / "config.json"), towers))
    fill(network, shards(folder), device=torch.device(device), dtype=dtype)
    return network


def shards(folder: Path) -> list[Path]:
    """Return the weight files of a checkpoint, checked to exist and to lie in `folder`.

    Raises:
        ModelUnavailable: If one is missing, outside the folder, or no safetensors.
    """
    if (folder / INDEX).is_file():
        listed = read_json(folder / INDEX).get("weight_map")
        if not isinstance(listed, dict) or not listed:
            raise ModelUnavailable(f"{INDEX} in {folder} lists no weights")
        names = sorted({str(name) for name in listed.values()})
    elif (folder / _SINGLE).is_file():
        names = [_SINGLE]
    elif pickled := sorted(folder.glob("*.bin")) + sorted(folder.glob("*.pt*")):
        raise ModelUnavailable(
            f"{folder} has its weights pickled ({pickled[0].name}); reading those would run code "
            "from the file, so only safetensors are read"
        )
    else:
        raise ModelUnavailable(f"{folder} has neither {INDEX} nor {_SINGLE}")
    for name in names:
        if PurePath(name).name != name or "\\" in name or not name.endswith(".safetensors"):
            raise ModelUnavailable(
                f"{INDEX} names {name!r}, which is not a safetensors file beside it"
            )
    if absent := [name for name in names if not (folder / name).is_file()]:
        raise ModelUnavailable(f"{folder} lacks {', '.join(absent)}; fetch the checkpoint again")
    return [folder / name for name in names]


def fill(network: Network, files: list[Path], *, device: torch.device, dtype: torch.dtype) -> None:
    """Give every parameter of `network` its tensor from `files`; nothing is read unless all fit.

    Raises:
        ModelUnavailable: If a file cannot be read, or names or shapes do not agree.
    """
    slots = network.slots()
    where = _survey(files)
    tied = network.config.language.tied_embeddings
    head, embedding = "lm_head.weight", "model.embed_tokens.weight"
    if tied:
        # Some writers store the tied output layer a second time; like transformers, we read one.
        where.pop(head, None)
        slots.pop(head, None)
    _compare({name: _shape(*slot) for name, slot in slots.items()}, where)
    for name, (module, attribute) in slots.items():
        tensor = _read(where[name].file, name, device, dtype)
        setattr(module, attribute, nn.Parameter(tensor, requires_grad=False))
    if tied:
        embed, attribute = slots[embedding]
        network.decoder.lm_head.weight = getattr(embed, attribute)


@dataclass(frozen=True, slots=True)
class _Stored:
    file: Path
    shape: tuple[int, ...]


def _survey(files: list[Path]) -> dict[str, _Stored]:
    found: dict[str, _Stored] = {}
    for file in files:
        for name, shape in _contents(file):
            if name in found:
                raise ModelUnavailable(
                    f"both {found[name].file.name} and {file.name} hold {name}; "
                    "which one counts is anyone's guess"
                )
            found[name] = _Stored(file, shape)
    return found


def _contents(file: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    try:
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118 - not a dictionary, has no __iter__
                tensor = opened.get_slice(name)
                if (dtype := tensor.get_dtype()) not in _FLOATING:
                    raise ModelUnavailable(
                        f"{file.name} holds {name} as {dtype}; quantised checkpoints cannot be read"
                    )
                yield name, tuple(tensor.get_shape())
    except (SafetensorError, OSError) as error:
        raise _unreadable(file) from error


def _read(file: Path, name: str, device: torch.device, dtype: torch.dtype) -> Tensor:
    try:
        # Opened anew for each tensor: an open file keeps every page that was read mapped, and
        # at its end the whole checkpoint would be in memory twice.
        with safe_open(file, framework="pt") as opened:
            stored: Tensor = opened.get_tensor(name)
            tensor = torch.empty(stored.shape, dtype=dtype, device=device)
            return tensor.copy_(stored)
    except (SafetensorError, OSError) as error:
        raise _unreadable(file) from error


def _compare(needed: Mapping[str, tuple[int, ...]], found: Mapping[str, _Stored]) -> None:
    missing = sorted(needed.keys() - found.keys())
    unexpected = sorted(found.keys() - needed.keys())
    misshapen = {
        name: f"{found[name].shape}, not {shape}"
        for name, shape in needed.items()
        if name in found and found[name].shape != shape
    }
    parts = [
        _listing("missing", missing),
        _listing("unexpected", unexpected),
        _listing("misshapen", [f"{name} {shapes}" for name, shapes in misshapen.items()]),
    ]
    if any(parts):
        raise ModelUnavailable(
            f"the tensors do not fit the network: {'; '.join(filter(None, parts))}"
        )


def _listing(what: str, names: list[str]) -> str:
    return f"{len(names)} {what} ({', '.join(names)})" if names else ""


def _shape(module: nn.Module, attribute: str) -> tuple[int, ...]:
    return tuple(getattr(module, attribute).shape)


def _unreadable(file: Path) -> ModelUnavailable:
    return ModelUnavailable(
        f"{file.name} cannot be read: it is cut short or no safetensors file; fetch it again"
    )


def read_json(file: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        ModelUnavailable: If there is no such file, or no object in it.
    """
    try:
        values = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ModelUnavailable(f"{file.parent} lacks {file.name}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{file.name} in {file.parent} is not readable JSON") from error
    if not isinstance(values, dict):
        raise ModelUnavailable(f"{file.name} in {file.parent} holds no JSON object")
    return values
