"""The answers being written: a word more of every one at a time, all in one batch.

Used by the thread that owns the network alone (`model/engine/local.py`). Words go back through the
event loop of whoever asked. What fails for one answer fails for no other.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from model.errors import EngineError, EngineFailed, NothingSeen
from model.history import History
from model.language.decoder import LayerHook, no_hook
from model.language.sampling import TextStream, choose
from model.types import AnswerPiece, Finish, FinishReason, Question, Words
from model.video_chat import Prefill, VideoChat

log = logging.getLogger(__name__)

MAX_CONCURRENT = 8
"""Answers written at once; further questions wait their turn."""
MAX_ANSWER_TOKENS = 512
"""Tokens; the positions that a history keeps free allow no more."""


def engine_failed(what: str, error: Exception) -> EngineFailed:
    """Write `error` to the log, and return what those are told who waited for `what`.

    They cannot know all that may go wrong in here.
    """
    log.error("%s failed", what, exc_info=error)
    return EngineFailed(f"the network failed ({type(error).__name__}); the log says more")


@dataclass(slots=True, eq=False)
class Request:
    """A question on its way to becoming an answer; `pieces` belongs to `loop`.

    Attributes:
        stream: Which is asked about.
        question: What is asked.
        until: How far its history reached when it was asked, in media seconds.
        loop: Of whoever asked.
        pieces: What they get.
        cancelled: Whether they do not want it any more.
    """

    stream: str
    question: Question
    until: float
    loop: asyncio.AbstractEventLoop
    pieces: asyncio.Queue[AnswerPiece | Exception]
    cancelled: threading.Event = field(default_factory=threading.Event)

    def fail(self, error: Exception) -> None:
        """Let the one who asked know."""
        self.send(error if isinstance(error, EngineError) else engine_failed("an answer", error))

    def send(self, piece: AnswerPiece | Exception) -> None:
        """Let the one who asked have `piece`, or the error in its place."""
        # A loop that is gone has nobody left who could read it.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.pieces.put_nowait, piece)


@dataclass(slots=True, eq=False)
class _Generation:
    """An answer being written: its question has been read."""

    request: Request
    prefill: Prefill
    text: TextStream
    chance: torch.Generator
    written: list[int] = field(default_factory=list)


class Generator:
    """Where answers are written.

    Args:
        chat: The network.
        seed: Where the chance in sampled answers comes from.
    """

    def __init__(self, chat: VideoChat, seed: int) -> None:
        self._chat = chat
        self._seed = seed
        self._ends = chat.parts.ends | {chat.prompt.end}
        self._active: list[_Generation] = []

    def __len__(self) -> int:
        """Return how many answers are being written."""
        return len(self._active)

    @property
    def background(self) -> int:
        """How many of them nobody sits and waits for."""
        return sum(one.request.question.background for one in self._active)

    def begin(self, request: Request, history: History, hook: LayerHook = no_hook) -> None:
        """Read the question of `request` on top of `history`; see `Decoder.run` for `hook`.

        Raises:
            NothingSeen: If no clip lies in the time asked about.
            QuestionTooLong: If it is longer than can be read at once.
        """
        prefill = self._chat.ask(history, request.question, hook)
        if prefill is None:
            raise NothingSeen("nothing has been seen yet in the time asked about")
        self._seed += 1
        chance = torch.Generator().manual_seed(self._seed)
        text = TextStream(self._chat.prompt.tokenizer)
        self._active.append(_Generation(request, prefill, text, chance))

    def write(self) -> None:
        """Write the next token of every answer, all in one batch."""
        self._active = [one for one in self._active if not one.request.cancelled.is_set()]
        chosen = []
        for generation in list(self._active):
            try:
                if (token := self._choose(generation)) is not None:
                    chosen.append((generation, token))
            except Exception as error:  # noqa: BLE001 - handed to the one who waits for words
                self._fail(generation, error)
        if not chosen:
            return
        try:
            self._chat.reader.step(
                [generation.prefill.reading for generation, _ in chosen],
                [token for _, token in chosen],
            )
        except Exception as error:  # noqa: BLE001 - handed to whoever it fails for alone, too
            self._write_each(chosen, error)

    def _write_each(self, chosen: Sequence[tuple[_Generation, int]], error: Exception) -> None:
        """Write one by one what failed together: what fails for one fails for no other."""
        if len(chosen) == 1:
            self._fail(chosen[0][0], error)
            return
        for generation, token in chosen:
            try:
                self._chat.reader.step([generation.prefill.reading], [token])
            except Exception as own:  # noqa: BLE001 - handed to the one who waits for words
                self._fail(generation, own)

    def fail_all(self, error: Exception) -> None:
        """End every answer with `error`."""
        for generation in list(self._active):
            self._fail(generation, error)

    def cancel_all(self) -> None:
        """End every answer where it stands."""
        for generation in list(self._active):
            try:
                self._end(generation, "cancelled")
            except Exception as error:  # noqa: BLE001 - handed to the one who waits for words
                self._fail(generation, error)

    def _choose(self, generation: _Generation) -> int | None:
        """Send the next token of an answer; None if that ended it."""
        question = generation.request.question
        if question.tokens < 1:
            self._end(generation, "length")
            return None
        logits = generation.prefill.reading.logits
        sampling = question.sampling or self._chat.parts.sampling
        token = choose(logits, sampling, generation.written, generation.chance)
        if token in self._ends:
            self._end(generation, "stop")
            return None
        generation.written.append(token)
        if text := generation.text.add(token):
            generation.request.send(Words(text))
        if len(generation.written) >= min(question.tokens, MAX_ANSWER_TOKENS):
            self._end(generation, "length")
            return None
        return token

    def _end(self, generation: _Generation, reason: FinishReason) -> None:
        evidence = self._chat.evidence(generation.prefill)
        usage = self._chat.usage(generation.prefill, len(generation.written))
        self._active.remove(generation)
        generation.request.send(Finish(reason, evidence, usage))

    def _fail(self, generation: _Generation, error: Exception) -> None:
        self._active.remove(generation)
        generation.request.fail(error)
