"""Heads on the encoder's tokens: whether a clip is drawn, and which drawn things it shows.

Photographs are known through the published networks; drawings and plain shapes are what our own
blocks were trained on (`training/lite/heads.py`). A cell says which thing covers it, of what colour, and
which way that moves; neighbouring cells of one name are one thing.
"""

from collections import Counter
from statistics import median_low
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from model.vision.networks.lite_network import FRAMES, GRID
from model.vision.things import Thing
from model.vision.vocabulary import WordTable

_SHAPES = ("circle", "square", "triangle", "star", "heart", "diamond")
_SHAPE_COLOURS = 9
"""The first of `COLOURS` are those of shapes."""
STILL = 4
"""The movement after left, right, up and down."""
_IS_DRAWN = 0.5
_PLAIN, _HALF = 0.65, 0.4
"""How sure its cells are, on average, of a thing that is said plainly, and of one with a perhaps."""
_FAR, _NEAR = 0.14, 0.08
"""Shares of the frame: who has come so far moves whatever its cells say; who has not even come so far
is still, unless its cells are very sure that it moves."""
_PIECE = 0.35
"""Of the largest thing's cells: fewer that are no surer than it are mostly a part of it."""


class Said(NamedTuple):
    """What the heads say of one clip."""

    names: Float[Tensor, "cells names"]
    """How likely each cell is covered by each thing; the last column is background."""
    colours: Float[Tensor, "cells colours"]
    movements: Float[Tensor, "cells movements"]
    drawn: tuple[float, ...]
    """How likely each frame is drawn."""


class Heads(nn.Module):
    """Small networks on each token."""

    def __init__(self, width: int, names: tuple[str, ...], hidden: int = 256) -> None:
        super().__init__()
        self.names = names
        self.up = nn.Linear(width, hidden)
        self.name = nn.Linear(hidden, len(names) + 1)
        self.colour = nn.Linear(hidden, _SHAPE_COLOURS)
        self.movement = nn.Linear(hidden, STILL + 1)
        self.drawn = nn.Linear(hidden, 1)

    def logits(
        self, tokens: Float[Tensor, "*batch cells width"]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the logits of names, colours, movements, and of the clip being drawn."""
        hidden = nn.functional.gelu(self.up(tokens))
        return (
            self.name(hidden),
            self.colour(hidden),
            self.movement(hidden),
            self.drawn(hidden.mean(dim=-2))[..., 0],
        )

    def forward(self, tokens: Float[Tensor, "cells width"]) -> Said:
        """Return what is said of one clip."""
        # By frame: a clip may be drawn in part. What is said of a cell is the same either way.
        by_frame = self.logits(tokens.view(FRAMES, -1, tokens.shape[-1]))
        names, colours, movements = (part.flatten(0, 1).softmax(-1) for part in by_frame[:3])
        return Said(names, colours, movements, tuple(by_frame[3].sigmoid().tolist()))


def drawn_things(said: Said, table: WordTable, names: tuple[str, ...]) -> list[Thing] | None:
    """Return the things of a drawn clip, the largest first; None if most of it is not drawn.

    Args:
        said: By the heads.
        table: The words.
        names: Of the drawn things, in the order of the heads.
    """
    if sum(said.drawn) < _IS_DRAWN * len(said.drawn):
        return None
    best = said.names.argmax(dim=-1).view(FRAMES, GRID, GRID)
    background = said.names.shape[-1] - 1
    counts = Counter(best[best != background].tolist())
    found = []
    for name, cells in counts.items():
        mine = best == name
        sure = float(said.names[mine.flatten(), name].mean())
        sizes = mine.flatten(1).sum(dim=1).tolist()
        frames = [n for n in range(FRAMES) if sizes[n] > 0 and sizes[n] >= _PIECE * max(sizes)]
        if cells < 2 or sure < _HALF:
            continue
        shown = mine[frames[-1]]
        pieces = median_low([_pieces(mine[n]) for n in frames])
        rows, columns = shown.nonzero(as_tuple=True)
        covered = said.names[:, name].view(FRAMES, GRID, GRID) * mine
        thing = Thing(
            table.of_drawing[names[name]],
            sure=sure if sure >= _PLAIN else 0.3,
            count=max(1, min(pieces, 5)),
            colour=_most(said.colours[mine.flatten()]) if names[name] in _SHAPES else None,
            movement=_movement(said.movements[mine.flatten()], covered[frames])
            if pieces == 1
            else None,
            x=(float(columns.float().mean()) + 0.5) / GRID,
            y=(float(rows.float().mean()) + 0.5) / GRID,
            width=(int(columns.max() - columns.min()) + 1) / GRID,
            height=(int(rows.max() - rows.min()) + 1) / GRID,
        )
        found.append((cells, sure, thing))
    found.sort(key=lambda one: -one[0] * one[1])
    return _without_pieces(found)


def _without_pieces(found: list[tuple[int, float, Thing]]) -> list[Thing]:
    """Return things without what is most likely a piece of the largest under another name."""
    if not found:
        return []
    most, surest, _ = found[0]
    kept = [t for cells, sure, t in found if cells >= _PIECE * most or sure > surest]
    plain = [thing for thing in kept if thing.sure >= _PLAIN]
    return plain or kept[:2]


def _most(shares: Float[Tensor, "cells n"]) -> int:
    return int(shares.mean(dim=0).argmax())


def _movement(
    shares: Float[Tensor, "cells movements"], covered: Float[Tensor, "frames rows columns"]
) -> int | None:
    """Return which way a thing moves, by what its cells say and how far its middle has come.

    Args:
        shares: Of each of its cells.
        covered: How likely each cell is covered by it, in the frames that show it.
    """
    x, y = (
        end - start for start, end in zip(_middle(covered[0]), _middle(covered[-1]), strict=True)
    )
    way = shares.new_tensor([-x, x, -y, y]) / _FAR
    still = 1 - max(abs(x), abs(y)) / _NEAR if len(covered) > 1 else 0.0
    scores = shares.mean(dim=0) + torch.cat([way, way.new_tensor([still])]).clamp(-1, 1)
    best = int(scores.argmax())
    return None if best == STILL else best


def _middle(covered: Float[Tensor, "rows columns"]) -> tuple[float, float]:
    line = (torch.arange(GRID, device=covered.device) + 0.5) / GRID
    total = covered.sum()
    return float(covered.sum(0) @ line / total), float(covered.sum(1) @ line / total)


def _pieces(mask: Bool[Tensor, "rows columns"]) -> int:
    """Return how many groups of neighbouring cells there are, corner to corner included.

    A group much smaller than the largest is a piece of a thing: a rocket's flame, a star's point.
    """
    left = {(int(r), int(c)) for r, c in mask.nonzero().tolist()}
    sizes = []
    while left:
        size, reach = 0, [left.pop()]
        while reach:
            row, column = reach.pop()
            size += 1
            around = {(row + r, column + c) for r in (-1, 0, 1) for c in (-1, 0, 1)} & left
            left -= around
            reach += around
        sizes.append(size)
    return sum(size >= _PIECE * max(sizes) for size in sizes)
