"""What the fixed image network sees in every picture of many scenes, computed once.

The image network never changes and is nearly all of the work, so its features are kept in a
folder of shards, 64 KB and some a picture. A shard is written whole or not at all: stopping and
starting again goes on where it was.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from model.vision.networks.lite_network import TRUNK_WIDTH, LiteVision
from training.drawn.backgrounds import TRAINING_KINDS
from training.drawn.drawings import Sprites
from training.drawn.scenes import DrawnScene, draw_scene, plan_scene
from training.drawn.takes import GRID, Take
from training.whole_files import whole_file

SHARD = 250  # scenes


def cache_features(
    vision: LiteVision,
    sprites: Sprites,
    seeds: range,
    folder: Path,
    backdrops: Sequence[str] = TRAINING_KINDS,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Draw the scenes of `seeds` and keep their features in `folder`; what is there stays.

    Args:
        vision: Only its image network is used.
        sprites: The drawings to use.
        seeds: One scene each.
        folder: For the shards; give each set of drawings its own.
        backdrops: Kinds of background.
        progress: Called after each shard with the number of its scenes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(seeds.start, seeds.stop, SHARD):
        shard = range(first, min(first + SHARD, seeds.stop))
        path = shard_path(folder, shard.start)
        if not path.exists():
            scenes = [plan_scene(seed, sprites, backdrops) for seed in shard]
            _write(path, _features(vision, scenes, sprites))
        progress(len(shard))


def shard_path(folder: Path, first: int) -> Path:
    """Return where the features of the scenes from seed `first` on are kept."""
    return folder / f"features-{first:07d}.npy"


@torch.inference_mode()
def _features(vision: LiteVision, scenes: Sequence[DrawnScene], sprites: Sprites) -> np.ndarray:
    total = sum(len(scene.pictures) for scene in scenes)
    out = np.empty((total, GRID * GRID, TRUNK_WIDTH), np.float16)
    row = 0
    for scene in scenes:
        pictures = torch.from_numpy(np.stack(draw_scene(scene, sprites)))
        seen = vision.trunk(pictures.movedim(-1, 1)[None])[0]
        out[row : row + len(pictures)] = seen.to(torch.float16).numpy()
        row += len(pictures)
    return out


def _write(path: Path, rows: np.ndarray) -> None:
    with whole_file(path) as partial, partial.open("wb") as file:
        np.save(file, rows)


class FeatureBank:
    """The scenes whose features are in a folder, ready to be put together as clips.

    Args:
        folder: Where `cache_features` kept them.
        sprites: The drawings they were made with.
        backdrops: Kinds of background that they were made with.
    """

    def __init__(
        self, folder: Path, sprites: Sprites, backdrops: Sequence[str] = TRAINING_KINDS
    ) -> None:
        self.scenes: list[DrawnScene] = []
        self._shards: list[np.ndarray] = []
        self._where: list[tuple[int, int]] = []
        for path in sorted(folder.glob("features-*.npy")):
            rows = np.load(path, mmap_mode="r")
            seed, row = int(path.stem.removeprefix("features-")), 0
            while row < len(rows):
                scene = plan_scene(seed, sprites, backdrops)
                self.scenes.append(scene)
                self._where.append((len(self._shards), row))
                row += len(scene.pictures)
                seed += 1
            self._shards.append(rows)

    def clips(self, takes: Sequence[Take]) -> Float[Tensor, "clips frames cells trunk"]:
        """Return the features of clips, in half precision."""
        out = np.empty((len(takes), 4, GRID * GRID, TRUNK_WIDTH), np.float16)
        for number, take in enumerate(takes):
            shard, row = self._where[take.scene]
            for frame, picture in enumerate(take.pictures):
                out[number, frame] = self._shards[shard][row + picture]
        return torch.from_numpy(out)
