"""What the rest of the service may ask of a model, wherever it runs.

Calls are made from an event loop and do not block it. Whatever goes wrong in an engine is an
`ModelError` with a code (`model/errors.py`); what goes wrong in a `ClipSource` is passed on as it is.
`tests/model/test_engine_conformance.py` is what every engine passes.

A history is the engine's own affair: what to answer from is said as a `Past`, and the engine reads
from memory what it lacks of that. `model/engine/pulling.py` is how, for engines that wish.
"""

import math
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from model.folding.fold import Rows
from model.types import AnswerPiece, Clip, ClipTokens, Encoded, Question, Sampling
from model.vision.things import Thing

_EVERYTHING = ((-math.inf, math.inf),)
"""All that a stream has shown, and will show."""


@runtime_checkable
class Extent(Protocol):
    """What memory holds of a stream.

    Attributes:
        generation: Another one than before if the past changed otherwise than by a newest clip.
        end: End of the newest clip in media seconds; None without clips.
    """

    @property
    def generation(self) -> int: ...  # noqa: D102 - see above

    @property
    def end(self) -> float | None: ...  # noqa: D102 - see above


@runtime_checkable
class ClipSource(Protocol):
    """What an engine reads of memory, and never writes: a clip store is one."""

    async def find(self, stream: str) -> Extent | None:
        """Return what is held of `stream`; None if nothing is known of it."""
        ...

    def clips(
        self, stream: str, after: float = float("-inf"), until: float = float("inf")
    ) -> AsyncIterator[ClipTokens]:
        """Yield clips that start after `after` and not after `until`, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Past:
    """What a question is answered from: clips of one stream, as memory holds them.

    Two of the same `name` are the same past: an engine may answer both from one history.

    Attributes:
        stream: Whose clips; streams of several sources have different names.
        source: Where they are read from.
        spans: Starts of the first and the last clip of each part, oldest first, both included.
        most: Clips that its history holds before the older are folded; None is `clips_at_most`.
        once: Whether nothing else will be answered from it.
    """

    stream: str
    source: ClipSource
    spans: tuple[tuple[float, float], ...] = _EVERYTHING
    most: int | None = None
    once: bool = False

    @property
    def name(self) -> str:
        """Names its history; that of a whole stream is called as the stream is."""
        if self.spans == _EVERYTHING:
            return self.stream
        # No stream can be called so.
        return f"{self.stream}@" + ",".join(f"{first!r}-{last!r}" for first, last in self.spans)


@runtime_checkable
class Engine(Protocol):
    """A loaded network, shared by every stream of the service.

    Attributes:
        name: The preset, such as `lite`.
        encoder: Names the vision encoder and its weights: clip tokens made by another encoder
            are of no use to this one.
        exact_columns: How many columns, at the end of a row of its clip tokens, must be kept as they
            are: numbers of words, counts and places, which would be others after rounding.
        rows: How old clips, as this encoder makes them, are folded.
        frames_per_clip: Frames the encoder takes together.
        image_size: Shorter side of frames, in pixels, up to which it sees more of them.
        one_scene: Whether a clip handed to it must not span a cut.
        clips_at_most: Clips that a history holds as they are; of a longer stream the older are folded.
        sampling: How answers are written unless a question says otherwise.
        follow_ups: Whether earlier questions and answers help the model with the next one.
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

    async def encode(self, clip: Clip) -> Encoded:
        """Return what is kept of `clip`; a clip of fewer frames repeats its last one.

        Cancelling the call takes the clip out of the queue.

        Raises:
            ValueError: If the clip has more frames than the encoder takes, or no pictures.
            EngineBusy: If too many clips wait already.
            ModelError: `engine_failed`: the network fails on it.
        """
        ...

    async def prepare(self, past: Past) -> bool:
        """Bring the history of `past` up to date ahead of a question; return whether it is folded.

        Every answer does so. What is read from memory may still wait for the language model.
        An unknown stream has nothing to be prepared, and is not folded.
        """
        ...

    async def learn(self, stream: str, clip: ClipTokens, after: float | None) -> None:
        """Take a clip that was just remembered, if a history of the stream wants no other before it.

        An engine may pass it over: whatever lacks is read from memory before the next answer.

        Args:
            stream: Whose clip.
            clip: As memory keeps it.
            after: End of the clip before it, in media seconds; None if it is the first.
        """
        ...

    async def blocks(self, past: Past) -> Sequence[ClipTokens]:
        """Return what the history of `past` is made of, oldest first: clips, and blocks of folded ones.

        Nothing if there is none, or while clips wait to be taken into it: a question waits for that.
        """
        ...

    def answer(self, past: Past, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Answer `question` from `past`, as words come; the last is a `Finish`. Use `aclosing`.

        It looks at every clip that memory held when it was asked, perhaps at some that came later.
        Closing the generator stops the writing within one token. A question in the background
        waits until no other one does.

        Raises:
            NothingSeen: If no clip is remembered, or none in the time asked about.
            EngineBusy: If too many questions wait already, or too many streams are asked about.
            ModelError: `question_too_long`: it is longer than can be read at once; `engine_failed`: the
                network fails, perhaps after some words.
        """
        ...

    async def things(self, clips: Sequence[ClipTokens]) -> list[Sequence[Thing]] | None:
        """Return what each of `clips` shows, thing by thing, without asking the language model.

        Words are numbers in `model.vision.vocabulary.word_table()`. The surest comes first. It costs
        a fraction of a millisecond a clip: it may be asked of every clip that arrives. None means
        that this model's tokens say nothing without being read, whatever the clips, even none.
        """
        ...

    async def forget(self, stream: str) -> None:
        """Drop every history of `stream`; an unknown stream is fine.

        It is not needed where the generation of the past says that it changed.
        """
        ...

    async def close(self) -> None:
        """Stop: answers under way end as cancelled, the thread is joined."""
        ...
