r"""What the language model is told around what it sees.

Everything that stands before the visual tokens, and among them, is the same for every question:
it is part of the streaming history. All that varies stands after them: the sentence about time,
the conversation so far, the question.

    <|im_start|>system … <|im_start|>user\n   clip clip clip …   \n{time} {question}<|im_end|> …
    └────────── prefix ──────────┘ └─ the history grows ─┘ └─────────── suffix ───────────┘
"""

from collections.abc import Sequence
from dataclasses import dataclass

from model.language.tokenizer import BEGIN, END, Tokenizer
from model.types import Question

_SYSTEM = "You are a helpful assistant."


@dataclass(frozen=True, slots=True)
class VisibleSpan:
    """What a question may look at.

    Attributes:
        start: Media time of the first frame, in seconds.
        end: Media time of the last frame, in seconds.
        frames: How many frames, repeated ones not counted.
    """

    start: float
    end: float
    frames: int


@dataclass(frozen=True, slots=True)
class PromptWording:
    """The sentences of one model family; field names in braces are those of `VisibleSpan`.

    Attributes:
        time: Stands after the visual tokens and before the question. `{duration}` is known too.
        marker: Stands before every clip; its `{start}` is the clip's. Empty for none.
        finished: Instead of `time` for what has been watched to its end; empty for the same.
        noted: Instead of `marker` where there is a `{note}` about the clip.
    """

    time: str
    marker: str = ""
    finished: str = ""
    noted: str = ""


FLASH = PromptWording(
    time="\nThe video lasts for {duration:.2f} seconds, and {frames} frames are uniformly "
    "sampled from it. "
)
"""What the released checkpoints were trained with (https://arxiv.org/abs/2501.00574)."""

LITE = PromptWording(
    time="\nThe stream has been shown for {end:.0f} seconds. ",
    marker="\n{start:.0f}s:",
    finished="\nThe film was {duration:.0f} seconds long. ",
    noted="\n{note} at {start:.0f}s:",
)
"""What `lite` was trained with: short texts among the clips say when each was."""


class Prompt:
    """Puts questions into words that one language model was trained on."""

    def __init__(self, tokenizer: Tokenizer, wording: PromptWording) -> None:
        self.tokenizer = tokenizer
        self._wording = wording
        self._begin, self.end = tokenizer.special(BEGIN), tokenizer.special(END)

    def prefix(self) -> list[int]:
        """Return the tokens before the first clip."""
        return [*self._turn("system", _SYSTEM), *self._line(), self._begin, *self._plain("user\n")]

    def marker(self, start: float, note: str = "") -> list[int]:
        """Return the tokens that say when the clip after them began (media seconds).

        Args:
            start: Media time of its first frame, in seconds.
            note: What is to be said of it besides.
        """
        wording = self._wording.noted if note else self._wording.marker
        return self._plain(wording.format(start=start, note=note))

    def suffix(self, question: Question, seen: VisibleSpan) -> list[int]:
        """Return the tokens after the last clip, up to where the answer begins."""
        duration = seen.end - seen.start if question.duration is None else question.duration
        wording = self._wording.time if question.duration is None else self._wording.finished
        time = (wording or self._wording.time).format(
            start=seen.start, end=seen.end, frames=seen.frames, duration=duration
        )
        lines = [
            *((turn.role, turn.text) for turn in question.conversation),
            ("user", question.text),
        ]
        # The visual tokens belong to the first line a user said; it is already begun.
        (_, first), rest = lines[0], lines[1:]
        tokens = [*self._plain(time + first), self.end]
        for role, text in rest:
            tokens += [*self._line(), *self._turn(role, text)]
        return [*tokens, *self._line(), self._begin, *self._plain("assistant\n")]

    def _turn(self, role: str, text: str) -> Sequence[int]:
        return [self._begin, *self._plain(f"{role}\n{text}"), self.end]

    def _line(self) -> list[int]:
        return self._plain("\n")

    def _plain(self, text: str) -> list[int]:
        return self.tokenizer.plain(text)
