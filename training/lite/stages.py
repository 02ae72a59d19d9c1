"""The stages of training `lite`, in their order.

    features   draw the scenes, keep what the fixed image network sees in them
    vision     the encoder's own blocks, against words (no language model)
    heads      what its tokens say of drawings, and which clips are drawn at all
    reading    projector and adapters, through the language model, on made-up streams
    export     what was trained, as the one file that the service loads

Each keeps its result in the run's folder and goes on where it stopped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from model.language.projector import Projector
from model.vision.networks.drawn import Heads
from model.vision.networks.lite_network import LiteVision
from model.vision.vocabulary import word_table
from model.zoo.lite import TRAINED
from model.zoo.lite_base import LITE_LANGUAGE, base_folder, convert
from training.adapters import adapters
from training.drawn.drawings import HELD_OUT_SET, TRAINING_SETS, Sprites, cache_folder, load_sprites
from training.drawn.words import word_groups
from training.errors import Missing
from training.lite.alignment import Aligner, recognised, some_examples
from training.lite.features import FeatureBank, cache_features
from training.lite.heads import learn_heads
from training.lite.loop import Plan, kept, load_weights, run
from training.lite.reading import Lesson, learn_to_read, student, trained_part


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
        return Workshop(folder, convert(base_folder(cache_folder()), report), report)

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
        """Return the scenes whose features are there.

        Raises:
            Missing: If there are none.
        """
        folder = self.folder / "features" / ("held" if held_out else "train")
        found = FeatureBank(folder, self.sprites(held_out), held_out)
        if not found.scenes:
            raise Missing(f"there is nothing in {folder}: run --stage features first")
        return found

    def trained_vision(self) -> LiteVision:
        """Return the encoder as the stage `vision` left it, or as it is shipped."""
        if (self.folder / "vision.pt").exists():
            aligner = self.aligner()
            trained = {k: p for k, p in aligner.named_parameters() if p.requires_grad}
            load_weights(trained, kept(self.folder / "vision.pt", "vision")["weights"])
            return aligner.vision.eval().requires_grad_(False)
        self.report(f"there is no {self.folder / 'vision.pt'}: the encoder is the shipped one")
        vision = self.vision()
        ours = load_file(TRAINED)
        mine = {k.removeprefix("vision."): v.float() for k, v in ours.items() if k.startswith("vision.")}  # fmt: skip
        vision.load_state_dict(vision.state_dict() | mine)
        return vision.eval().requires_grad_(False)

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

    def learn(step: int) -> float:
        random = np.random.default_rng([seed, step])
        examples = some_examples(bank, sprites, random, batch)
        with torch.autocast("cpu", torch.bfloat16):
            loss: torch.Tensor = aligner(examples, noise=0.1)[0]
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def measure() -> dict[str, float]:
        with torch.autocast("cpu", torch.bfloat16):
            return recognised(aligner, judge)

    plan = Plan(steps, rate, seed, workshop.folder / "vision.pt")
    run(plan, aligner, learn, measure, workshop.report)


def heads(workshop: Workshop, photos: Path, steps: int, seed: int) -> None:
    """Train the heads on the encoder that the stage `vision` left."""
    vision = workshop.trained_vision()
    sprites = workshop.sprites(), workshop.sprites(held_out=True)
    plan = Plan(steps, 3e-3, seed, workshop.folder / "heads.pt", decay=0.05, every=200)
    bank, held = workshop.bank(), workshop.bank(held_out=True)
    learn_heads(vision, bank, held, sprites, photos, plan, workshop.report)


def reading(workshop: Workshop, lesson: Lesson) -> None:
    """Train projector and adapters on made-up streams."""
    learn_to_read(workshop.base, workshop.folder, lesson, workshop.report)


def export(workshop: Workshop, file: Path, rank: int, about: Mapping[str, str]) -> None:
    """Write what was trained as one safetensors file, in half precision; the rest of it as it is shipped.

    Args:
        workshop: Of the run.
        file: To write.
        rank: Of the adapters.
        about: What made it: command, seed, commit.
    """
    vision = workshop.trained_vision()
    fixed = ("trunk_network.", "head.")
    tensors = {f"vision.{k}": v for k, v in vision.state_dict().items() if not k.startswith(fixed)}
    tensors |= _trained_heads(workshop, vision.width) | _trained_reading(workshop, rank)
    half = {k: v.detach().to(torch.float16).contiguous() for k, v in tensors.items()}
    partial = file.with_suffix(".partial")  # whoever stops us leaves the old weights whole
    save_file(half, partial, metadata=dict(about))
    partial.replace(file)


def _trained_heads(workshop: Workshop, width: int) -> dict[str, torch.Tensor]:
    """Return the heads as the stage `heads` left them, or as they are shipped."""
    checkpoint = workshop.folder / "heads.pt"
    if not checkpoint.exists():
        workshop.report(f"there is no {checkpoint}: the heads are the shipped ones")
        return {k: v for k, v in load_file(TRAINED).items() if k.startswith("heads.")}
    said = Heads(width, tuple(word_table().of_drawing))
    load_weights(dict(said.named_parameters()), kept(checkpoint, "heads")["weights"])
    return {f"heads.{k}": v for k, v in said.state_dict().items()}


def _trained_reading(workshop: Workshop, rank: int) -> dict[str, torch.Tensor]:
    """Return projector and adapters as the stage `reading` left them, or as they are shipped."""
    checkpoint = workshop.folder / "reading.pt"
    if not checkpoint.exists():
        workshop.report(f"there is no {checkpoint}: what reads is the shipped one")
        others = ("vision.", "heads.")
        return {k: v for k, v in load_file(TRAINED).items() if not k.startswith(others)}
    pupil = student(workshop.base, rank)
    load_weights(trained_part(pupil), kept(checkpoint, "reading")["weights"])
    projector = {f"projector.{k}": v for k, v in pupil.projector.state_dict().items()}
    return projector | dict(adapters(pupil.decoder))
