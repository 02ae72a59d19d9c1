"""Stage `closer`: teach one layer to name what the image network sees in close-ups of drawings.

The image network stands, so what it sees is computed once and kept, a shard at a time; the layer itself
then takes a minute. Windows of photographs are examples of what is not drawn.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64
from PIL import Image
from torch import Tensor
from torch.nn.functional import cross_entropy, dropout

from model.vision.networks.closer import CLOSE, Closer, seen_closely
from model.vision.networks.lite_network import LiteVision
from training.drawn.closeups import some_close_up
from training.drawn.drawings import Sprites
from training.drawn.scenes import SHAPES
from training.lite.loop import StagePlan, run
from training.lite.photographs import shrunken
from training.whole_files import whole_file

SHARD = 512  # close-ups
_AT_ONCE = 32
_BATCH = 512
_PHOTOS = 1 / 16
"""Share of a step's close-ups that are of photographs."""
WINDOWS = 8
"""Close-ups of each photograph."""


@dataclass(frozen=True, slots=True, eq=False)
class CloseUps:
    """What the image network sees in close-ups, and the number of the name of each."""

    seen: Float[Tensor, "views seen"]
    names: Int64[Tensor, " views"]


def keep_close_ups(
    vision: LiteVision,
    sprites: Sprites,
    backdrops: tuple[str, ...],
    names: tuple[str, ...],
    shards: range,
    folder: Path,
    progress: Callable[[int], None] = lambda _: None,
) -> CloseUps:
    """Return close-ups of drawn things, computing what `folder` lacks.

    Args:
        vision: Only its image network is used.
        sprites: The drawings to use.
        backdrops: Kinds of background.
        names: Of things; the number after the last is that of nothing.
        shards: One seed each.
        folder: For the shards.
        progress: Called after each shard with the number of its close-ups.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for shard in shards:
        path = folder / f"close-{shard:05d}.npz"
        if not path.exists():
            _write(path, *_shard(vision, sprites, backdrops, names, shard))
        with np.load(path) as kept:
            parts.append((torch.from_numpy(kept["seen"]), torch.from_numpy(kept["names"])))
        progress(SHARD)
    seen, numbers = (torch.cat(part) for part in zip(*parts, strict=True))
    return CloseUps(seen, numbers)


def _shard(
    vision: LiteVision,
    sprites: Sprites,
    backdrops: tuple[str, ...],
    names: tuple[str, ...],
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng([seed, 13])
    pictures, numbers = [], []
    for _ in range(SHARD):
        pixels, name = some_close_up(random, sprites, backdrops)
        pictures.append(pixels)
        numbers.append(len(names) if name is None else names.index(name))
    return _seen(vision, np.stack(pictures)).numpy(), np.array(numbers)


@torch.inference_mode()
def _seen(vision: LiteVision, pictures: np.ndarray) -> Float[Tensor, "views seen"]:
    frames = torch.from_numpy(pictures).movedim(-1, 1)
    parts = [
        seen_closely(vision, frames[n : n + _AT_ONCE]) for n in range(0, len(frames), _AT_ONCE)
    ]
    return torch.cat(parts).half()


def _write(path: Path, seen: np.ndarray, names: np.ndarray) -> None:
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez(file, seen=seen, names=names)


def windows(
    vision: LiteVision, paths: list[Path], random: np.random.Generator
) -> Float[Tensor, "views seen"]:
    """Return what the image network sees in windows of photographs."""
    pictures = []
    for path in paths:
        small = shrunken(path, 800)
        for _ in range(WINDOWS):
            side = max(1, int(random.uniform(0.15, 0.9) * min(small.size)))
            left, top = (int(random.integers(room - side + 1)) for room in small.size)
            window = small.crop((left, top, left + side, top + side))
            pictures.append(np.asarray(window.resize((CLOSE, CLOSE), Image.Resampling.BICUBIC)))
    return _seen(vision, np.stack(pictures))


def learn_closer(
    names: tuple[str, ...],
    shown: CloseUps,
    judged: CloseUps,
    real: Float[Tensor, "views seen"],
    plan: StagePlan,
    report: Callable[[str], None],
) -> Closer:
    """Train the layer and return it.

    Args:
        names: Of things.
        shown: Close-ups to learn from.
        judged: Close-ups to measure on.
        real: Windows of photographs.
        plan: How.
        report: Given a line of text.
    """
    torch.manual_seed(plan.seed)
    closer = Closer(names)

    def learn(step: int) -> float:
        choose = np.random.default_rng([plan.seed, step])
        torch.manual_seed(int(choose.integers(2**31)))  # of what is hidden
        some = choose.integers(len(shown.seen), size=_BATCH)
        others = choose.integers(len(real), size=int(_BATCH * _PHOTOS))
        seen = torch.cat([shown.seen[some], real[others]]).float()
        number = torch.cat([shown.names[some], torch.full((len(others),), len(names))])
        logits = closer.name(dropout(closer.norm(seen), 0.3))
        loss = cross_entropy(logits, number, label_smoothing=0.05)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    @torch.inference_mode()
    def measure() -> Mapping[str, float]:
        right = closer(judged.seen.float()).argmax(-1) == judged.names
        shape = torch.isin(judged.names, torch.tensor([names.index(name) for name in SHAPES]))
        nothing = judged.names == len(names)
        kinds = {"drawing": ~shape & ~nothing, "shape": shape, "nothing": nothing}
        return {what: float(right[some].float().mean()) for what, some in kinds.items()}

    run(plan, closer, learn, measure, report)
    return closer
