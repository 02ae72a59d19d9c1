"""Writes a trained network as the released checkpoints are laid out, for `--model FOLDER`.

Adapters are merged into the layers that they stand beside.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from model.zoo.weights import INDEX, Network, read_json
from training.adapters import Adapted
from training.finetune.recipe import Recipe

LARGEST_FILE = 4 << 30
"""Bytes of a weight file, as transformers cuts them."""


def write_released(base: Path, network: Network, recipe: Recipe, folder: Path) -> None:
    """Write `network` into `folder`, with the small files of the checkpoint it began as.

    Args:
        base: Folder of that checkpoint.
        network: Trained; adapters in it are merged.
        recipe: What it was trained by.
        folder: Written beside and moved into place once it is whole.
    """
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file in base.iterdir():
        if file.is_file() and file.suffix != ".safetensors" and file.name != INDEX:
            shutil.copy2(file, partial / file.name)
    described = dict(read_json(base / "config.json"))
    if recipe.vision_tower:
        described["mm_vision_tower"] = recipe.vision_tower
    (partial / "config.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    merge_adapters(network.decoder)
    dtype = torch.float32 if recipe.precision == "float32" else torch.bfloat16
    tensors = {
        name: getattr(module, attribute).detach().to("cpu", dtype).contiguous()
        for name, (module, attribute) in network.slots().items()
    }
    if network.config.language.tied_embeddings:
        tensors.pop("lm_head.weight", None)
    _write_files(partial, tensors)
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)


def merge_adapters(module: nn.Module) -> None:
    """Put every adapter of `module` into the layer that it stands beside."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Adapted):
                with torch.no_grad():
                    child.fixed.weight += child.up @ child.down
                setattr(parent, name, child.fixed)


def _write_files(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    files: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in sorted(tensors.items()):
        if size and size + tensor.nbytes > LARGEST_FILE:
            files.append({})
            size = 0
        files[-1][name] = tensor
        size += tensor.nbytes
    places: dict[str, str] = {}
    for number, part in enumerate(files, start=1):
        file = f"model-{number:05}-of-{len(files):05}.safetensors"
        save_file(part, folder / file, metadata={"format": "pt"})
        places |= dict.fromkeys(part, file)
    total = sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
