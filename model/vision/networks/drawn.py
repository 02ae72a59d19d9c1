"""Heads on the encoder's tokens: whether a clip is drawn, and what drawn thing is in which cell.

Photographs are known through the published networks; drawings and plain shapes are what our own
blocks were trained on (`training/lite/heads.py`). A cell says which thing covers it, of what colour,
which way that moves, whether its middle is here and how large it is (`model/vision/drawings.py` makes things of that).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.vision.networks.lite_network import FRAMES, TRUNK_WIDTH

_SHAPE_COLOURS = 9
"""The first of `COLOURS` are those of shapes."""
STILL = 4
"""The movement after left, right, up and down."""
_GATE = 64
"""Width of the network that tells what is drawn."""


class CellLogits(NamedTuple):
    """Logits of cells."""

    names: Float[Tensor, "*cells names"]
    colours: Float[Tensor, "*cells colours"]
    movements: Float[Tensor, "*cells movements"]
    middles: Float[Tensor, "*cells"]
    sides: Float[Tensor, "*cells 2"]


class HeadsOutput(NamedTuple):
    """What the heads say of one clip."""

    names: Float[Tensor, "cells names"]
    """How likely each cell is covered by each thing; the last column is background."""
    colours: Float[Tensor, "cells colours"]
    movements: Float[Tensor, "cells movements"]
    middles: Float[Tensor, " cells"]
    """How likely the middle of a thing is in each cell."""
    sides: Float[Tensor, "cells 2"]
    """How wide and how high a thing is whose middle is here, in shares of the frame."""
    drawn: tuple[float, ...]
    """How likely each frame is drawn."""


class Heads(nn.Module):
    """Small networks on each token and on what the image network sees in its cell.

    Tokens know which way a thing moves. But they were trained on the very drawings that the heads are
    trained on: of a drawing that is new, what they were made from says more.
    """

    def __init__(
        self, width: int, names: tuple[str, ...], trunk: int = TRUNK_WIDTH, hidden: int = 192
    ) -> None:
        super().__init__()
        self.names = names
        self.norm = nn.LayerNorm(trunk)
        self.up = nn.Linear(width + trunk, hidden)
        self.name = nn.Linear(hidden, len(names) + 1)
        self.colour = nn.Linear(hidden, _SHAPE_COLOURS)
        self.movement = nn.Linear(hidden, STILL + 1)
        self.middle = nn.Linear(hidden, 1)
        self.side = nn.Linear(hidden, 2)
        self.gate, self.drawn = nn.Linear(width, _GATE), nn.Linear(_GATE, 1)

    def logits(
        self, tokens: Float[Tensor, "*cells width"], features: Float[Tensor, "*cells trunk"]
    ) -> CellLogits:
        """Return what is said of cells, each by itself."""
        both = torch.cat([tokens, self.norm(features)], dim=-1)
        hidden = nn.functional.gelu(self.up(both))
        return CellLogits(
            self.name(hidden),
            self.colour(hidden),
            self.movement(hidden),
            self.middle(hidden)[..., 0],
            self.side(hidden),
        )

    def drawn_logit(self, tokens: Float[Tensor, "*batch cells width"]) -> Float[Tensor, "*batch"]:
        """Return the logit of all these cells, together, being drawn."""
        logit: Tensor = self.drawn(nn.functional.gelu(self.gate(tokens)).mean(dim=-2))[..., 0]
        return logit

    def forward(
        self, tokens: Float[Tensor, "cells width"], features: Float[Tensor, "cells trunk"]
    ) -> HeadsOutput:
        """Return what is said of one clip."""
        # By frame: a clip may be drawn in part.
        drawn = self.drawn_logit(tokens.view(FRAMES, -1, tokens.shape[-1])).sigmoid()
        cells = self.logits(tokens, features)
        return HeadsOutput(
            cells.names.softmax(-1),
            cells.colours.softmax(-1),
            cells.movements.softmax(-1),
            cells.middles.sigmoid(),
            cells.sides.sigmoid(),
            tuple(drawn.tolist()),
        )
