"""Clip tokens as bytes, and back.

Layout, little-endian: a header, the encoder's name in UTF-8, then the tokens as float16, row by row.

    magic 4s | version u8 | name u8 | tokens u32 | width u32 | start f64 | end f64 | frames u32
    encoder[name] | float16[tokens * width]

Version 1 had no `frames`: every clip counted as the four that an encoder takes.

Not pickle: a shared Redis must never be able to run code in this process. What is read takes no
more memory than the bytes that were given, and never more than `LARGEST` of them.
"""

import math
import struct

import numpy as np
import torch
from jaxtyping import Float, Float16
from torch import Tensor

from memory.store import EncoderMismatch
from model.types import ClipTokens

LARGEST = 16 * 2**20  # bytes of one clip; the largest encoder we know needs 0.2 MB
LARGEST_THUMBNAIL = 2**18  # bytes
_HEADER = struct.Struct("<4sBBIIdd")
_FRAMES = struct.Struct("<I")
_MAGIC, _VERSION = b"FBCT", 2
_FRAMES_OF_VERSION_1 = 4


class CorruptClip(ValueError):
    """These bytes are not a clip that this version can read."""


def encode(tokens: ClipTokens, encoder: str) -> bytes:
    """Return `tokens` as bytes, rounded to float16.

    Raises:
        ValueError: If a value or time is not finite (in float16), the encoder's name is empty or
            longer than 255 bytes, or the clip is larger than `LARGEST`.
    """
    name = encoder.encode()
    if not 1 <= len(name) <= 255:
        raise ValueError(f"an encoder's name takes 1 to 255 bytes, this one takes {len(name)}")
    if not (math.isfinite(tokens.start) and math.isfinite(tokens.end)):
        raise ValueError(f"a clip needs finite times, got {tokens.start} to {tokens.end}")
    values = _half(tokens.values)
    if not np.isfinite(values).all():
        raise ValueError(f"the clip at {tokens.start} s holds values that float16 cannot")
    rows, width = values.shape
    header = _HEADER.pack(_MAGIC, _VERSION, len(name), rows, width, tokens.start, tokens.end)
    header += _FRAMES.pack(tokens.frames)
    size = len(header) + len(name) + 2 * rows * width
    if size > LARGEST:
        raise ValueError(f"a clip of {size} bytes is larger than {LARGEST}")
    return header + name + values.tobytes()


def decode(data: bytes, encoder: str) -> ClipTokens:
    """Return the clip tokens that `encode` wrote; values are float16.

    Raises:
        CorruptClip: If `data` is damaged, cut short, too large, or of another version.
        EncoderMismatch: If the tokens were made by another encoder than `encoder`.
    """
    if not _HEADER.size <= len(data) <= LARGEST:
        raise CorruptClip(f"a clip takes {_HEADER.size} to {LARGEST} bytes, found {len(data)}")
    magic, version, name_length, rows, width, start, end = _HEADER.unpack_from(data)
    if magic != _MAGIC or version not in {1, _VERSION}:
        raise CorruptClip(f"unknown format {magic!r} version {version}")
    frames, name_at = _frames(data, version)
    body = name_at + name_length
    # Python's integers do not wrap, so no pair of sizes can pretend to fit.
    if len(data) - body != 2 * rows * width:
        raise CorruptClip(f"expected {2 * rows * width} bytes of tokens, found {len(data) - body}")
    if not (math.isfinite(start) and math.isfinite(end) and start <= end):
        raise CorruptClip(f"impossible times: {start} to {end}")
    _check_encoder(data[name_at:body], encoder)
    stored = np.frombuffer(data, "<f2", offset=body).reshape(rows, width)
    if not np.isfinite(stored).all():
        raise CorruptClip(f"the clip at {start} s holds values that are not finite")
    # A copy: the buffer is read-only, and tensors are not.
    return ClipTokens(torch.from_numpy(stored.astype("=f2")), start, end, frames)


def check_thumbnail(thumbnail: bytes) -> None:
    """Make sure that a clip's JPEG is of a size that may be stored beside it.

    Raises:
        ValueError: If it is larger than `LARGEST_THUMBNAIL`.
    """
    if len(thumbnail) > LARGEST_THUMBNAIL:
        raise ValueError(
            f"a thumbnail takes {LARGEST_THUMBNAIL} bytes at most, not {len(thumbnail)}"
        )


def _frames(data: bytes, version: int) -> tuple[int, int]:
    """Return how many frames were seen, and where the encoder's name begins.

    Raises:
        CorruptClip: If there is not one frame, or the bytes end before.
    """
    if version == 1:
        return _FRAMES_OF_VERSION_1, _HEADER.size
    name_at = _HEADER.size + _FRAMES.size
    frames = _FRAMES.unpack_from(data, _HEADER.size)[0] if len(data) >= name_at else 0
    if frames < 1:
        raise CorruptClip("a clip has at least one frame")
    return frames, name_at


def _check_encoder(name: bytes, encoder: str) -> None:
    if name != encoder.encode():
        theirs = name.decode("utf-8", "replace")
        raise EncoderMismatch(
            f"these clips were remembered by the vision encoder {theirs!r}, and {encoder!r} cannot "
            "read them: start the service with the preset that made them, or forget the stream"
        )


def _half(values: Float[Tensor, "tokens width"]) -> Float16[np.ndarray, "tokens width"]:
    """Return `values` rounded to float16, little-endian; too large ones become infinite.

    By numpy, because the event loop waits: torch shares even this little work out among its
    threads, and while the network keeps all cores busy they take half a second to meet again.
    """
    values = values.detach().cpu()
    if values.dtype == torch.bfloat16:  # the upper half of a float32, and unknown to numpy
        wide = values.view(torch.uint16).numpy().astype(np.uint32) << 16
        array = wide.view(np.float32)
    else:
        array = values.numpy()
    with np.errstate(over="ignore"):
        return array.astype("<f2")
