"""The stages of training `lite`, in their order.

    features   draw the scenes, keep what the fixed image network sees in them
    vision     the encoder's own blocks and the projector, against words (no language model)
    tokens     the trained encoder's merged tokens of many clips, kept
    language   projector and adapters, through the language model, with dropout on

Each keeps its result in the run's folder and goes on where it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from model.lite_base import LITE_LANGUAGE, convert
from model.projector import Projector
from model.vision_lite import LiteVision
from training.alignment import Aligner, recognised, some_examples
from training.drawings import HELD_OUT_SET, TRAINING_SETS, Sprites, load_sprites
from training.features import FeatureBank, cache_features
from training.loop import Plan, run
from training.words import word_groups

TRAINED_VISION = ("vision.coarse", "vision.fine", "vision.time", "vision.row", "vision.column", "vision.blocks", "vision.norm")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a run of training keeps things, and what it starts from.

    Attributes:
        folder: Of the run.
        base: Of the converted base weights.
        report: Given a line of text.
    """

    folder: Path
    base: Path
    report: Callable[[str], None]

    @staticmethod
    def open(folder: Path, report: Callable[[str], None]) -> "Workshop":
        """Return the workshop in `folder`, with the base weights converted."""
        return Workshop(folder, convert(progress=report), report)

    def vision(self) -> LiteVision:
        """Return the encoder: its image network as published, the rest untrained."""
        vision = LiteVision()
        published = load_file(self.base / "trunk.safetensors")
        fixed = {k: v.float() for k, v in published.items() if not k.startswith("classifier.")}
        vision.load_state_dict(fixed, strict=False)
        for name, parameter in vision.named_parameters():
            parameter.requires_grad_(name not in fixed)
        return vision

    def embedding(self) -> torch.Tensor:
        """Return the language model's input embedding."""
        return load_file(self.base / "language.safetensors")["model.embed_tokens.weight"]

    def tokenizer(self) -> Tokenizer:
        """Return the language model's tokenizer."""
        return Tokenizer.from_file(str(self.base / "tokenizer.json"))

    def sprites(self, held_out: bool = False) -> Sprites:
        """Return the drawings to train on, or those kept for measuring."""
        return load_sprites((HELD_OUT_SET,) if held_out else TRAINING_SETS, progress=self.report)

    def bank(self, held_out: bool = False) -> FeatureBank:
        """Return the scenes whose features are there."""
        folder = self.folder / "features" / ("held" if held_out else "train")
        return FeatureBank(folder, self.sprites(held_out), held_out)

    def aligner(self) -> Aligner:
        """Return the untrained encoder and projector with the words they are judged by."""
        groups = word_groups(self.embedding(), self.tokenizer())
        vision = self.vision()
        return Aligner(vision, Projector(vision.width, LITE_LANGUAGE.hidden), groups)


def features(workshop: Workshop, scenes: range, held_out: bool = False) -> None:
    """Keep the features of `scenes`."""
    vision = workshop.vision().to(torch.bfloat16)
    folder = workshop.folder / "features" / ("held" if held_out else "train")
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        workshop.report(f"{done} of {len(scenes)} scenes")

    cache_features(vision, workshop.sprites(held_out), scenes, folder, held_out, progress)


def vision(workshop: Workshop, steps: int, batch: int, rate: float, seed: int) -> None:
    """Train the encoder's own blocks and the projector against words."""
    torch.manual_seed(seed)
    aligner = workshop.aligner()
    bank, sprites = workshop.bank(), workshop.sprites()
    judge = some_examples(
        workshop.bank(held_out=True), workshop.sprites(held_out=True), np.random.default_rng(0), 300
    )
    workshop.report(f"{len(bank.scenes)} scenes")

    def loss_of(step: int) -> torch.Tensor:
        random = np.random.default_rng([seed, step])
        examples = some_examples(bank, sprites, random, batch)
        with torch.autocast("cpu", torch.bfloat16):
            loss: torch.Tensor = aligner(examples, noise=0.1)[0]
        return loss

    def measure() -> dict[str, float]:
        with torch.autocast("cpu", torch.bfloat16):
            return recognised(aligner, judge)

    plan = Plan(steps, rate, seed, workshop.folder / "vision.pt")
    run(plan, aligner, loss_of, measure, workshop.report)
