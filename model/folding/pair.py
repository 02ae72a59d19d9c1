"""Two neighbouring clips as one: what memory keeps of the far past when it may not keep all."""

import numpy as np

from model.folding.fold import Block, Rows
from model.types import ClipTokens


def join_pair(rows: Rows, one: ClipTokens, other: ClipTokens) -> ClipTokens:
    """Return `one` and the clip after it as one: the rows of a single clip, the frames of both."""
    first, second = _block(rows, one), _block(rows, other)
    values = rows.join(first, second, rows.survey([first, second]))[0]
    return ClipTokens(values, one.start, max(one.end, other.end), one.frames + other.frames)


def _block(rows: Rows, clip: ClipTokens) -> Block:
    # Which row stands for how much is not kept with a clip; neighbours stand for about the same.
    return Block(clip, np.ones(len(clip.values)), 1, rows.outline(clip.values))
