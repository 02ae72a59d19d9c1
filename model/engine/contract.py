"""What the rest of the service may ask of a model, wherever it runs.

Calls are made from an event loop and do not block it. Whatever goes wrong is an `EngineError`
(`model/errors.py`). `tests/model/test_engine_conformance.py` is what every engine passes.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol, runtime_checkable

from model.folding.fold import Rows
from model.types import AnswerPiece, Clip, ClipTokens, Question, Sampling
from model.vision.things import Thing


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

    async def encode(self, clip: Clip, begun: Callable[[], None] = lambda: None) -> ClipTokens:
        """Return what is kept of `clip`; a clip of fewer frames repeats its last one.

        Cancelling the call takes the clip out of the queue.

        Args:
            clip: To encode.
            begun: Called once the network begins with it, from any thread; must not fail.

        Raises:
            ValueError: If the clip has more frames than the encoder takes, or no pictures.
            EngineBusy: If too many clips wait already.
            EngineFailed: If the network fails on it.
        """
        ...

    def reach(self, stream: str) -> float | None:
        """Return the end of the newest clip given to `extend` for `stream`, in media seconds.

        None means that the engine holds no history of it (never had, or gave up its memory):
        the caller hands over all clips that memory holds, oldest first.
        """
        ...

    def extend(
        self,
        stream: str,
        clips: Sequence[ClipTokens],
        after: float | None = None,
        most: int | None = None,
    ) -> None:
        """Add `clips`, oldest first, to the history of `stream`. Returns at once.

        The work is done when nothing more urgent waits, at the latest before an answer that is
        asked for from then on. A clip that starts before the history's reach is known already
        and is passed over, so giving the same clips twice does no harm.

        Args:
            stream: Whose history.
            clips: To add.
            after: End of the clip before them, in media seconds. If the history does not reach
                that far (any more), they would leave a hole: all are passed over. None means
                that nothing comes before them, or nothing that matters.
            most: Clips that a history begun by this call holds before the older are folded; None is
                `clips_at_most`.
        """
        ...

    def is_folded(self, stream: str) -> bool:
        """Return whether any of the clips of the history of `stream` are folded."""
        ...

    def answer(self, stream: str, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Answer `question` from the history of `stream`, as words come; the last is a `Finish`.

        It looks at every clip given before it was asked, perhaps at some given later.
        Closing the generator stops the writing within one token. Use `aclosing`.
        A question in the background waits until no other one does.

        Raises:
            NothingSeen: If the history holds no clip in the time asked about.
            HistoryGone: If there is no history of all that: other streams needed its memory.
            EngineBusy: If too many questions wait already.
            QuestionTooLong: If the question is longer than can be read at once.
            EngineFailed: If the network fails; perhaps after some words.
        """
        ...

    async def words(self, clips: Sequence[ClipTokens]) -> list[Sequence[tuple[str, float]]] | None:
        """Return what each of `clips` shows, in words, without asking the language model.

        A word is what one thing is called (`car`, `hot air balloon`) and how sure it is that the
        clip shows it, from 0 to 1; the surest comes first, and is the clip's main thing. A clip
        of which nothing is sure has none. None means that this model has no
        words of its own, whatever the clips, even none.
        """
        ...

    async def things(self, clips: Sequence[ClipTokens]) -> list[Sequence[Thing]] | None:
        """Return what each of `clips` shows, thing by thing, without asking the language model.

        Words are numbers in `model.vision.vocabulary.word_table()`. The surest comes first. It costs
        a fraction of a millisecond a clip: it may be asked of every clip that arrives. None means
        that this model's tokens say nothing without being read, whatever the clips, even none.
        """
        ...

    def forget(self, stream: str) -> None:
        """Drop the history of `stream`; an unknown stream is fine."""
        ...

    async def close(self) -> None:
        """Stop: answers under way end as cancelled, the thread is joined."""
        ...
