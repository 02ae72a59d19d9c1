"""Stage `heads`: teach the encoder's tokens to say what is drawn, of what colour, which way it moves.

The encoder stands; small networks on its tokens are trained on drawn scenes, and on photographs as
examples of what is not drawn, so that cameras are left to the networks that know the world.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from model.vision.networks.drawn import STILL, Heads
from model.vision.networks.lite_network import FRAMES, SIZE, LiteVision
from model.vision.vocabulary import word_table
from training.drawn.drawings import Sprites
from training.drawn.scenes import COLOURS
from training.drawn.takes import cells, see, some_take
from training.drawn.words import MOVEMENTS, UNTOLD
from training.lite.features import FeatureBank
from training.lite.loop import Plan, run

CROPS = 8
"""Clips made of each photograph: a window that glides a little."""
BACKGROUND_WEIGHT = 0.25
PHOTOS = 0.25
"""Share of photographs in a batch."""
assert MOVEMENTS[STILL] == "still"


@torch.inference_mode()
def photograph_tokens(
    vision: LiteVision, folder: Path, random: np.random.Generator
) -> Float[Tensor, "clips cells width"]:
    """Return the encoder's tokens of clips made from the pictures below `folder`.

    Raises:
        FileNotFoundError: If there is no picture.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not paths:
        raise FileNotFoundError(2, "there are no .jpg or .png pictures here", str(folder))
    tokens = []
    for path in paths:
        with Image.open(path) as picture:
            picture.draft("RGB", (1600, 1600))
            small = picture.convert("RGB")
            small.thumbnail((1600, 1600))
        clips = np.stack([_gliding(small, random) for _ in range(CROPS)])
        tokens.append(vision.fuse(vision.trunk(torch.from_numpy(clips).movedim(-1, 2)).float()))
    return torch.cat(tokens)


def _gliding(picture: Image.Image, random: np.random.Generator) -> np.ndarray:
    share = random.uniform(0.35, 1.0)
    width, height = max(1, int(picture.width * share)), max(1, int(picture.height * share))
    x, y = random.integers(picture.width - width + 1), random.integers(picture.height - height + 1)
    dx, dy = random.normal(0, 0.01, 2) * picture.width
    frames = []
    for step in range(FRAMES):
        left = int(np.clip(x + dx * step, 0, picture.width - width))
        top = int(np.clip(y + dy * step, 0, picture.height - height))
        window = picture.crop((left, top, left + width, top + height))
        frames.append(np.asarray(window.resize((SIZE, SIZE), Image.Resampling.BICUBIC)))
    return np.stack(frames)


@torch.inference_mode()
def drawn_examples(
    vision: LiteVision,
    bank: FeatureBank,
    sprites: Sprites,
    names: tuple[str, ...],
    random: np.random.Generator,
    takes: int,
) -> tuple[Float[Tensor, "clips cells width"], Tensor]:
    """Return the tokens of clips of every scene of `bank`, and what is true of each cell.

    The truth has three numbers a cell: name (the last is background), colour, movement.
    """
    colours, tokens, truths = tuple(COLOURS), [], []
    for number, scene in enumerate(bank.scenes):
        for _ in range(takes):
            take = some_take(random, number, scene)
            owner = torch.from_numpy(cells(scene, take, sprites).astype(np.int64)).flatten()
            truth = torch.full((len(owner), 3), UNTOLD)
            truth[:, 0] = len(names)
            for seen in see(scene, take):
                mine = owner == seen.number
                truth[mine, 0] = names.index(seen.thing.name)
                if seen.thing.colour:
                    truth[mine, 1] = colours.index(seen.thing.colour)
                if seen.movement:
                    truth[mine, 2] = MOVEMENTS.index(seen.movement)
            tokens.append(vision.fuse(bank.clips([take]).float())[0])
            truths.append(truth)
    return torch.stack(tokens), torch.stack(truths)


def learn_heads(
    vision: LiteVision,
    bank: FeatureBank,
    held: FeatureBank,
    sprites: tuple[Sprites, Sprites],
    photos: Path,
    plan: Plan,
    report: Callable[[str], None],
) -> Heads:
    """Train the heads and return them.

    Args:
        vision: The encoder, trained.
        bank: Scenes to train on.
        held: Scenes to measure on.
        sprites: Drawings of the one and of the other.
        photos: Folder of photographs.
        plan: How.
        report: Given a line of text.
    """
    torch.manual_seed(plan.seed)
    names = tuple(word_table().of_drawing)
    random = np.random.default_rng(plan.seed)
    report("looking at photographs")
    real = photograph_tokens(vision, photos, random)
    report("looking at drawn scenes")
    tokens, truths = drawn_examples(vision, bank, sprites[0], names, random, takes=3)
    judged, right = drawn_examples(vision, held, sprites[1], names, random, takes=1)
    heads = Heads(vision.width, names)
    weights = torch.ones(len(names) + 1)
    weights[-1] = BACKGROUND_WEIGHT

    def learn(step: int) -> float:
        choose = np.random.default_rng([plan.seed, step])
        drawn, photographed = round(32 * (1 - PHOTOS)), round(32 * PHOTOS)
        some = torch.from_numpy(choose.integers(len(tokens), size=drawn))
        others = torch.from_numpy(choose.integers(len(real), size=photographed))
        seen = torch.cat([tokens[some], real[others]])
        noise = torch.from_numpy(choose.standard_normal(seen.shape, dtype=np.float32))
        nothing = torch.tensor([len(names), UNTOLD, UNTOLD])
        truth = torch.cat([truths[some], nothing.expand(photographed, truths.shape[1], 3)])
        name, colour, movement, is_drawn = heads.logits(seen + 0.1 * noise)
        label = torch.cat([torch.ones(drawn), torch.zeros(photographed)])
        loss = (
            cross_entropy(name.flatten(0, 1), truth[..., 0].flatten(), weight=weights)
            + 0.5 * _told(colour, truth[..., 1])
            + _told(movement, truth[..., 2])
            + 0.3 * binary_cross_entropy_with_logits(is_drawn, label)
        )
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    @torch.inference_mode()
    def measure() -> Mapping[str, float]:
        name, colour, movement, is_drawn = heads.logits(judged)
        parts = {"name": (name, 0), "colour": (colour, 1), "movement": (movement, 2)}
        found = {"drawn": float((is_drawn > 0).float().mean())}
        for what, (logits, column) in parts.items():
            told = right[..., column] >= 0
            if column == 0:
                told &= right[..., 0] < len(names)
            found[what] = float((logits.argmax(-1) == right[..., column])[told].float().mean())
        return found

    run(plan, heads, learn, measure, report)
    return heads


def _told(logits: Tensor, truth: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, 1), truth.flatten(), ignore_index=UNTOLD)
