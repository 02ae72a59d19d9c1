"""The stages of training `lite`, in their order.

    features   draw the scenes, keep what the fixed image network sees in them
    vision     the encoder's own blocks, against words (no language model)
    heads      what its tokens say of drawings, and which clips are drawn at all
    closer     what a drawn thing is that is looked at closely
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
from torch import nn

from model.language.projector import Projector
from model.vision.networks.closer import Closer
from model.vision.networks.drawn import Heads
from model.vision.networks.lite_network import LiteVision
from model.vision.vocabulary import word_table
from model.zoo.lite import TRAINED
from model.zoo.lite_base import LITE_LANGUAGE, base_folder, convert
from training.adapters import adapters
from training.drawn.drawings import Sprites, cache_folder, load_sprites
from training.drawn.words import word_groups
from training.errors import Missing
from training.lite.alignment import Aligner, recognised, some_examples
from training.lite.closer import CloseUps, keep_close_ups, learn_closer, windows
from training.lite.features import FeatureBank, cache_features
from training.lite.heads import (
    Lessons,
    SceneBatch,
    drawn_examples,
    keep,
    learn_heads,
    photograph_tokens,
)
from training.lite.loop import StagePlan, kept, load_weights, run
from training.lite.materials import TRAIN, TUNING, WIDE, Material
from training.lite.photographs import photographs
from training.lite.reading import Lesson, learn_to_read, student, trained_part
from training.whole_files import whole_file


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

    def sprites(self, material: Material = TRAIN) -> Sprites:
        """Return the drawings."""
        return load_sprites(material.sets, progress=self.report)

    def bank(self, material: Material = TRAIN) -> FeatureBank:
        """Return the scenes of a material whose features are there.

        Raises:
            Missing: If there are none.
        """
        folder = self.folder / "features" / material.name
        found = FeatureBank(folder, self.sprites(material), material.backdrops)
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


def features(workshop: Workshop, scenes: range, material: Material = TRAIN) -> None:
    """Keep the features of `scenes`."""
    vision = workshop.vision().to(torch.bfloat16)
    folder = workshop.folder / "features" / material.name
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        workshop.report(f"{material.name}: {done} of {len(scenes)} scenes")

    sprites = workshop.sprites(material)
    cache_features(vision, sprites, scenes, folder, material.backdrops, progress)


def vision(workshop: Workshop, steps: int, batch: int, rate: float, seed: int) -> None:
    """Train the encoder's own blocks and the projector against words."""
    torch.manual_seed(seed)
    aligner = workshop.aligner()
    bank, sprites = workshop.bank(), workshop.sprites()
    judge = some_examples(
        workshop.bank(TUNING), workshop.sprites(TUNING), np.random.default_rng(0), 300
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

    plan = StagePlan(steps, rate, seed, workshop.folder / "vision.pt")
    run(plan, aligner, learn, measure, workshop.report)


def heads(workshop: Workshop, photos: Path, steps: int, seed: int) -> None:
    """Train the heads on the encoder that the stage `vision` left."""
    vision = workshop.trained_vision()
    vision.trunk_network.to(torch.bfloat16)
    names = tuple(word_table().of_drawing)
    workshop.report("looking at photographs")
    real = workshop.folder / "heads-photographs.pt"
    if not real.exists():
        keep(photograph_tokens(vision, photographs(photos), np.random.default_rng(seed)), real)

    def examples(material: Material, takes: int) -> SceneBatch:
        workshop.report(f"looking at the scenes of {material.name}")
        file = workshop.folder / f"heads-{material.name}.pt"
        bank, sprites = workshop.bank(material), workshop.sprites(material)
        return drawn_examples(vision, bank, sprites, names, seed, takes, file)

    shown = [examples(TRAIN, 2), examples(WIDE, 2)]
    lessons = Lessons(shown, examples(TUNING, 1), torch.load(real, weights_only=True))
    plan = StagePlan(steps, 3e-3, seed, workshop.folder / "heads.pt", decay=0.05, every=200)
    learn_heads(vision.width, lessons, plan, workshop.report)


def closer(workshop: Workshop, photos: Path, shards: int, steps: int, seed: int) -> None:
    """Train what names close-ups of drawings; the image network is the published one."""
    vision = workshop.vision().eval().requires_grad_(False)
    vision.trunk_network.to(torch.bfloat16)
    names = tuple(word_table().of_drawing)

    def close_ups(material: Material, shards: int) -> CloseUps:
        done = 0

        def progress(count: int) -> None:
            nonlocal done
            done += count
            workshop.report(f"{material.name}: {done} close-ups")

        sprites, folder = workshop.sprites(material), workshop.folder / "close" / material.name
        return keep_close_ups(vision, sprites, material.backdrops, names, range(shards), folder, progress)  # fmt: skip

    workshop.report("looking at photographs")
    real = workshop.folder / "closer-photographs.pt"
    if not real.exists():
        keep(windows(vision, photographs(photos), np.random.default_rng(seed)), real)
    shown, judged = close_ups(WIDE, shards), close_ups(TUNING, 1)
    plan = StagePlan(steps, 2e-3, seed, workshop.folder / "closer.pt", decay=0.05, every=500)
    learn_closer(names, shown, judged, torch.load(real, weights_only=True), plan, workshop.report)


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
    names = tuple(word_table().of_drawing)
    tensors |= _trained(workshop, "heads", Heads(vision.width, names))
    tensors |= _trained(workshop, "closer", Closer(names)) | _trained_reading(workshop, rank)
    half = {k: v.detach().to(torch.float16).contiguous() for k, v in tensors.items()}
    with whole_file(file) as partial:
        save_file(half, partial, metadata=dict(about))


def _trained(workshop: Workshop, stage: str, module: nn.Module) -> dict[str, torch.Tensor]:
    """Return the weights of `module` as its stage left them, or as they are shipped."""
    checkpoint = workshop.folder / f"{stage}.pt"
    if not checkpoint.exists():
        workshop.report(
            f"there is no {checkpoint}: of the stage {stage} the shipped weights are taken"
        )
        return {k: v for k, v in load_file(TRAINED).items() if k.startswith(f"{stage}.")}
    load_weights(dict(module.named_parameters()), kept(checkpoint, stage)["weights"])
    return {f"{stage}.{k}": v for k, v in module.state_dict().items()}


def _trained_reading(workshop: Workshop, rank: int) -> dict[str, torch.Tensor]:
    """Return projector and adapters as the stage `reading` left them, or as they are shipped."""
    checkpoint = workshop.folder / "reading.pt"
    if not checkpoint.exists():
        workshop.report(f"there is no {checkpoint}: what reads is the shipped one")
        others = ("vision.", "heads.", "closer.")
        return {k: v for k, v in load_file(TRAINED).items() if not k.startswith(others)}
    pupil = student(workshop.base, rank)
    load_weights(trained_part(pupil), kept(checkpoint, "reading")["weights"])
    projector = {f"projector.{k}": v for k, v in pupil.projector.state_dict().items()}
    return projector | dict(adapters(pupil.decoder))
