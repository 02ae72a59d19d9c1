"""The engine on this machine: one thread that owns the network, and takes turns.

A turn is short: a word of every answer being written (in one batch), then one new question,
then one batch of arriving clips from any streams, then a few clips for a history that lags, one
with a question waiting first. So nobody waits for a whole answer, or for more than one batch.

Coroutines talk to the thread through bounded queues; results go back through the event loop
that asked.
"""

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import torch

from model.engine import EngineBusy, EngineFailed, HistoryGone, NothingSeen, QuestionTooLong
from model.generate import TextStream, choose
from model.history import History
from model.shelf import Shelf
from model.types import AnswerPiece, Clip, ClipTokens, Finish, FinishReason, Question, Words
from model.video_chat import Asked, VideoChat

log = logging.getLogger(__name__)

CLIPS_WAITING = 64
QUESTIONS_WAITING = 32
WRITING = 8
"""Answers written at once; further questions wait their turn."""
BATCH = 4
"""Clips encoded at once."""
EXPECTED = (EngineBusy, NothingSeen, QuestionTooLong)
"""What a question may meet without anything being wrong."""
LONGEST_ANSWER = 512
"""Tokens; the positions that a history keeps free allow no more."""


@dataclass(slots=True, eq=False)
class _Answer:
    """A question on its way to becoming an answer; `pieces` belongs to `loop`."""

    stream: str
    question: Question
    loop: asyncio.AbstractEventLoop
    pieces: asyncio.Queue[AnswerPiece | Exception]
    cancelled: threading.Event = field(default_factory=threading.Event)

    def send(self, piece: AnswerPiece | Exception) -> None:
        # A loop that is gone has nobody left who could read it.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.pieces.put_nowait, piece)


@dataclass(slots=True, eq=False)
class _Writing:
    """An answer being written."""

    answer: _Answer
    history: History
    asked: Asked
    text: TextStream
    chance: torch.Generator
    tokens: int = 0


class LocalEngine:
    """See `model.engine.Engine`.

    Args:
        chat: The network.
        history_bytes: Memory for histories, in bytes.
        seed: Where the chance in sampled answers comes from.
    """

    def __init__(self, chat: VideoChat, *, history_bytes: int = 2 << 30, seed: int = 0) -> None:
        self.name = chat.parts.name
        self.encoder = chat.parts.encoder_name
        self.frames_per_clip = chat.parts.config.vision.frames_per_clip
        self._chat = chat
        self._shelf = Shelf(chat, history_bytes)
        self.capacity = self._shelf.capacity
        self._seed = seed
        self._ends = chat.parts.ends | {chat.prompt.end}
        self._clips: deque[tuple[Clip, Future[ClipTokens]]] = deque()
        self._questions: deque[_Answer] = deque()
        self._writing: list[_Writing] = []
        self._work = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def history_bytes(self) -> int:
        """Memory that histories hold now."""
        return self._shelf.bytes

    async def encode(self, clip: Clip) -> ClipTokens:
        """See `Engine.encode`.

        Raises:
            EngineBusy: If too many clips wait already.
        """
        future: Future[ClipTokens] = Future()
        with self._work:
            if self._closing or len(self._clips) >= CLIPS_WAITING:
                raise EngineBusy(f"{len(self._clips)} clips wait to be encoded")
            self._clips.append((clip, future))
            self._work.notify()
        return await asyncio.wrap_future(future)

    def reach(self, stream: str) -> float | None:
        """See `Engine.reach`."""
        return self._shelf.reach(stream)

    def extend(self, stream: str, clips: Sequence[ClipTokens]) -> None:
        """See `Engine.extend`."""
        if clips:
            self._shelf.give(stream, clips)
            with self._work:
                self._work.notify()

    def forget(self, stream: str) -> None:
        """See `Engine.forget`."""
        self._shelf.forget(stream)

    async def answer(self, stream: str, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """See `Engine.answer`.

        Raises:
            EngineBusy: If too many questions wait already.
            NothingSeen: If there is no clip in the time asked about.
            HistoryGone: If there is no history: other streams needed its memory.
            QuestionTooLong: If the question is longer than can be read at once.
            EngineFailed: If the network fails.
        """
        # Bounded by the answer's length: a slow reader costs a thousand short strings at most.
        answer = _Answer(stream, question, asyncio.get_running_loop(), asyncio.Queue())
        with self._work:
            if self._closing or len(self._questions) >= QUESTIONS_WAITING:
                raise EngineBusy(f"{len(self._questions)} questions wait for the language model")
            self._questions.append(answer)
            self._work.notify()
        try:
            while True:
                piece = await answer.pieces.get()
                if isinstance(piece, Exception):
                    raise piece
                yield piece
                if isinstance(piece, Finish):
                    return
        finally:
            answer.cancelled.set()

    async def close(self) -> None:
        """See `Engine.close`."""
        with self._work:
            self._closing = True
            self._work.notify()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while True:
            with self._work:
                self._work.wait_for(self._has_work)
                if self._closing:
                    break
            try:
                self._turn()
            except Exception as error:
                log.exception("the engine failed; what was under way is given up")
                self._give_up(error)
        for writing in self._writing:
            self._end(writing, "cancelled")
        for answer in self._questions:
            answer.send(EngineBusy("the service is stopping"))
        for _, future in self._clips:
            if future.set_running_or_notify_cancel():
                future.set_exception(EngineBusy("the service is stopping"))

    def _has_work(self) -> bool:
        waiting = self._clips or self._questions or self._writing or self._closing
        return bool(waiting) or self._shelf.lagging() is not None

    def _turn(self) -> None:
        self._write()
        self._begin()
        self._encode()
        self._catch_up()

    def _write(self) -> None:
        """Write the next token of every answer, all in one batch."""
        for writing in [w for w in self._writing if w.answer.cancelled.is_set()]:
            self._writing.remove(writing)
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
        except Exception as error:  # noqa: BLE001 - handed to those who wait for words
            for writing, _ in going:
                self._fail(writing, error)

    def _fail(self, writing: _Writing, error: Exception) -> None:
        if writing in self._writing:
            self._writing.remove(writing)
        writing.answer.send(_told(error))

    def _give_up(self, error: Exception) -> None:
        """Fail everything under way: what a turn left half done cannot be gone on from."""
        for writing in list(self._writing):
            self._fail(writing, error)
        with self._work:
            questions, clips = list(self._questions), list(self._clips)
            self._questions.clear()
            self._clips.clear()
        for answer in questions:
            answer.send(_told(error))
        for _, future in clips:
            if future.set_running_or_notify_cancel():
                future.set_exception(error)

    def _choose(self, writing: _Writing) -> int | None:
        """Send the next token of an answer; None if that ended it."""
        question = writing.answer.question
        token = choose(
            writing.asked.reading.logits, question.temperature, question.top_p, writing.chance
        )
        if token in self._ends:
            self._end(writing, "stop")
            return None
        writing.tokens += 1
        if text := writing.text.add(token):
            writing.answer.send(Words(text))
        if writing.tokens >= min(question.tokens, LONGEST_ANSWER):
            self._end(writing, "length")
            return None
        return token

    def _end(self, writing: _Writing, reason: FinishReason) -> None:
        if writing in self._writing:
            self._writing.remove(writing)
        evidence = self._chat.evidence(writing.history, writing.asked)
        usage = self._chat.usage(writing.history, writing.asked, writing.tokens)
        writing.answer.send(Finish(reason, evidence, usage))

    def _begin(self) -> None:
        """Read the first question whose stream's history is up to date."""
        with self._work:
            for answer in [a for a in self._questions if a.cancelled.is_set()]:
                self._questions.remove(answer)
            ready = (a for a in self._questions if not self._shelf.lags(a.stream))
            next_one = next(ready, None) if len(self._writing) < WRITING else None
            if next_one is None:
                return
            self._questions.remove(next_one)
        try:
            self._read_question(next_one)
        except Exception as error:  # noqa: BLE001 - handed to the one who asked
            next_one.send(_told(error))

    def _read_question(self, answer: _Answer) -> None:
        history = self._shelf.current(answer.stream)
        if history is None:
            raise HistoryGone("nothing is held of this stream")
        asked = self._chat.ask(history, answer.question)
        if asked is None:
            raise NothingSeen("nothing has been seen yet in the time asked about")
        self._seed += 1
        chance = torch.Generator().manual_seed(self._seed)
        text = TextStream(self._chat.prompt.vocabulary)
        self._writing.append(_Writing(answer, history, asked, text, chance))

    def _encode(self) -> None:
        """Encode a batch of clips, whichever streams they come from."""
        with self._work:
            batch = [self._clips.popleft() for _ in range(min(BATCH, len(self._clips)))]
        batch = [(clip, future) for clip, future in batch if future.set_running_or_notify_cancel()]
        if not batch:
            return
        try:
            encoded = self._chat.encode([clip for clip, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to the one who sent the clip
            self._encode_each(batch, error)
            return
        for (_, future), tokens in zip(batch, encoded, strict=True):
            future.set_result(tokens)

    def _encode_each(
        self, batch: Sequence[tuple[Clip, Future[ClipTokens]]], error: Exception
    ) -> None:
        """Encode one by one what failed together: one stream's bad clip is its own affair."""
        for clip, future in batch:
            try:
                future.set_result(self._chat.encode([clip])[0] if len(batch) > 1 else _again(error))
            except Exception as own:  # noqa: BLE001 - handed to the one who sent the clip
                future.set_exception(own)

    def _catch_up(self) -> None:
        """Let a history that lags read a few clips: one that a question waits for, or any."""
        with self._work:
            asked = [a.stream for a in self._questions]
        stream = next(filter(self._shelf.lags, asked), None) or self._shelf.lagging()
        if stream is None:
            return
        try:
            self._shelf.advance(stream, spared=asked[0] if asked else None)
        except Exception:
            # What a half-read clip left in its caches cannot be trusted: memory has the clips.
            log.exception("the history of stream %s was given up", stream)
            self._shelf.forget(stream)


def _told(error: Exception) -> Exception:
    """Return what is said about `error`: those who ask cannot know what may go wrong in here."""
    if isinstance(error, EXPECTED):
        return error
    log.error("an answer failed", exc_info=error)
    return EngineFailed(f"the network failed ({type(error).__name__}); the log says more")


def _again(error: Exception) -> ClipTokens:
    raise error
