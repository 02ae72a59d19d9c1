"""Writes a checkpoint as the authors publish theirs, only small and with random weights."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE
from torch import Tensor

from model.config import VisionConfig

MANIFEST = Path(__file__).parents[1] / "golden" / "checkpoint_manifest.json"
PUBLISHED = "VideoChat-Flash-Qwen2_5-2B_res448"
TOWERS = {"umt-small": VisionConfig(image_size=32, width=32, heads=16, tokens_per_clip=4)}
SHRUNK = {151_936: 300, 1536: 48, 256: 8, 1024: 32, 3072: 96, 4096: 128}
START, END = "<|im_start|>", "<|im_end|>"


@dataclass(frozen=True)
class Written:
    """What was written, and where."""

    folder: Path
    tensors: dict[str, Tensor]


def write_checkpoint(
    folder: Path, *, shards: int = 3, dtype: torch.dtype = torch.bfloat16, intermediate: int = 64
) -> Written:
    """Write every published tensor of the 2B model with its sizes shrunk."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {**SHRUNK, 8960: intermediate}
    random = torch.Generator().manual_seed(0)
    published = json.loads(MANIFEST.read_text())[PUBLISHED]
    tensors = {
        name: torch.randn([sizes.get(n, n) for n in shape], generator=random).mul(0.05).to(dtype)
        for name, shape in published.items()
    }
    config = hub_config(intermediate)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(
        json.dumps(
            {
                "do_sample": True,
                "temperature": 0.7,
                "top_p": 0.8,
                "eos_token_id": [config["eos_token_id"], 256],
            }
        )
    )
    write_shards(folder, tensors, shards)
    write_tokenizer(folder)
    return Written(folder, tensors)


def hub_config(intermediate: int = 64) -> dict[str, object]:
    return {
        "architectures": ["VideoChatFlashQwenForCausalLM"],
        "auto_map": {"AutoModelForCausalLM": "modeling.VideoChatFlashQwenForCausalLM"},
        "model_type": "videochat_flash_qwen",
        "eos_token_id": 258,
        "hidden_act": "silu",
        "hidden_size": 48,
        "intermediate_size": intermediate,
        "max_position_embeddings": 32768,
        "mm_hidden_size": 32,
        "mm_local_num_frames": 4,
        "mm_projector_type": "tome16_mlp_hd64",
        "mm_vision_select_layer": -2,
        "mm_vision_tower": "umt-small",
        "num_attention_heads": 12,
        "num_hidden_layers": 28,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0,
        "tie_word_embeddings": False,
        "vocab_size": 300,
    }


def write_shards(folder: Path, tensors: dict[str, Tensor], shards: int) -> None:
    """Write `tensors` dealt out over `shards` files with an index, or one file without."""
    if shards == 1:
        save_file(tensors, folder / "model.safetensors")
        return
    names = sorted(tensors)
    weight_map = {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        mine = names[number::shards]
        save_file({name: tensors[name] for name in mine}, folder / file)
        weight_map |= dict.fromkeys(mine, file)
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def write_tokenizer(folder: Path) -> None:
    """Write a byte-level tokenizer without merges, in Qwen2's layout."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {character: number for number, character in enumerate(alphabet)}
    special = ["<|endoftext|>", START, END]
    tokenizer = Tokenizer(BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocab.json").write_text(json.dumps(vocab))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    added = {
        str(256 + number): {"content": token, "special": True, "lstrip": False, "rstrip": False,
                            "normalized": False, "single_word": False}
        for number, token in enumerate(special)
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "Qwen2Tokenizer",
                "added_tokens_decoder": added,
                "eos_token": END,
                "pad_token": "<|endoftext|>",
                "model_max_length": 32768,
            }
        )
    )
