"""What every store does the same when the past changes: clips as bytes, and what a change means."""

import math
from collections.abc import Sequence

from memory.codec import encode
from memory.store import Form, Kept, Moment
from model.types import ClipTokens


def described(tokens: ClipTokens, data: bytes, form: Form, thumbnail: int) -> Kept:
    """Return what a clip takes that is kept as `data`."""
    return Kept(tokens.start + 0.0, tokens.end, tokens.frames, form, len(data), thumbnail)


def encoded(
    span: Moment, clips: Sequence[ClipTokens], encoder: str, form: Form, exact: int
) -> list[tuple[Kept, bytes]]:
    """Return clips that are to take the place of those in `span`, as bytes.

    Raises:
        ValueError: If one starts outside of it, or cannot be stored.
    """
    found = []
    for clip in clips:
        if not span.start <= clip.start <= span.end:
            raise ValueError(
                f"a clip at {clip.start} s cannot replace those from {span.start} to {span.end} s"
            )
        data = encode(clip, encoder, form, exact)
        found.append((described(clip, data, form, 0), data))
    return found


def marks(old: Sequence[Kept], new: Sequence[Kept]) -> dict[str, float]:
    """Return until when what took the place of `old` is not as it was seen: fields of the record."""
    found = {}
    until = max((kept.end for kept in (*old, *new)), default=-math.inf)
    if any(kept.form == "int4" for kept in new):
        found["coarse_until"] = until
    if new and len(new) < len(old):
        found["folded_until"] = until
    return found
