"""Stage `heads`: teach each cell to say what is drawn there, of what colour, which way it moves.

The encoder stands; small networks on its tokens are trained on drawn scenes, and on photographs as
examples of what is not drawn, so that cameras are left to the networks that know the world.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from PIL import Image
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, dropout

from model.vision.networks.drawn import STILL, Heads
from model.vision.networks.lite_network import FRAMES, SIZE, LiteVision
from model.vision.vocabulary import word_table
from training.drawn.drawings import Sprites
from training.drawn.scenes import COLOURS, SHAPES, DrawnScene
from training.drawn.takes import GRID, Take, cells, extent, see, some_take
from training.drawn.words import MOVEMENTS, UNTOLD
from training.errors import Missing
from training.lite.features import FeatureBank
from training.lite.loop import StagePlan, run
from training.lite.photographs import shrunken
from training.whole_files import whole_file

CROPS = 8
"""Clips made of each photograph: a window that glides a little."""
_CLIPS = 48
"""Of drawn scenes in a step; and a third as many of photographs."""
_BACKGROUND = 0.25
"""Share of the background's cells that is learned from in a step."""
_SHAPE_WEIGHT = 0.5
"""Six plain shapes are a third of all things, and easy: else a drawing is soon called a circle."""
_AT_ONCE = 16
assert MOVEMENTS[STILL] == "still"


@torch.inference_mode()
def photograph_tokens(
    vision: LiteVision, paths: Sequence[Path], random: np.random.Generator
) -> Float[Tensor, "clips cells width"]:
    """Return the encoder's tokens of clips made from photographs, in half precision."""
    tokens = []
    for path in paths:
        small = shrunken(path, 1600)
        clips = np.stack([_gliding(small, random) for _ in range(CROPS)])
        features = vision.trunk(torch.from_numpy(clips).movedim(-1, 2)).float()
        tokens.append(vision.fuse(features).half())
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


@dataclass(frozen=True, slots=True, eq=False)
class SceneBatch:
    """Clips of drawn scenes, and what is true of each of their cells.

    Attributes:
        bank: Of what the image network sees in them.
        takes: The clips.
        tokens: Of the encoder, in half precision.
        truths: Four numbers a cell: name (the last is background), colour, movement, and 1 where the
            middle of a thing is.
        sides: How wide and high the thing is whose middle is here; 0 where there is none.
    """

    bank: FeatureBank
    takes: tuple[Take, ...]
    tokens: Float[Tensor, "clips cells width"]
    truths: Int64[Tensor, "clips cells 4"]
    sides: Float[Tensor, "clips cells 2"]

    def features(self, clips: Sequence[int]) -> Float[Tensor, "clips cells trunk"]:
        """Return what the image network sees in some of the clips."""
        return self.bank.clips([self.takes[n] for n in clips]).float().flatten(1, 2)


@torch.inference_mode()
def drawn_examples(
    vision: LiteVision,
    bank: FeatureBank,
    sprites: Sprites,
    names: tuple[str, ...],
    seed: int,
    takes: int,
    file: Path,
) -> SceneBatch:
    """Return `takes` clips of every scene of `bank`; what is computed of them is kept in `file`.

    Raises:
        Missing: If `file` is of other scenes.
    """
    random = np.random.default_rng(seed)
    some = tuple(some_take(random, n, scene) for n, scene in enumerate(bank.scenes) for _ in range(takes))  # fmt: skip
    if not file.exists():
        truths, sides = zip(*(_truth(bank.scenes[take.scene], take, sprites, names) for take in some), strict=True)  # fmt: skip
        tokens = [
            vision.fuse(bank.clips(some[n : n + _AT_ONCE]).float()).half()
            for n in range(0, len(some), _AT_ONCE)
        ]
        keep((torch.cat(tokens), torch.stack(truths), torch.stack(sides)), file)
    found = SceneBatch(bank, some, *torch.load(file, weights_only=True))
    if len(found.tokens) != len(some):
        raise Missing(f"{file} is of other scenes: delete it")
    return found


def keep(tensors: Tensor | tuple[Tensor, ...], file: Path) -> None:
    """Write tensors whole or not at all."""
    with whole_file(file) as partial:
        torch.save(tensors, partial)


def _truth(
    scene: DrawnScene, take: Take, sprites: Sprites, names: tuple[str, ...]
) -> tuple[Int64[Tensor, "cells 4"], Float[Tensor, "cells 2"]]:
    """Return what is true of each cell, as `SceneBatch` has it."""
    colours = tuple(COLOURS)
    owner = torch.from_numpy(cells(scene, take, sprites).astype(np.int64)).flatten()
    truth = torch.full((len(owner), 4), UNTOLD)
    truth[:, 0], truth[:, 3] = len(names), 0
    sides = torch.zeros(len(owner), 2)
    for seen in see(scene, take):
        mine = owner == seen.number
        truth[mine, 0] = names.index(seen.thing.name)
        if seen.thing.colour:
            truth[mine, 1] = colours.index(seen.thing.colour)
        if seen.movement:
            truth[mine, 2] = MOVEMENTS.index(seen.movement)
    for frame, picture in enumerate(take.pictures):
        for place in scene.pictures[picture]:
            row, column = (min(max(int(at * GRID), 0), GRID - 1) for at in (place.y, place.x))
            cell = (frame * GRID + row) * GRID + column
            truth[cell, 3] = 1
            sides[cell] = torch.tensor(extent(scene, place, sprites))
    return truth, sides


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """What the heads learn from.

    Attributes:
        shown: Drawn scenes; a step takes equally many of each.
        judged: Drawn scenes that figures are taken on.
        real: The encoder's tokens of clips made of photographs.
    """

    shown: Sequence[SceneBatch]
    judged: SceneBatch
    real: Float[Tensor, "clips cells width"]


def learn_heads(
    width: int, lessons: Lessons, plan: StagePlan, report: Callable[[str], None]
) -> Heads:
    """Train the heads and return them.

    Args:
        width: Of the encoder's tokens.
        lessons: What from.
        plan: How.
        report: Given a line of text.
    """
    torch.manual_seed(plan.seed)
    names = tuple(word_table().of_drawing)
    heads = Heads(width, names)
    weights = torch.tensor([_SHAPE_WEIGHT if name in SHAPES else 1.0 for name in (*names, "")])

    def learn(step: int) -> float:
        choose = np.random.default_rng([plan.seed, step])
        torch.manual_seed(int(choose.integers(2**31)))  # of what is hidden
        parts = [_some(one, choose, _CLIPS // len(lessons.shown)) for one in lessons.shown]
        tokens, features, truth, sides = (torch.cat(part) for part in zip(*parts, strict=True))
        ground = truth[..., 0] == len(names)
        # Most cells are background: a quarter of them says as much in a third of the time.
        kept = ~ground | (torch.rand(ground.shape) < _BACKGROUND)
        said = heads.logits(dropout(tokens[kept], 0.1), dropout(features[kept], 0.3))
        truth, sides = truth[kept], sides[kept]
        middle = binary_cross_entropy_with_logits(
            said.middles,
            truth[:, 3].float(),
            weight=torch.where(truth[:, 0] == len(names), 1 / _BACKGROUND, 1.0),
        )
        at = truth[:, 3] == 1
        others = lessons.real[choose.integers(len(lessons.real), size=_CLIPS // 3)].float()
        loss = (
            cross_entropy(said.names, truth[:, 0], weight=weights)
            + 0.5 * cross_entropy(said.colours, truth[:, 1], ignore_index=UNTOLD)
            + cross_entropy(said.movements, truth[:, 2], ignore_index=UNTOLD)
            + 2 * middle
            + 4 * (said.sides[at].sigmoid() - sides[at]).abs().mean()
            + 0.3 * _told_apart(heads, tokens, others)
        )
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    @torch.inference_mode()
    def measure() -> Mapping[str, float]:
        return _figures(heads, lessons.judged)

    run(plan, heads, learn, measure, report)
    return heads


def _some(examples: SceneBatch, choose: np.random.Generator, count: int) -> tuple[Tensor, ...]:
    """Return tokens, features, truths and sides of `count` clips."""
    some = choose.integers(len(examples.takes), size=count)
    features = examples.features(some.tolist())
    return examples.tokens[some].float(), features, examples.truths[some], examples.sides[some]


def _told_apart(
    heads: Heads,
    drawn: Float[Tensor, "clips cells width"],
    real: Float[Tensor, "others cells width"],
) -> Tensor:
    """Return the loss of telling drawn clips from photographed ones, a frame at a time."""
    clips = torch.cat([drawn, real])
    frames = clips.reshape(len(clips), FRAMES, -1, clips.shape[-1])
    noisy = frames + 0.1 * torch.randn_like(frames)
    label = torch.cat([torch.ones(len(drawn)), torch.zeros(len(real))])
    return binary_cross_entropy_with_logits(
        heads.drawn_logit(noisy), label[:, None].expand(-1, FRAMES)
    )


def _figures(heads: Heads, judged: SceneBatch) -> Mapping[str, float]:
    """Return which share of cells is told rightly, by what is asked, and of clips known as drawn."""
    right, told, wrong = Counter[str](), Counter[str](), 0.0
    for n in range(0, len(judged.takes), _AT_ONCE):
        some = range(n, min(n + _AT_ONCE, len(judged.takes)))
        tokens, truth = judged.tokens[n : some.stop].float(), judged.truths[n : some.stop]
        drawn = heads.drawn_logit(tokens) > 0
        right["drawn"] += int(drawn.sum())
        told["drawn"] += len(some)
        said = heads.logits(tokens, judged.features(some))
        for what, logits, column in (("name", said.names, 0), ("colour", said.colours, 1), ("movement", said.movements, 2)):  # fmt: skip
            asked = (truth[..., column] >= 0) & (truth[..., 0] < len(heads.names))
            right[what] += int((logits.argmax(-1) == truth[..., column])[asked].sum())
            told[what] += int(asked.sum())
        asked = truth[..., 3] == 1
        right["middle"] += int((said.middles > 0)[asked].sum())
        told["middle"] += int(asked.sum())
        wrong += float((said.sides.sigmoid() - judged.sides[n : some.stop])[asked].abs().sum()) / 2
    shares = {what: right[what] / told[what] for what in told}
    return shares | {"side off by": wrong / max(told["middle"], 1)}
