"""What the reference implementation computed, for tests to hold ours against."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from safetensors.torch import load_file
from torch import Tensor

from model.config import (
    DropoutConfig,
    DropStage,
    FlashConfig,
    LanguageConfig,
    VisionConfig,
)

GOLDEN = Path(__file__).parents[1] / "golden"


@dataclass(frozen=True)
class Golden:
    """One small network with random weights: its shapes, weights, inputs and results."""

    config: FlashConfig
    weights: dict[str, Tensor]
    tensors: dict[str, Tensor]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the weights whose names begin with `prefix`, without it."""
        return {
            name.removeprefix(prefix): value
            for name, value in self.weights.items()
            if name.startswith(prefix)
        }


def read_golden(name: str) -> Golden:
    facts = json.loads((GOLDEN / f"{name}.json").read_text())
    weights = load_file(GOLDEN / f"{name}.weights.safetensors")
    vision = VisionConfig(
        image_size=facts["image_size"],
        patch_size=facts["patch_size"],
        frames_per_clip=facts["frames_per_clip"],
        width=facts["vision_dim"],
        heads=facts["vision_heads"],
        depth=facts["vision_depth_total"],
        select_layer=facts["vision_select_layer"],
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    )
    language = LanguageConfig(
        hidden=facts["hidden"],
        layers=facts["layers"],
        heads=facts["heads"],
        kv_heads=facts["kv_heads"],
        head_dim=facts["hidden"] // facts["heads"],
        intermediate=weights["llm.model.layers.0.mlp.up_proj.weight"].shape[0],
        vocab=facts["vocab"],
        rope_theta=facts["rope_theta"],
        rms_eps=facts["rms_eps"],
    )
    kinds = ("uniform", "attention")  # facts["compress_type"] is uniform0_attention
    stages = zip(facts["layer_list"], facts["ratio_list"][1:], kinds, strict=True)
    dropout = DropoutConfig(tuple(DropStage(*stage) for stage in stages))
    return Golden(
        config=FlashConfig(vision, language, dropout),
        weights=weights,
        tensors=load_file(GOLDEN / f"{name}.tensors.safetensors"),
    )


@pytest.fixture(params=["small96", "res224"])
def golden(request: pytest.FixtureRequest) -> Golden:
    """Each of the two networks in turn."""
    return read_golden(request.param)
