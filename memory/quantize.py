"""The values of a clip's tokens in fewer bits, and back.

    float16   as the encoder gave them, rounded to half precision
    int8      one scale a token: the largest value of a token is 127
    int4      one scale for each `_GROUP` values of a token: the largest is 7

The last `exact` columns stay float16 in every form: what an encoder writes there as numbers of words
or counts would be another word after rounding.

By numpy, because the event loop waits: torch shares even this little work out among its threads, and
while the network keeps all cores busy they take half a second to meet again.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float16, Float32, UInt8
from torch import Tensor

from memory.store import Form

FORMS: dict[int, Form] = {16: "float16", 8: "int8", 4: "int4"}
BITS: dict[Form, int] = {form: bits for bits, form in FORMS.items()}
_GROUP = 32
"""Values that share a scale in int4. A scale for a whole token would be that of its one or two largest
values, and leave nothing of the others."""
_LARGEST_SCALE = 9352.0


def values_size(form: Form, rows: int, width: int, exact: int) -> int:
    """Return how many bytes `pack` needs, in Python's integers, which do not wrap."""
    coarse = width - exact
    if form == "float16":
        return 2 * rows * width
    if form == "int8":
        return rows * (4 + coarse + 2 * exact)
    groups = -(-coarse // _GROUP)
    return rows * (groups * (2 + _GROUP // 2) + 2 * exact)


def pack(values: Float[Tensor, "tokens width"], form: Form, exact: int) -> bytes:
    """Return `values` in `form`.

    Raises:
        ValueError: If one is not finite in half precision.
    """
    half = _half(values)
    if not np.isfinite(half).all():
        raise ValueError("values that float16 cannot hold")
    if form == "float16":
        return half.tobytes()
    coarse = half[:, : half.shape[1] - exact].astype("<f4")
    kept = half[:, half.shape[1] - exact :].tobytes()
    return (_bytes(coarse) if form == "int8" else _nibbles(coarse)) + kept


def unpack(
    data: memoryview, form: Form, rows: int, width: int, exact: int
) -> Float16[np.ndarray, "tokens width"]:
    """Return what `pack` was given, as nearly as `form` keeps it.

    `data` has `values_size` bytes; numbers that are not finite come back as they are.
    """
    if form == "float16":
        return np.frombuffer(data, "<f2").reshape(rows, width).astype("=f2")
    coarse = width - exact
    split = len(data) - 2 * rows * exact
    values = np.empty((rows, width), np.float16)
    read = _from_bytes if form == "int8" else _from_nibbles
    with np.errstate(over="ignore", invalid="ignore"):  # damaged scales; the caller looks
        values[:, :coarse] = read(data[:split], rows, coarse)
    values[:, coarse:] = np.frombuffer(data[split:], "<f2").reshape(rows, exact)
    return values


def _bytes(coarse: Float32[np.ndarray, "tokens width"]) -> bytes:
    scales = _scales(coarse, 127.0).astype("<f4")
    whole = np.rint(coarse / np.where(scales, scales, 1.0)).astype(np.int8)
    return b"".join((scales.tobytes(), whole.tobytes()))


def _from_bytes(data: memoryview, rows: int, width: int) -> Float32[np.ndarray, "tokens width"]:
    scales = np.frombuffer(data[: 4 * rows], "<f4")[:, None]
    return scales * np.frombuffer(data[4 * rows :], np.int8).reshape(rows, width)


def _nibbles(coarse: Float32[np.ndarray, "tokens width"]) -> bytes:
    rows, width = coarse.shape
    groups = -(-width // _GROUP)
    padded = np.zeros((rows, groups * _GROUP), np.float32)
    padded[:, :width] = coarse
    grouped = padded.reshape(rows, groups, _GROUP)
    # Seven times the scale must not be more than half precision holds, however it is rounded.
    scales = np.minimum(_scales(grouped, 7.0), _LARGEST_SCALE).astype("<f2")
    wide = scales.astype(np.float32)
    # A scale rounded down, or to nothing, must not take a value past the largest.
    whole = np.clip(np.rint(grouped / np.where(wide, wide, np.inf)), -7, 7).astype(np.int8) + 8
    even, odd = whole[..., 0::2].astype(np.uint8), whole[..., 1::2].astype(np.uint8)
    return b"".join((scales.tobytes(), (even | odd << 4).tobytes()))


def _from_nibbles(data: memoryview, rows: int, width: int) -> Float32[np.ndarray, "tokens width"]:
    groups = -(-width // _GROUP)
    split = 2 * rows * groups
    scales = np.frombuffer(data[:split], "<f2").reshape(rows, groups, 1).astype(np.float32)
    pairs: UInt8[np.ndarray, "tokens groups half"] = np.frombuffer(data[split:], np.uint8)
    pairs = pairs.reshape(rows, groups, _GROUP // 2)
    whole = np.stack([pairs & 15, pairs >> 4], axis=-1).reshape(rows, groups, _GROUP)
    return (scales * (whole.astype(np.float32) - 8)).reshape(rows, groups * _GROUP)[:, :width]


def _scales(values: Float32[np.ndarray, "*tokens width"], largest: float) -> Any:  # noqa: ANN401
    return np.abs(values).max(axis=-1, keepdims=True, initial=0.0) / largest


def _half(values: Float[Tensor, "tokens width"]) -> Float16[np.ndarray, "tokens width"]:
    """Return `values` rounded to float16, little-endian; too large ones become infinite."""
    values = values.detach().cpu()
    if values.dtype == torch.bfloat16:  # the upper half of a float32, and unknown to numpy
        wide = values.view(torch.uint16).numpy().astype(np.uint32) << 16
        array = wide.view(np.float32)
    else:
        array = values.numpy()
    with np.errstate(over="ignore"):
        return array.astype("<f2")
