"""What the scenes that `lite` is trained on are made of: which drawings, on which backgrounds, for what.

The encoder learned on `TRAIN`. Of its own drawings its tokens say more than they ever will of a new
one, so heads that learned on those alone trust them too much: `WIDE` has drawings and backgrounds that
the encoder has not seen. Thresholds are chosen on `TUNING`. What judges in the end (`HELD_OUT_SET` and
`HELD_OUT_KINDS`) is in none of them.
"""

from dataclasses import dataclass

from training.drawn.backgrounds import TRAINING_KINDS, TUNING_KINDS, WIDE_KINDS
from training.drawn.drawings import TRAINING_SETS, TUNING_SET, WIDE_SETS, DrawingSet


@dataclass(frozen=True, slots=True)
class Material:
    """What scenes are made of.

    Attributes:
        name: Of the folder that their features are kept in.
        sets: Of drawings.
        backdrops: Kinds of background.
    """

    name: str
    sets: tuple[DrawingSet, ...]
    backdrops: tuple[str, ...]


TRAIN = Material("train", TRAINING_SETS, TRAINING_KINDS)
WIDE = Material("wide", (*TRAINING_SETS, *WIDE_SETS), (*TRAINING_KINDS, *WIDE_KINDS))
TUNING = Material("tuning", (TUNING_SET,), TUNING_KINDS)
