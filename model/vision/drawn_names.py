"""What the things of a drawn clip are called, by their cells and by a closer look at each.

Cells and closer look are wrong about different drawings, and each is surer than it may be: so what one
of them holds for impossible does not become likely by what the other says (their logarithms are added,
not their shares). Things that look alike are of one name, which what is seen of all of them tells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cosine_similarity

from model.vision.drawn_tracks import Spot, Track
from model.vision.networks.closer import View

LOOKS = 4
"""Close looks at a clip: at the things of most cells, and at few things in several frames, for frames of
live video are blurred each in another way."""
_BY_CELLS, _BY_LOOK = 0.8, 0.7
"""How much the logarithm of what each says counts: less than 1, since they are often wrong together."""
_LEAST = 0.002
"""What is held for impossible is only that unlikely."""
_ALIKE = 0.65
"""How alike closer looks are at drawings that are the same (the cosine of their logarithms); 97 in 100 pairs of
different ones are less so."""
_WELL = 0.5
"""Of what is covered in the frame that shows a thing best: a closer look at less is one at what is behind it."""
_NOTHING = 0.5
"""Where a closer look says so surely that nothing is drawn, nothing is."""

Look = Callable[[Sequence[View]], Float[Tensor, "views names"]]
"""How likely each name is of what is at each view; the last is that nothing is there."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Things that look alike, and how likely each name is theirs."""

    tracks: tuple[Track, ...]
    names: Float[Tensor, " names"]

    @property
    def size(self) -> int:
        """How many cells they have in all frames."""
        return sum(map(_cells, self.tracks))


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """What one thing is called by its cells, and by closer looks if there were any."""

    track: Track
    cells: Float[Tensor, " names"]
    close: Float[Tensor, " names"] | None = None
    nothing: float = 0.0


def named(tracks: Sequence[Track], look: Look | None) -> tuple[list[Alike], float | None]:
    """Return things with their names, and how likely nothing drawn is there at all.

    The latter is None where nothing was looked at; then every thing is named by its cells alone.
    """
    if look is None or not tracks:
        return [Alike((track,), _by_cells(track)) for track in tracks], None
    looked = _looked(tracks, look)
    seen = [one for one in looked if one.close is not None]
    nothing = sum(one.nothing for one in seen) / len(seen)
    groups: list[list[_Looked]] = []
    for one in looked:
        if one.nothing >= _NOTHING:
            continue
        like = [(_likeness(one, group), number) for number, group in enumerate(groups)]
        best, number = max(like, default=(0.0, 0))
        if best >= _ALIKE:
            groups[number].append(one)
        else:
            groups.append([one])
    return [Alike(tuple(o.track for o in group), _together(group)) for group in groups], nothing


def _cells(track: Track) -> int:
    return sum(int(spot.cells.sum()) for spot in track)


def _by_cells(track: Track) -> Float[Tensor, " names"]:
    total = torch.stack([spot.names for spot in track]).sum(dim=0)
    return total / total.sum()


def _looked(tracks: Sequence[Track], look: Look) -> list[_Looked]:
    """Return what is said of every thing, those of most cells first; only of those there are closer looks."""
    ordered = sorted(tracks, key=_cells, reverse=True)
    largest = ordered[:LOOKS]
    views = [_views(track, LOOKS // len(largest)) for track in largest]
    looks = torch.split(look(list(chain.from_iterable(views))), [len(some) for some in views])
    seen = [
        _Looked(track, _by_cells(track), _log(some[:, :-1]).mean(dim=0), float(some[:, -1].mean()))
        for track, some in zip(largest, looks, strict=True)
    ]
    return seen + [_Looked(track, _by_cells(track)) for track in ordered[LOOKS:]]


def _views(track: Track, most: int) -> list[View]:
    """Return where a thing is seen best, in so many frames at most; where it hardly is there is nothing to look at."""
    best = sorted(track, key=lambda spot: -_covered(spot))
    least = _WELL * _covered(best[0])
    return [spot.view for spot in best[:most] if _covered(spot) >= least]


def _covered(spot: Spot) -> float:
    """Return how many cells a thing covers in a frame, each by how likely."""
    return float(spot.names.sum())


def _likeness(one: _Looked, group: Sequence[_Looked]) -> float:
    """Return how alike closer looks at a thing and at those of a group are; 0 where there are none."""
    if one.close is None:
        return 0.0
    others = [other.close for other in group if other.close is not None]
    if not others:
        return 0.0
    centred = torch.stack([close - close.mean() for close in (one.close, *others)])
    return float(cosine_similarity(centred[:1], centred[1:]).mean())


def _together(group: Sequence[_Looked]) -> Float[Tensor, " names"]:
    """Return how likely each name is of things that look alike."""
    closes = [one.close for one in group if one.close is not None]
    cells = torch.stack([one.cells for one in group])
    if not closes:
        return cells.mean(dim=0)
    likely = _BY_CELLS * _log(cells).mean(dim=0) + _BY_LOOK * torch.stack(closes).mean(dim=0)
    nothing = sum(one.nothing for one in group) / len(closes)
    return likely.softmax(dim=-1) * (1 - nothing)


def _log(likely: Tensor) -> Tensor:
    return (likely + _LEAST).log()
