"""The stages of training `lite`, in their order.

    features   draw the scenes, keep what the fixed image network sees in them
    vision     the encoder's own blocks and the projector, against words (no language model)
    language   projector and adapters, through the language model, with dropout on
    export     what was trained, as the one file that the service loads

Each keeps its result in the run's folder and goes on where it stopped.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn

from model.language import Decoder
from model.lite_base import LITE_LANGUAGE, convert
from model.merge import merge_tokens
from model.projector import Projector
from model.prompt import LITE, Prompt
from model.vision_lite import LiteVision
from model.vocabulary import HubVocabulary
from training.adapters import adapt, adapters
from training.alignment import KEEP, Aligner, recognised, some_examples
from training.drawings import HELD_OUT_SET, THINGS, TRAINING_SETS, Sprites, load_sprites
from training.features import FeatureBank, cache_features
from training.loop import Plan, load_weights, run
from training.packing import Dropping, answer_logits, pack
from training.scenes import SHAPES
from training.shows import Mix, some_show
from training.words import word_groups

DEFAULT_MIX = Mix()
VISUAL_STEP = 0.125
"""As the service has it: model/lite.py."""


class StageMissing(Exception):
    """A stage was begun before the one that it builds on."""


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
        """Return the scenes whose features are there.

        Raises:
            StageMissing: If there are none.
        """
        folder = self.folder / "features" / ("held" if held_out else "train")
        found = FeatureBank(folder, self.sprites(held_out), held_out)
        if not found.scenes:
            raise StageMissing(f"there is nothing in {folder}: run --stage features first")
        return found

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


class Reader(nn.Module):
    """Projector and adapted language model: what the stage `language` trains."""

    def __init__(self, projector: Projector, decoder: Decoder) -> None:
        super().__init__()
        self.projector, self.decoder = projector, decoder


def reader(workshop: Workshop, rank: int) -> tuple[LiteVision, Reader]:
    """Return the trained encoder, and the projector as it was trained with it beside the language model."""
    aligner = workshop.aligner()
    state = _kept(workshop.folder / "vision.pt", "vision")
    load_weights({k: p for k, p in aligner.named_parameters() if p.requires_grad}, state["weights"])
    weights = load_file(workshop.base / "language.safetensors")
    decoder = Decoder(LITE_LANGUAGE)
    decoder.load_state_dict(weights | {"lm_head.weight": weights["model.embed_tokens.weight"]})
    decoder.to(torch.bfloat16)
    adapt(decoder, rank)
    return aligner.vision.eval().requires_grad_(False), Reader(aligner.projector, decoder)


def _kept(checkpoint: Path, stage: str) -> dict[str, Any]:
    if not checkpoint.exists():
        raise StageMissing(f"there is no {checkpoint}: run --stage {stage} first")
    state: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    return state


@dataclass(frozen=True, slots=True)
class Lesson:
    """How the stage `language` is trained.

    Attributes:
        steps: Steps in all.
        shows: Shows of one step.
        rate: Highest learning rate of the adapters.
        rank: Of the adapters.
        seed: Decides every random choice.
        deep: Share of shows in which the deep, text-guided stage drops as well.
        threads: Shows that are worked on at once.
        mix: How long shows are.
    """

    steps: int
    shows: int = 4
    rate: float = 1e-3
    rank: int = 16
    seed: int = 1
    deep: float = 0.5
    threads: int = 2
    mix: Mix = DEFAULT_MIX


def language(workshop: Workshop, lesson: Lesson) -> None:
    """Train projector and adapters through the language model."""
    torch.manual_seed(lesson.seed)
    encoder, student = reader(workshop, lesson.rank)
    bank, held = workshop.bank(), workshop.bank(held_out=True)
    names = (*THINGS, *SHAPES)
    prompt = Prompt(HubVocabulary(workshop.base / "tokenizer.json"), LITE)

    def loss_of_show(bank: FeatureBank, random: np.random.Generator, deep: bool) -> torch.Tensor:
        show = some_show(bank.scenes, names, random, lesson.mix)
        with torch.no_grad():
            tokens = merge_tokens(encoder.fuse(bank.clips(show.takes).float()), KEEP)
        visual = student.projector(tokens.to(torch.float16).float().flatten(0, 1))
        dropping = Dropping(deep_ratio=0.25 if deep else 1.0)
        packed = pack(show, prompt, KEEP)
        logits, target = answer_logits(student.decoder, packed, visual, dropping, KEEP, VISUAL_STEP)
        return nn.functional.cross_entropy(logits, target)

    weights = [p for p in student.parameters() if p.requires_grad]

    def gradients(step: int, number: int) -> tuple[float, tuple[torch.Tensor, ...]]:
        random = np.random.default_rng([lesson.seed, step, number])
        loss = loss_of_show(bank, random, bool(random.random() < lesson.deep)) / lesson.shows
        return loss.item(), torch.autograd.grad(loss, weights)

    # A show to a core: the layers are too small to be shared between cores.
    pool = ThreadPoolExecutor(lesson.threads, initializer=torch.set_num_threads, initargs=(1,))

    def learn(step: int) -> float:
        total = 0.0
        for loss, parts in pool.map(partial(gradients, step), range(lesson.shows)):
            total += loss
            for weight, part in zip(weights, parts, strict=True):
                weight.grad = part if weight.grad is None else weight.grad.add_(part)
        return total

    @torch.no_grad()
    def measure() -> dict[str, float]:
        random = np.random.default_rng(0)
        losses = [float(loss_of_show(held, random, deep=True)) for _ in range(16)]
        return {"loss on held-out drawings": sum(losses) / len(losses)}

    plan = Plan(lesson.steps, lesson.rate, lesson.seed, workshop.folder / "language.pt", every=50)
    with pool:
        run(plan, student, learn, measure, workshop.report, slower={"projector": 0.5})


def export(workshop: Workshop, file: Path, rank: int, about: Mapping[str, str]) -> None:
    """Write what was trained as one safetensors file, in half precision.

    Args:
        workshop: Of the run.
        file: To write.
        rank: Of the adapters.
        about: What made it: command, seed, commit.
    """
    encoder, student = reader(workshop, rank)
    trained = workshop.folder / "language.pt"
    if trained.exists():
        state = torch.load(trained, weights_only=True)
        load_weights(
            {k: p for k, p in student.named_parameters() if p.requires_grad}, state["weights"]
        )
    fixed = ("trunk_network.", "head.")
    tensors = {f"vision.{k}": v for k, v in encoder.state_dict().items() if not k.startswith(fixed)}
    tensors |= {f"projector.{k}": v for k, v in student.projector.state_dict().items()}
    tensors |= dict(adapters(student.decoder))
    half = {k: v.detach().to(torch.float16).contiguous() for k, v in tensors.items()}
    partial = file.with_suffix(".partial")  # whoever stops us leaves the old weights whole
    save_file(half, partial, metadata=dict(about))
    partial.replace(file)
