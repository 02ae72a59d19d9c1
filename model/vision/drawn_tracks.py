"""The things of a drawn clip as tracks: where each is in one frame after the other.

In every frame the heads tell in which cells the middle of a thing is, and a cell belongs to the
nearest middle. Middles of one frame after the other that are near and alike are one thing. Cells alone,
each with a name of its own, made one piece of things that touch and two of a thing that was named twice.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from model.vision.networks.closer import View
from model.vision.networks.drawn import HeadsOutput
from model.vision.networks.lite_network import FRAMES, GRID

_MIDDLE, _PEAK = 0.35, 0.2
"""How likely a middle is in a cell and its neighbours, and in that cell."""
_COVERED = 0.5
_REACH = 2.5
"""Cells: no thing reaches further from its middle."""
_LIKE = 2.0
"""Cells that a thing must have come to be as unlikely the same as if it looked like another."""
_SAME = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """Where a thing is in one frame.

    Attributes:
        frame: Which.
        row: Of its middle.
        column: Of its middle.
        cells: Those that belong to it.
        names: How likely they are covered by each thing, added up.
        view: Where to look closely.
    """

    frame: int
    row: int
    column: int
    cells: Bool[Tensor, "rows columns"]
    names: Float[Tensor, " names"]
    view: View


Track = Sequence[Spot]
"""One thing, in one frame after the other."""


def tracks_of(said: HeadsOutput) -> list[list[Spot]]:
    """Return every thing as its spots in one frame after the other."""
    tracks: list[list[Spot]] = []
    for frame in range(FRAMES):
        spots = list(_spots(said, frame))
        pairs = sorted(
            (_unlike(track[-1], spot), number, other)
            for number, track in enumerate(tracks)
            for other, spot in enumerate(spots)
        )
        followed: set[int] = set()
        known: set[int] = set()
        for unlike, number, other in pairs:
            if unlike <= _SAME and number not in followed and other not in known:
                tracks[number].append(spots[other])
                followed.add(number)
                known.add(other)
        tracks += [[spot] for other, spot in enumerate(spots) if other not in known]
    return tracks


def _spots(said: HeadsOutput, frame: int) -> Iterator[Spot]:
    names = said.names.view(FRAMES, GRID, GRID, -1)[frame]
    middles = list(_middles(said.middles.view(FRAMES, GRID, GRID)[frame]))
    if not middles:
        return
    cells = torch.cartesian_prod(torch.arange(GRID), torch.arange(GRID)).float()
    apart, nearest = torch.cdist(cells, torch.tensor(middles).float()).min(dim=1)
    covered = (names[..., -1] < _COVERED).flatten().cpu() & (apart <= _REACH)
    covered |= apart == 0
    for number, (row, column) in enumerate(middles):
        mine = (covered & (nearest == number)).view(GRID, GRID).to(names.device)
        yield Spot(
            frame,
            row,
            column,
            mine,
            names[mine][:, :-1].sum(dim=0),
            _view(said, frame, row, column),
        )


def _view(said: HeadsOutput, frame: int, row: int, column: int) -> View:
    """Return where a thing is whose middle is in a cell."""
    middles = said.middles.view(FRAMES, GRID, GRID)[frame]
    top, left = max(row - 1, 0), max(column - 1, 0)
    around = middles[top : row + 2, left : column + 2]
    down, along = (torch.arange(n, device=around.device) + 0.5 for n in around.shape)
    y = float((around.sum(dim=1) @ down) / around.sum()) + top
    x = float((around.sum(dim=0) @ along) / around.sum()) + left
    width, height = said.sides.view(FRAMES, GRID, GRID, 2)[frame, row, column].tolist()
    return View(frame, x / GRID, y / GRID, width, height)


def _middles(likely: Float[Tensor, "rows columns"]) -> Iterator[tuple[int, int]]:
    """Yield in which cells of a frame the middle of a thing is, the likeliest first."""
    left = likely.clone()
    while True:
        row, column = divmod(int(left.argmax()), GRID)
        if left[row, column] < _PEAK:
            return
        # A middle at the edge of two cells is half in each.
        around = left[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        if around.sum() >= _MIDDLE:
            yield row, column
        around.zero_()


def _unlike(one: Spot, other: Spot) -> float:
    """Return how unlikely two spots are the same thing: in cells that they are apart."""
    apart = math.hypot(one.row - other.row, one.column - other.column)
    alike = torch.minimum(one.names / one.names.sum(), other.names / other.names.sum()).sum()
    return apart + _LIKE * (1 - float(alike))
