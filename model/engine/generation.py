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

from model.engine.contract import (
    EngineBusy,
    EngineFailed,
    HistoryGone,
    NothingSeen,
    QuestionTooLong,
)
from model.history import History
from model.language.decoder import Pause, go_on
from model.language.sampling import TextStream, choose
from model.types import AnswerPiece, Finish, FinishReason, Question, Sampling, Words
from model.video_chat import Asked, VideoChat

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Answers written at once; further questions wait their turn."""
LONGEST_ANSWER = 512
"""Tokens; the positions that a history keeps free allow no more."""
EXPECTED = (EngineBusy, NothingSeen, QuestionTooLong)
"""What a question may meet without anything being wrong."""


@dataclass(slots=True, eq=False)
class Answer:
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

    def send(self, piece: AnswerPiece) -> None:
        """Let the one who asked have `piece`."""
        self._put(piece)

    def fail(self, error: Exception) -> None:
        """Let the one who asked know: those cannot know all that may go wrong in here."""
        if not isinstance(error, EXPECTED):
            log.error("an answer failed", exc_info=error)
            kind = type(error).__name__
            error = EngineFailed(f"the network failed ({kind}); the log says more")
        self._put(error)

    def _put(self, piece: AnswerPiece | Exception) -> None:
        # A loop that is gone has nobody left who could read it.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.pieces.put_nowait, piece)


@dataclass(slots=True, eq=False)
class _Writing:
    """An answer whose question has been read."""

    answer: Answer
    history: History
    asked: Asked
    text: TextStream
    chance: torch.Generator
    sampling: Sampling
    written: set[int] = field(default_factory=set)
    tokens: int = 0


class Desk:
    """Where answers are written.

    Args:
        chat: The network.
        seed: Where the chance in sampled answers comes from.
    """

    def __init__(self, chat: VideoChat, seed: int) -> None:
        self._chat = chat
        self._seed = seed
        self._ends = chat.parts.ends | {chat.prompt.end}
        self._writing: list[_Writing] = []

    def __len__(self) -> int:
        """Return how many answers are being written."""
        return len(self._writing)

    @property
    def full(self) -> bool:
        """Whether no further answer can be begun."""
        return len(self._writing) >= AT_ONCE

    def begin(self, answer: Answer, history: History | None, pause: Pause = go_on) -> None:
        """Read the question of `answer` on top of `history`; see `Decoder.run` for `pause`.

        Raises:
            HistoryGone: If there is none.
            NothingSeen: If no clip lies in the time asked about.
            QuestionTooLong: If it is longer than can be read at once.
        """
        if history is None:
            raise HistoryGone("nothing is held of this stream")
        asked = self._chat.ask(history, answer.question, pause)
        if asked is None:
            raise NothingSeen("nothing has been seen yet in the time asked about")
        self._seed += 1
        chance = torch.Generator().manual_seed(self._seed)
        text = TextStream(self._chat.prompt.vocabulary)
        sampling = answer.question.sampling or self._chat.parts.sampling
        self._writing.append(_Writing(answer, history, asked, text, chance, sampling))

    def write(self) -> None:
        """Write the next token of every answer, all in one batch."""
        self._writing = [one for one in self._writing if not one.answer.cancelled.is_set()]
        going = []
        for writing in list(self._writing):
            try:
                if (token := self._choose(writing)) is not None:
                    going.append((writing, token))
            except Exception as error:  # noqa: BLE001 - handed to the one who waits for words
                self._fail(writing, error)
        if not going:
            return
        try:
            self._chat.reader.step(
                [writing.asked.reading for writing, _ in going], [token for _, token in going]
            )
        except Exception as error:  # noqa: BLE001 - handed to whoever it fails for alone, too
            self._write_each(going, error)

    def _write_each(self, going: Sequence[tuple[_Writing, int]], error: Exception) -> None:
        """Write one by one what failed together: what fails for one fails for no other."""
        if len(going) == 1:
            self._fail(going[0][0], error)
            return
        for writing, token in going:
            try:
                self._chat.reader.step([writing.asked.reading], [token])
            except Exception as own:  # noqa: BLE001 - handed to the one who waits for words
                self._fail(writing, own)

    def fail_all(self, error: Exception) -> None:
        """End every answer with `error`."""
        for writing in list(self._writing):
            self._fail(writing, error)

    def cancel_all(self) -> None:
        """End every answer where it stands."""
        for writing in list(self._writing):
            try:
                self._end(writing, "cancelled")
            except Exception as error:  # noqa: BLE001 - handed to the one who waits for words
                self._fail(writing, error)

    def _choose(self, writing: _Writing) -> int | None:
        """Send the next token of an answer; None if that ended it."""
        question = writing.answer.question
        if question.tokens < 1:
            self._end(writing, "length")
            return None
        logits = writing.asked.reading.logits
        token = choose(logits, writing.sampling, writing.written, writing.chance)
        if token in self._ends:
            self._end(writing, "stop")
            return None
        writing.tokens += 1
        writing.written.add(token)
        if text := writing.text.add(token):
            writing.answer.send(Words(text))
        if writing.tokens >= min(question.tokens, LONGEST_ANSWER):
            self._end(writing, "length")
            return None
        return token

    def _end(self, writing: _Writing, reason: FinishReason) -> None:
        evidence = self._chat.evidence(writing.history, writing.asked)
        usage = self._chat.usage(writing.history, writing.asked, writing.tokens)
        self._writing.remove(writing)
        writing.answer.send(Finish(reason, evidence, usage))

    def _fail(self, writing: _Writing, error: Exception) -> None:
        self._writing.remove(writing)
        writing.answer.fail(error)
