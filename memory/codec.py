"""Clip tokens as bytes, and back.

Layout, little-endian: a header, the encoder's name in UTF-8, then the values of the tokens.

    magic 4s | version u8 | name u8 | tokens u32 | width u32 | start f64 | end f64
    frames u32 | bits u8 | exact u16 | encoder[name] | values (see `memory.quantize`)

Version 1, which 0.1.0 wrote, ended its header before `frames`: every clip counted as the four that an
encoder takes, and all values were float16. So were they in what 0.1.0 wrote last, which called itself
version 2 and ended its header before `bits`.

Not pickle: a shared Redis must never be able to run code in this process. What is read takes no
more memory than the bytes that were given, and never more than `LARGEST` of them.
"""

import math
import struct

import numpy as np
import torch

from memory.errors import CorruptData, EncoderMismatch
from memory.quantize import BITS, FORMS, pack, unpack, values_size
from memory.store import Form
from model.types import ClipTokens

LARGEST = 16 * 2**20  # bytes of one clip; the largest encoder we know needs 0.2 MB
LARGEST_THUMBNAIL = 2**18  # bytes
_HEADER = struct.Struct("<4sBBIIdd")
_FRAMES, _MORE = struct.Struct("<I"), struct.Struct("<IBH")
_FIRST_LETTER = ord(" ")
_MAGIC, _VERSION = b"FBCT", 2
_FRAMES_OF_VERSION_1 = 4


def encode(tokens: ClipTokens, encoder: str, form: Form = "float16", exact: int = 0) -> bytes:
    """Return `tokens` as bytes, rounded to `form` but for the last `exact` columns.

    Raises:
        ValueError: If a value or time is not finite (in float16), the encoder's name is empty or
            longer than 255 bytes, or the clip is larger than `LARGEST`.
    """
    name = encoder.encode()
    if not 1 <= len(name) <= 255:
        raise ValueError(f"an encoder's name takes 1 to 255 bytes, this one takes {len(name)}")
    if not (math.isfinite(tokens.start) and math.isfinite(tokens.end)):
        raise ValueError(f"a clip needs finite times, got {tokens.start} to {tokens.end}")
    rows, width = tokens.values.shape
    exact = min(exact, width)
    size = _HEADER.size + _MORE.size + len(name) + values_size(form, rows, width, exact)
    if size > LARGEST:
        raise ValueError(f"a clip of {size} bytes is larger than {LARGEST}")
    try:
        values = pack(tokens.values, form, exact)
    except ValueError as error:
        raise ValueError(f"the clip at {tokens.start} s holds {error}") from None
    header = _HEADER.pack(_MAGIC, _VERSION, len(name), rows, width, tokens.start, tokens.end)
    return header + _MORE.pack(tokens.frames, BITS[form], exact) + name + values


def decode(data: bytes, encoder: str) -> ClipTokens:
    """Return the clip tokens that `encode` wrote; values are float16.

    Raises:
        CorruptData: If `data` is damaged, cut short, too large, or of another version.
        EncoderMismatch: If the tokens were made by another encoder than `encoder`.
    """
    if not _HEADER.size <= len(data) <= LARGEST:
        raise CorruptData(f"a clip takes {_HEADER.size} to {LARGEST} bytes, found {len(data)}")
    magic, version, name_length, rows, width, start, end = _HEADER.unpack_from(data)
    if magic != _MAGIC or version not in {1, _VERSION}:
        raise CorruptData(f"unknown format {magic!r} version {version}")
    frames, form, exact, name_at = _more(data, version, width)
    body = name_at + name_length
    # Python's integers do not wrap, so no pair of sizes can pretend to fit.
    promised = values_size(form, rows, width, exact)
    if len(data) - body != promised:
        raise CorruptData(f"expected {promised} bytes of tokens, found {len(data) - body}")
    if not (math.isfinite(start) and math.isfinite(end) and start <= end):
        raise CorruptData(f"impossible times: {start} to {end}")
    _check_encoder(data[name_at:body], encoder)
    stored = unpack(memoryview(data)[body:], form, rows, width, exact)
    if not np.isfinite(stored).all():
        raise CorruptData(f"the clip at {start} s holds values that are not finite")
    return ClipTokens(torch.from_numpy(stored), start, end, frames)


def encoder_of(data: bytes) -> str:
    """Return the name of the encoder that made a clip.

    Raises:
        CorruptData: If `data` is too short to be one, or the name is none.
    """
    if len(data) < _HEADER.size:
        raise CorruptData(f"a clip takes {_HEADER.size} bytes at least, found {len(data)}")
    _, version, length, _, width, _, _ = _HEADER.unpack_from(data)
    *_, name_at = _more(data, version, width)
    try:
        return data[name_at : name_at + length].decode()
    except UnicodeDecodeError:
        raise CorruptData("the name of its encoder is not text") from None


def check_thumbnail(thumbnail: bytes) -> None:
    """Make sure that a clip's JPEG is of a size that may be stored beside it.

    Raises:
        ValueError: If it is larger than `LARGEST_THUMBNAIL`.
    """
    if len(thumbnail) > LARGEST_THUMBNAIL:
        raise ValueError(
            f"a thumbnail takes {LARGEST_THUMBNAIL} bytes at most, not {len(thumbnail)}"
        )


def _more(data: bytes, version: int, width: int) -> tuple[int, Form, int, int]:
    """Return the frames seen, form, exact columns, and where the encoder's name begins.

    Raises:
        CorruptData: If they cannot be, or the bytes end before.
    """
    if version == 1:
        return _FRAMES_OF_VERSION_1, "float16", 0, _HEADER.size
    name_at = _HEADER.size + _MORE.size
    if len(data) < name_at:
        raise CorruptData(f"a clip takes {name_at} bytes at least, found {len(data)}")
    frames, bits, exact = _MORE.unpack_from(data, _HEADER.size)
    if frames < 1:
        raise CorruptData("a clip has at least one frame")
    if bits >= _FIRST_LETTER:  # no number of bits is that large: the encoder's name begins here
        return frames, "float16", 0, _HEADER.size + _FRAMES.size
    if bits not in FORMS or exact > width:
        raise CorruptData(f"unknown form: {bits} bits, {exact} of {width} columns exact")
    return frames, FORMS[bits], exact, name_at


def _check_encoder(name: bytes, encoder: str) -> None:
    if name != encoder.encode():
        theirs = name.decode("utf-8", "replace")
        raise EncoderMismatch(
            f"these clips were remembered by the vision encoder {theirs!r}, and {encoder!r} cannot "
            "read them: start the service with the preset that made them, or forget the stream"
        )
