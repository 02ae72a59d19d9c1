"""The things of a drawn clip, by what the heads say of its cells.

In every frame the heads tell in which cells the middle of a thing is, and a cell belongs to the
nearest middle. Middles of one frame after the other that are near and alike are one thing, which all
its cells name together, and a closer look at it (`model/vision/networks/closer.py`); things of one name
are several of it. Cells alone, each with a name of its own, made one piece of things that touch and two
of a thing that was named twice.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from statistics import median_low

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from model.vision.networks.closer import View
from model.vision.networks.drawn import STILL, HeadsOutput
from model.vision.networks.lite_network import FRAMES, GRID
from model.vision.things import SURE, Thing
from model.vision.vocabulary import WordTable

_SHAPES = ("circle", "square", "triangle", "star", "heart", "diamond")
_IS_DRAWN, _MAY_BE_DRAWN = 0.5, 0.25
"""How surely a clip is drawn that is taken as drawn, and that is looked at closely to tell."""
_PLAIN, _HALF = 0.44, 0.35
"""How sure the cells of a thing are, together, of one that is said plainly, and with a perhaps."""
_MIDDLE, _PEAK = 0.35, 0.2
"""How likely a middle is in a cell and its neighbours, and in that cell."""
_COVERED = 0.5
_REACH = 2.5
"""Cells: no thing reaches further from its middle."""
_LIKE = 2.0
"""Cells that a thing must have come to be as unlikely the same as if it looked like another."""
_SAME = 4.0
_FAR, _NEAR = 0.14, 0.08
"""Shares of the frame: who has come so far moves whatever its cells say; who has not even come so far
is still, unless its cells are very sure that it moves."""
_LOOKS = 4
"""Close looks at a clip: at the things of most cells, and at few things in several frames, for frames of
live video are blurred each in another way."""
_CLOSE = 0.5
"""What a closer look says counts so much, and what the cells say the rest."""
_PIECE = 0.35
"""Of the largest thing's cells: fewer that are no surer than it are mostly a part of it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Spot:
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


Look = Callable[[Sequence[View]], Float[Tensor, "views names"]]
"""How likely each name is of what is at each view; the last is that nothing is there."""


def drawn_things(
    said: HeadsOutput, table: WordTable, names: tuple[str, ...], look: Look | None = None
) -> list[Thing] | None:
    """Return the things of a drawn clip, the largest first; None if most of it is not drawn.

    Args:
        said: By the heads.
        table: The words.
        names: Of the drawn things, in the order of the heads.
        look: Looks at things closely; without it their cells alone name them.
    """
    drawn = sum(said.drawn) / len(said.drawn)
    if drawn < _MAY_BE_DRAWN:
        return None
    all_tracks = _tracks(said)
    shares, nothing = _shares(all_tracks, look)
    # A photograph that is taken for a drawing shows nothing drawn to a closer look; and what may
    # be a drawing is one, if there is something.
    is_drawn = drawn >= _IS_DRAWN if nothing is None else nothing < min(drawn, _IS_DRAWN)
    if not is_drawn:
        return None
    tracks = sorted((int(shares[n].argmax()), n) for n in range(len(all_tracks)))
    found = []
    for name, same in groupby(tracks, key=lambda one: one[0]):
        numbers = [number for _, number in same]
        alike = [all_tracks[number] for number in numbers]
        sizes = [sum(int(spot.cells.sum()) for spot in track) for track in alike]
        size = sum(sizes)
        sure = (
            sum(float(shares[number][name]) * n for number, n in zip(numbers, sizes, strict=True))
            / size
        )
        if size < 2 or sure < _HALF:
            continue
        shape = names[name] in _SHAPES
        thing = _thing(said, alike, table.of_drawing[names[name]], sure, has_colour=shape)
        found.append((size, sure, thing))
    found.sort(key=lambda one: -one[0] * one[1])
    return _without_pieces(found)


def _tracks(said: HeadsOutput) -> list[list[_Spot]]:
    """Return every thing as its spots in one frame after the other."""
    tracks: list[list[_Spot]] = []
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


def _spots(said: HeadsOutput, frame: int) -> Iterator[_Spot]:
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
        yield _Spot(
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


def _shares(
    tracks: Sequence[Sequence[_Spot]], look: Look | None
) -> tuple[list[Float[Tensor, " names"]], float | None]:
    """Return how likely each thing has each name, and how likely nothing drawn is there at all.

    The latter is None where nothing was looked at.
    """
    by_cells = [torch.stack([spot.names for spot in track]).sum(dim=0) for track in tracks]
    shares = [one / one.sum() for one in by_cells]
    if look is None or not tracks:
        return shares, None
    cells = [sum(int(spot.cells.sum()) for spot in track) for track in tracks]
    largest = sorted(range(len(tracks)), key=lambda n: -cells[n])[:_LOOKS]
    views = [_views(tracks[n], _LOOKS // len(largest)) for n in largest]
    looks = torch.split(look(list(chain.from_iterable(views))), [len(some) for some in views])
    means = torch.stack([some.mean(dim=0) for some in looks])
    for number, seen in zip(largest, means, strict=True):
        shares[number] = (1 - _CLOSE) * shares[number] + _CLOSE * seen[:-1]
    return shares, float(means[:, -1].mean())


def _views(track: Sequence[_Spot], most: int) -> list[View]:
    """Return where a thing is seen best, in so many frames at most."""
    best = sorted(track, key=lambda spot: -float(spot.names.sum()))
    return [spot.view for spot in best[:most]]


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


def _unlike(one: _Spot, other: _Spot) -> float:
    """Return how unlikely two spots are the same thing: in cells that they are apart."""
    apart = math.hypot(one.row - other.row, one.column - other.column)
    alike = torch.minimum(one.names / one.names.sum(), other.names / other.names.sum()).sum()
    return apart + _LIKE * (1 - float(alike))


def _thing(
    said: HeadsOutput,
    tracks: Sequence[Sequence[_Spot]],
    word: int,
    sure: float,
    *,
    has_colour: bool,
) -> Thing:
    """Return things that have one name as one, or as several of a kind."""
    mine = torch.zeros(FRAMES, GRID, GRID, dtype=torch.bool, device=said.names.device)
    for spot in (spot for track in tracks for spot in track):
        mine[spot.frame] |= spot.cells
    sizes = mine.flatten(1).sum(dim=1).tolist()
    frames = [n for n in range(FRAMES) if sizes[n] > 0 and sizes[n] >= _PIECE * max(sizes)]
    count = median_low([sum(s.frame == frame for t in tracks for s in t) for frame in frames])
    shown = mine[frames[-1]]
    rows, columns = shown.nonzero(as_tuple=True)
    covered = (1 - said.names[:, -1].view(FRAMES, GRID, GRID)).clamp_min(1e-3) * mine
    return Thing(
        word,
        sure=_as_said(sure),
        count=max(1, min(count, 5)),
        colour=_most(said.colours[mine.flatten()]) if has_colour else None,
        movement=_movement(said.movements[mine.flatten()], covered[frames]) if count == 1 else None,
        x=(float(columns.float().mean()) + 0.5) / GRID,
        y=(float(rows.float().mean()) + 0.5) / GRID,
        width=(int(columns.max() - columns.min()) + 1) / GRID,
        height=(int(rows.max() - rows.min()) + 1) / GRID,
    )


def _as_said(sure: float) -> float:
    """Return how sure cells and closer look are, together, as everything else counts it: `SURE` is plain."""
    return SURE + (1 - SURE) * (sure - _PLAIN) / (1 - _PLAIN) if sure >= _PLAIN else 0.3


def _without_pieces(found: list[tuple[int, float, Thing]]) -> list[Thing]:
    """Return things without what is most likely a piece of the largest under another name."""
    if not found:
        return []
    most, surest, _ = found[0]
    kept = [t for cells, sure, t in found if cells >= _PIECE * most or sure > surest]
    plain = [thing for thing in kept if thing.sure >= SURE]
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
