"""The values that travel through the system, in the order they come to be.

    Frame --stream--> Clip --model--> ClipTokens --memory--> [ClipTokens] --model--> AnswerPiece

Every value is frozen: one package makes it, nobody edits it afterwards.
Every time is media time: seconds since the stream's beginning, never the wall clock.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

Role = Literal["user", "assistant"]
FinishReason = Literal["stop", "length", "cancelled"]
MAX_TEMPERATURE = 2.0
MAX_PENALTY = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A few consecutive sampled frames, ready to encode.

    Attributes:
        pixels: RGB frames, 0 to 255; at most as many as the encoder takes at once.
        start: Media time of the first frame, in seconds.
        end: Media time of the last frame, in seconds.
    """

    pixels: UInt8[Tensor, "frames height width 3"]
    start: float
    end: float

    def __post_init__(self) -> None:
        """Check the times.

        Raises:
            ValueError: If the clip ends before it starts.
        """
        _check_span(self.start, self.end)

    def filled(self, frames: int) -> "Clip":
        """Return it with its last frame repeated until it has so many.

        Raises:
            ValueError: If it has more.
        """
        missing = frames - len(self.pixels)
        if missing < 0:
            raise ValueError(f"a clip has {frames} frames, got {len(self.pixels)}")
        if not missing:
            return self
        again = self.pixels[-1:].expand(missing, -1, -1, -1)
        return replace(self, pixels=torch.cat([self.pixels, again]))


@dataclass(frozen=True, slots=True, eq=False)
class ClipTokens:
    """What is kept of a clip: its merged visual tokens, before the projector.

    Small (64 tokens for 4 frames), and independent of the language model that will read them.

    Attributes:
        values: One row per token, in the vision encoder's feature space.
        start: Media time of the first frame, in seconds.
        end: Media time of the last frame, in seconds.
        frames: Frames that were really seen: a clip of fewer repeats its last one.
    """

    values: Float[Tensor, "tokens width"]
    start: float
    end: float
    frames: int = 4

    def __post_init__(self) -> None:
        """Check the times and the number of frames.

        Raises:
            ValueError: If the clip ends before it starts, or has no frame.
        """
        _check_span(self.start, self.end)
        if self.frames < 1:
            raise ValueError(f"a clip has at least one frame, got {self.frames=}")


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A clip that was encoded.

    Attributes:
        tokens: What is kept of it.
        waited: Seconds from the call until the network began with it.
    """

    tokens: ClipTokens
    waited: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much an answer rests on one clip.

    Attributes:
        start: Media time of the clip's first frame, in seconds.
        end: Media time of the clip's last frame, in seconds.
        score: The clip's share of the text-guided attention; the scores of an answer sum to 1.
    """

    start: float
    end: float
    score: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier line of the conversation."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token of an answer is chosen.

    Attributes:
        temperature: 0 is greedy; higher is more varied.
        top_p: Sample from the most likely tokens that together reach this probability.
        top_k: Sample from so many of the most likely tokens at most; 0 is all.
        repetition_penalty: Above 1, what the answer says already is less likely to be said again, in
            greedy answers as well; 1 changes nothing.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: If one is out of its range.
        """
        if not 0 <= self.temperature <= MAX_TEMPERATURE:
            raise ValueError(f"temperature is 0 to {MAX_TEMPERATURE}, got {self.temperature}")
        if not 0 <= self.top_p <= 1:
            raise ValueError(f"top_p is a probability, 0 to 1, got {self.top_p}")
        if self.top_k < 0:
            raise ValueError(f"top_k is a number of tokens, or 0 for all, got {self.top_k}")
        if not 0 < self.repetition_penalty <= MAX_PENALTY:
            raise ValueError(
                f"repetition_penalty is above 0 and at most {MAX_PENALTY}, "
                f"got {self.repetition_penalty}"
            )


GREEDY = Sampling()
"""Always the likeliest token."""


ANSWER_TOKENS = 256
"""Longest answer, in tokens, unless it is said otherwise: of an account of forty scenes there is room for all."""


@dataclass(frozen=True, slots=True)
class Question:
    """What someone wants to know, and how the answer is to be written.

    Attributes:
        text: The question in words.
        conversation: Earlier lines, oldest first.
        tokens: Longest answer, in tokens.
        sampling: How its tokens are chosen; None is as the model was set up.
        since: Look only at clips that end at or after this media time; None is no limit.
        until: Look only at clips that start at or before this media time; None is no limit.
        duration: Length of the whole video that the clips were sampled from, in seconds; None is
            from the first frame seen to the last.
        background: Whether nobody sits and waits for the answer, as when a watch asks: people's
            questions come first.
        ended: Whether nothing more comes of its stream for now: what was shown last is not "now".
    """

    text: str
    conversation: tuple[Turn, ...] = ()
    tokens: int = ANSWER_TOKENS
    sampling: Sampling | None = None
    since: float | None = None
    until: float | None = None
    duration: float | None = None
    background: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """The next words of an answer: whole characters, never half of one."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer was made from.

    Attributes:
        clips: Clips the answer could draw on.
        frames: Frames that were seen in those clips, repeated ones not counted.
        visual_tokens: Visual tokens of those clips.
        tokens_kept: Visual tokens left after the last text-guided selection.
        prompt_tokens: Text tokens that the question added.
        answer_tokens: Tokens written.
        start: Media time where the clips begin, in seconds.
        end: Media time where the clips end, in seconds.
        behind: Seconds of video that were given before the question, and are later than `end`: they
            were not read yet.
    """

    clips: int
    frames: int
    visual_tokens: int
    tokens_kept: int
    prompt_tokens: int
    answer_tokens: int
    start: float
    end: float
    behind: float = 0.0


@dataclass(frozen=True, slots=True)
class Finish:
    """The last piece of every answer.

    Attributes:
        reason: `stop` (the model ended it), `length` (the limit did) or `cancelled`.
        evidence: The moments the answer rests on, oldest first, one per clip.
        usage: What the answer was made from.
    """

    reason: FinishReason
    evidence: tuple[Evidence, ...]
    usage: Usage


AnswerPiece = Words | Finish


def _check_span(start: float, end: float) -> None:
    if end < start:
        raise ValueError(f"a clip cannot end before it starts: {start=} {end=}")
