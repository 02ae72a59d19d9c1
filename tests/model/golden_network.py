"""The reference's small networks and what it computed with them, read from `tests/golden`."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

from model.config import DropoutConfig, DropStage, LanguageConfig
from model.language.decoder import Decoder
from model.language.dropout import Tokens

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = ("small96", "res224")


@dataclass(frozen=True)
class Golden:
    settings: dict
    weights: dict
    tensors: dict
    decoder: Decoder

    def dropout(self, shallow):
        layers, ratios = self.settings["layer_list"], self.settings["ratio_list"][1:]
        return DropoutConfig(
            (
                DropStage(layers[0], ratios[0], shallow),
                DropStage(layers[1], ratios[1], "attention"),
            )
        )

    @property
    def prefix(self):
        return self.decoder.embed(self.tensors["input_ids"][0, : self.settings["prefix_len"]])

    @property
    def suffix(self):
        return self.decoder.embed(self.tensors["input_ids"][0, self.settings["prefix_len"] :])

    @property
    def clips(self):
        none = self.prefix[:0]
        return [Tokens.of_clip(n, none, v) for n, v in enumerate(self.tensors["clip_tokens"])]

    @property
    def prompt(self):
        return Tokens.join([Tokens.of_text(self.prefix), *self.clips, Tokens.of_text(self.suffix)])


def load(name):
    settings = json.loads((GOLDEN / f"{name}.json").read_text())
    weights = load_file(GOLDEN / f"{name}.weights.safetensors")
    decoder = Decoder(
        LanguageConfig(
            hidden=settings["hidden"],
            layers=settings["layers"],
            heads=settings["heads"],
            kv_heads=settings["kv_heads"],
            head_dim=settings["hidden"] // settings["heads"],
            intermediate=2 * settings["hidden"],
            vocab=settings["vocab"],
            rope_theta=settings["rope_theta"],
            rms_eps=settings["rms_eps"],
        )
    ).eval()
    decoder.load_state_dict(
        {k.removeprefix("llm."): v for k, v in weights.items() if k.startswith("llm.")}
    )
    decoder.requires_grad_(False)
    return Golden(settings, weights, load_file(GOLDEN / f"{name}.tensors.safetensors"), decoder)


def greedy(reader, reading, count):
    """Return the greedy tokens, and the logits before each of them and after the last."""
    tokens, logits = [], [reading.logits]
    for _ in range(count):
        tokens.append(int(reading.logits.argmax()))
        reader.step([reading], tokens[-1:])
        logits.append(reading.logits)
    return torch.tensor(tokens), torch.stack(logits)
