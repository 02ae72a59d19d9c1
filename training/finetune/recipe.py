"""What each of the paper's four stages trains, how fast, and on how much at a time.

    alignment        the projector alone: images and short captions
    short            everything: images and short films
    joint            everything: short and long films together
    high-resolution  vision and projector at 448 pixels, the language model as it is

Source: VideoChat-Flash, section 4 and its published scripts (https://arxiv.org/abs/2501.00574).
"""

import importlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from training.errors import BadData


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one stage is trained. A configuration file may set any field.

    Attributes:
        stage: Which of the four.
        model: Folder or name of the checkpoint to begin with, in the released layout.
        data: The data list: YAML or JSON.
        output: Folder of the run.
        vision_rate: Highest learning rate of the video encoder; 0 leaves it as it is.
        projector_rate: Of the projector.
        language_rate: Of the language model.
        fewest_frames: Of a film to look at.
        most_frames: Of a film to look at.
        batch: Examples a step, over all processes.
        length: Tokens of an example beyond which it is cut.
        epochs: How often every example is seen.
        steps: Stop after so many; None is all epochs.
        warm_up: Share of the steps until the highest rate.
        decay: Weight decay.
        clip: Largest norm of a step's gradient.
        seed: Decides every choice.
        vision_tower: The encoder's name if it is to become another, as `umt-hd-large`.
        fresh_projector: Begin with a projector of random weights.
        rank: Of low-rank adapters of the language model; 0 trains it whole.
        dropout: Whether visual tokens are dropped inside the language model while training.
        checkpointing: Compute activations again on the way back instead of keeping them.
        sharded: Whether weights lie in parts on all processes (FSDP2) instead of whole on each.
        pack: Tokens up to which short examples go through the network together; 0 is each alone.
        sample_every: Steps between two questions that the model answers for people to read; 0 is
            never.
        precision: `float32`, or `bfloat16` for the products.
        save_every: Steps between two states on disk.
    """

    stage: str
    model: str
    data: str
    output: str
    vision_rate: float = 0.0
    projector_rate: float = 0.0
    language_rate: float = 0.0
    fewest_frames: int = 4
    most_frames: int = 4
    batch: int = 256
    length: int = 32_768
    epochs: int = 1
    steps: int | None = None
    warm_up: float = 0.03
    decay: float = 0.0
    clip: float = 1.0
    seed: int = 0
    vision_tower: str = ""
    fresh_projector: bool = False
    rank: int = 0
    dropout: bool = False
    checkpointing: bool = True
    sharded: bool = False
    pack: int = 0
    sample_every: int = 500
    precision: str = "bfloat16"
    save_every: int = 500


_ALL = {"vision_rate": 2e-6, "projector_rate": 1e-5, "language_rate": 1e-5}
_LONG = {"fewest_frames": 64, "most_frames": 512}
STAGES: Mapping[str, Mapping[str, Any]] = {
    "alignment": {"projector_rate": 1e-3, "batch": 512, "length": 8192, "fresh_projector": True},
    "short": _ALL | {"most_frames": 8},
    "joint": _ALL | _LONG,
    "high-resolution": _ALL | _LONG | {"language_rate": 0.0, "vision_tower": "umt-hd-large"},
}
"""What a stage sets unless its configuration says otherwise."""


def read_recipe(stage: str, file: Path, **given: object) -> Recipe:
    """Return the recipe of `stage` with what a YAML or JSON file and the command line set.

    Raises:
        BadData: If it cannot be read, names what there is not, or lacks what is needed.
    """
    if stage not in STAGES:
        raise BadData(f"{stage} is not a stage; there is {', '.join(STAGES)}")
    said = read_structured(file)
    if not isinstance(said, dict):
        raise BadData(f"{file} must map names to values")
    values = {**STAGES[stage], **said, **{k: v for k, v in given.items() if v is not None}}
    known = {field.name: field for field in fields(Recipe)}
    if unknown := sorted(set(values) - set(known)):
        raise BadData(f"{file}: {unknown[0]} is not a setting; there is {', '.join(known)}")
    if missing := [name for name in ("model", "data", "output") if not values.get(name)]:
        raise BadData(f"{file} lacks {', '.join(missing)}")
    return _checked(Recipe(**{**values, "stage": stage}), file)


_LEAST = {
    **dict.fromkeys(("batch", "length", "epochs", "fewest_frames", "most_frames", "save_every"), 1),
    **dict.fromkeys(("pack", "sample_every", "rank"), 0),
}


def _checked(recipe: Recipe, file: Path) -> Recipe:
    numbers = asdict(recipe)
    for name in ("vision_rate", "projector_rate", "language_rate", "warm_up", "decay", "clip"):
        # YAML reads 1e-5 as a text.
        try:
            numbers[name] = float(numbers[name])
        except (TypeError, ValueError):
            raise BadData(f"{file}: {name} must be a number, got {numbers[name]!r}") from None
    for name, least in _LEAST.items():
        if not isinstance(numbers[name], int) or numbers[name] < least:
            raise BadData(f"{file}: {name} must be a number from {least}, got {numbers[name]!r}")
    if recipe.most_frames < recipe.fewest_frames:
        raise BadData(f"{file}: most_frames is below fewest_frames")
    if recipe.precision not in {"float32", "bfloat16"}:
        raise BadData(f"{file}: precision is float32 or bfloat16, got {recipe.precision!r}")
    if not any(numbers[name] for name in ("vision_rate", "projector_rate", "language_rate")):
        raise BadData(f"{file}: every rate is 0: nothing would be trained")
    return replace(recipe, **numbers)


def read_structured(file: Path) -> Any:  # noqa: ANN401 - whatever it holds
    """Return what a JSON or YAML file holds.

    Raises:
        BadData: If it cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix in {".yaml", ".yml"}:
            # By name: it comes with the extra that trains.
            yaml = importlib.import_module("yaml")
            try:
                return yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise BadData(f"{file} is not YAML: {error}") from None
        return json.loads(text)
    except OSError as error:
        raise BadData(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise BadData(f"{file} cannot be read: {error}") from None
