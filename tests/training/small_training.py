"""A checkpoint in the released layout with every size shrunk, and data to train it on."""

import json
from dataclasses import replace

import torch
from PIL import Image
from safetensors.torch import load_file

from model.config import VisionConfig
from model.zoo.released import from_hub_dict
from model.zoo.weights import build
from tests.model.released_layout import hub_config, write_shards, write_tokenizer
from tests.stream.videos import write_video
from training.finetune.processes import Processes
from training.finetune.recipe import read_recipe

TOWER = VisionConfig(image_size=32, width=32, heads=16, depth=3, tokens_per_clip=4)
SMALL = {"umt-small": TOWER, "umt-hd-small": replace(TOWER, image_size=64)}
ALONE = Processes(0, 1, torch.device("cpu"))


def said(question, answer):
    return [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]


def write_data(folder):
    """Write a data list with a picture, two pictures, films, text, and what cannot be used."""
    folder.mkdir(exist_ok=True)
    for name, colour in (("a.png", (200, 30, 30)), ("b.png", (30, 30, 200))):
        Image.new("RGB", (40, 30), colour).save(folder / name)
    write_video(folder / "f.mp4", seconds=9, rate=4)
    (folder / "broken.mp4").write_text("no film")
    (folder / "images.json").write_text(json.dumps([
        {"image": "a.png", "conversations": said("<image>\nWhat is it?", "Red.")},
        {"image": ["a.png", "b.png"], "conversations": said("<image> or <image>?", "Both.")},
        {"image": "a.png", "conversations": [{"from": "gpt", "value": "Nobody asked."}]},
    ]))  # fmt: skip
    (folder / "films.json").write_text(json.dumps([
        {"video": "f.mp4", "conversations": said("<image>\nWhat?", "Red.") + said("Then?", "Blue.")},
        {"video": "f.mp4", "start": 5.0, "end": 9.0, "conversations": said("What?", "Blue.")},
        {"video": "broken.mp4", "conversations": said("<image>\nWhat?", "Nothing.")},
        {"conversations": said("Who are you?", "A model.")},
    ]))  # fmt: skip
    (folder / "list.json").write_text(json.dumps({"datasets": [
        {"json_path": "images.json", "sampling_strategy": "all"},
        {"json_path": "films.json", "sampling_strategy": "first:100%", "video_read_type": "decord"},
    ]}))  # fmt: skip
    return folder / "list.json"


def write_base(folder):
    folder.mkdir(exist_ok=True)
    described = hub_config() | {"num_hidden_layers": 19}
    (folder / "config.json").write_text(json.dumps(described))
    slots = build(from_hub_dict(described, SMALL)).slots()
    chance = torch.Generator().manual_seed(0)
    shapes = {name: getattr(module, attribute).shape for name, (module, attribute) in slots.items()}
    tensors = {name: torch.randn(shape, generator=chance) * 0.05 for name, shape in shapes.items()}
    write_shards(folder, tensors, 2)
    write_tokenizer(folder)
    return folder


def recipe(stage, base, data, output, **more):
    """Return a stage's recipe with everything small."""
    file = output.parent / f"{output.name}.yaml"
    values = {"model": str(base), "data": str(data), "output": str(output), "batch": 3, "epochs": 1,
              "precision": "float32", "checkpointing": False, "sample_every": 0, "fewest_frames": 4, "most_frames": 8, "length": 400}  # fmt: skip
    if stage == "high-resolution":
        values["vision_tower"] = "umt-hd-small"
    file.write_text("\n".join(f"{k}: {json.dumps(v)}" for k, v in (values | more).items()))
    return read_recipe(stage, file)


def weights(folder):
    return {k: v for file in folder.glob("*.safetensors") for k, v in load_file(file).items()}
