"""What travels between a host and its replicas: plain values, and clips as memory writes them.

Clip tokens go through `memory.codec`, which checks every length and number and loses nothing of what an
encoder gives. What Ray itself does with these values is between processes of ours (docs/security.md).
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import UInt8

from memory import codec
from model.engine.contract import ClipSource, Engine, Extent, Past
from model.folding.fold import Rows
from model.types import Clip, ClipTokens, Sampling


@dataclass(eq=False)
class Facts:
    """What an engine says of itself (see `Engine`), and what it can tell without being asked.

    An engine elsewhere is one, too, so that each of them is named here alone.

    Attributes:
        tells_things: Whether `Engine.things` has any.
    """

    name: str
    encoder: str
    exact_columns: int
    rows: Rows
    frames_per_clip: int
    image_size: int
    one_scene: bool
    clips_at_most: int
    sampling: Sampling
    follow_ups: bool
    tells_things: bool


@dataclass(frozen=True, slots=True, eq=False)
class ClipMessage:
    """A clip on its way to be encoded; see `Clip`."""

    pixels: UInt8[np.ndarray, "frames height width 3"]
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class EncodedMessage:
    """A clip that was encoded.

    Attributes:
        tokens: As bytes.
        waited: Seconds in the replica until its network began with it.
        took: Seconds in the replica in all.
    """

    tokens: bytes
    waited: float
    took: float


@dataclass(frozen=True, slots=True)
class SentClips:
    """Clips of a past that is not in the memory that all share.

    Attributes:
        generation: See `Extent`.
        clips: As bytes, oldest first.
        encoder: What they are named by.
    """

    generation: int
    end: float | None
    clips: tuple[bytes, ...]
    encoder: str


@dataclass(frozen=True, slots=True)
class PastMessage:
    """What a question is answered from; see `Past`.

    Attributes:
        sent: Its clips; None if they are read from the memory that all share.
    """

    stream: str
    spans: tuple[tuple[float, float], ...]
    most: int | None
    once: bool
    sent: SentClips | None = None


async def facts_of(engine: Engine) -> Facts:
    """Return what `engine` says of itself."""
    said = {each.name: getattr(engine, each.name) for each in fields(Facts)[:-1]}
    return Facts(**said, tells_things=await engine.things([]) is not None)


def pack_clip(clip: Clip) -> ClipMessage:
    """Return `clip` as it travels."""
    return ClipMessage(clip.pixels.cpu().numpy(), clip.start, clip.end)


def unpack_clip(message: ClipMessage) -> Clip:
    """Return the clip of `message`."""
    # Copied: what Ray hands over cannot be written to, and torch says so at every clip.
    return Clip(torch.from_numpy(message.pixels.copy()), message.start, message.end)


def pack_tokens(clips: Sequence[ClipTokens], encoder: str) -> list[bytes]:
    """Return clip tokens as they travel."""
    return [codec.encode(clip, encoder) for clip in clips]


def unpack_tokens(clips: Sequence[bytes], encoder: str) -> list[ClipTokens]:
    """Return the clip tokens of `clips`.

    Raises:
        CorruptData: If one is damaged.
        EncoderMismatch: If one was made by another encoder.
    """
    return [codec.decode(clip, encoder) for clip in clips]


async def pack_past(past: Past, shared: ClipSource | None, encoder: str) -> PastMessage:
    """Return `past` as it travels: with its clips, unless they lie in the memory that all share."""
    if past.source is shared:
        return PastMessage(past.stream, past.spans, past.most, past.once)
    extent = await past.source.find(past.stream)
    clips = [clip async for clip in past.source.clips(past.stream)] if extent is not None else []
    sent = SentClips(
        generation=0 if extent is None else extent.generation,
        end=None if extent is None else extent.end,
        clips=tuple(pack_tokens(clips, encoder)),
        encoder=encoder,
    )
    return PastMessage(past.stream, past.spans, past.most, past.once, sent)


def unpack_past(message: PastMessage, shared: ClipSource) -> Past:
    """Return the past of `message`, to be read from what it brings along or from `shared`."""
    source = shared if message.sent is None else _Sent(message.sent)
    return Past(message.stream, source, message.spans, message.most, message.once)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A `ClipSource` of clips that were sent along."""

    sent: SentClips

    async def find(self, stream: str) -> Extent:
        """See `ClipSource.find`."""
        return self.sent

    async def clips(
        self, stream: str, after: float = float("-inf"), until: float = float("inf")
    ) -> AsyncIterator[ClipTokens]:
        """See `ClipSource.clips`."""
        for data in self.sent.clips:
            clip = codec.decode(data, self.sent.encoder)
            if after < clip.start <= until:
                yield clip
