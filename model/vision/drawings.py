"""The things of a drawn clip, by what the heads say of its cells and a closer look at them.

`model/vision/drawn_tracks.py` tells which cells are one thing in frame after frame,
`model/vision/drawn_names.py` what things are called; here those of one name become several of it.
"""

from collections.abc import Sequence
from itertools import chain, groupby
from statistics import median_high

import torch
from jaxtyping import Float
from torch import Tensor

from model.vision.drawn_names import Alike, Look, named
from model.vision.drawn_tracks import Track, tracks_of
from model.vision.networks.drawn import STILL, HeadsOutput
from model.vision.networks.lite_network import FRAMES, GRID
from model.vision.things import SURE, Thing
from model.vision.vocabulary import WordTable

_SHAPES = ("circle", "square", "triangle", "star", "heart", "diamond")
_IS_DRAWN, _MAY_BE_DRAWN = 0.5, 0.1
"""How surely a clip is drawn that is taken as drawn, and that is looked at closely to tell."""
_HALF, _PERHAPS = 0.35, 0.3
"""How sure cells and closer look are, together, of what is said with a perhaps, and how sure it is said to be."""
_FAR, _NEAR = 0.14, 0.08
"""Shares of the frame: who has come so far moves whatever its cells say; who has not even come so far
is still, unless its cells are very sure that it moves."""
_PIECE = 0.35
"""Of the largest thing's cells: fewer that are not surer than it are mostly a part of it."""
_NO_PIECE = 0.9
"""From this sureness on a thing is not taken for a part of another, however few cells it has."""


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
    groups, nothing = named(tracks_of(said), look)
    # A photograph that is taken for a drawing shows nothing drawn to a closer look; and what may
    # be a drawing is one, if there is something.
    is_drawn = drawn >= _IS_DRAWN if nothing is None else nothing < min(drawn, _IS_DRAWN)
    if not is_drawn:
        return None
    found = []
    ordered = sorted(groups, key=_name)
    for name, same in groupby(ordered, key=_name):
        of_name = list(same)
        size, sure = _size_and_sureness(of_name, name)
        if size < 2 or sure < _HALF:
            continue
        tracks = list(chain.from_iterable(one.tracks for one in of_name))
        shape = names[name] in _SHAPES
        thing = _thing(said, tracks, table.of_drawing[names[name]], sure, has_colour=shape)
        found.append((size, sure, thing))
    found.sort(key=lambda one: -one[0] * one[1])
    return _without_pieces(found)


def _name(one: Alike) -> int:
    return int(one.names.argmax())


def _size_and_sureness(groups: Sequence[Alike], name: int) -> tuple[int, float]:
    """Return how many cells things of one name have, and how surely it is theirs."""
    size = sum(one.size for one in groups)
    return size, sum(float(one.names[name]) * one.size for one in groups) / size


def _thing(
    said: HeadsOutput, tracks: Sequence[Track], word: int, sure: float, *, has_colour: bool
) -> Thing:
    """Return things that have one name as one, or as several of a kind."""
    mine = torch.zeros(FRAMES, GRID, GRID, dtype=torch.bool, device=said.names.device)
    for spot in (spot for track in tracks for spot in track):
        mine[spot.frame] |= spot.cells
    sizes = mine.flatten(1).sum(dim=1).tolist()
    frames = [n for n in range(FRAMES) if sizes[n] > 0 and sizes[n] >= _PIECE * max(sizes)]
    # Of two frames that differ the one that shows more is right: middles are overlooked, hardly ever made up.
    count = median_high([sum(s.frame == frame for t in tracks for s in t) for frame in frames])
    shown = mine[frames[-1]]
    rows, columns = shown.nonzero(as_tuple=True)
    covered = (1 - said.names[:, -1].view(FRAMES, GRID, GRID)).clamp_min(1e-3) * mine
    return Thing(
        word,
        sure=sure if sure >= SURE else _PERHAPS,
        count=max(1, min(count, 5)),
        colour=_most(said.colours[mine.flatten()]) if has_colour else None,
        movement=_movement(said.movements[mine.flatten()], covered[frames]) if count == 1 else None,
        x=(float(columns.float().mean()) + 0.5) / GRID,
        y=(float(rows.float().mean()) + 0.5) / GRID,
        width=(int(columns.max() - columns.min()) + 1) / GRID,
        height=(int(rows.max() - rows.min()) + 1) / GRID,
    )


def _without_pieces(found: list[tuple[int, float, Thing]]) -> list[Thing]:
    """Return things without what is most likely a piece of the largest under another name."""
    if not found:
        return []
    most, surest, _ = found[0]
    needed = min(surest, _NO_PIECE)
    kept = [t for cells, sure, t in found if cells >= _PIECE * most or sure > needed]
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
