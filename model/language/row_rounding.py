"""Numbers of rows that come again: products in bfloat16 on a processor are made of a few sizes.

For every new size of a product oneDNN makes a program, in about a millisecond, of nearly a megabyte, and keeps
the newest of them (`model/zoo/device.py`). Clips have another number of tokens each time, as have questions:
most programs would be of no use again. Rows of zeros round sizes up; what comes of them is left out.
"""

import torch
from jaxtyping import Float
from torch import Tensor

_ROWS = 32
"""What rows of a linear layer are rounded to; of fewer, such as one word of some answers, none is added."""


def _rounds(like: Tensor) -> bool:
    """Say whether products with `like` are to be of few sizes."""
    return like.device.type == "cpu" and like.dtype == torch.bfloat16


def rounded(
    rows: Float[Tensor, "*lead n width"], multiple: int = _ROWS
) -> Float[Tensor, "*lead more width"]:
    """Return `rows` with as many of zeros after them as make a multiple of `multiple`, if that is to be."""
    count = rows.shape[-2]
    missing = -count % multiple
    if not missing or count < _ROWS or not _rounds(rows):
        return rows
    return with_zeros(rows, missing)


def with_zeros(
    rows: Float[Tensor, "*lead n width"], more: int
) -> Float[Tensor, "*lead more width"]:
    """Return `rows` with so many more of zeros after them."""
    if not more:
        return rows
    return torch.nn.functional.pad(rows, (0, 0, 0, more))
