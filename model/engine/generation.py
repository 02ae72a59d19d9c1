"""The questions that wait to be read, and the answers being written: a word more of every one at a time.

Two queues with a bound each, so that watches never fill the one in which people stand. A question in
the background starts only when no person's question waits at all, not even one whose history must
be brought up to date first, and few of them are written at once: most places are kept for people.

Answers to people are written in one batch, those in the background in another: people's go on between
two layers of that. Used by the thread that owns the network alone, but for `Questions`, under its lock
(`model/engine/local.py`). Words go back through the event loop of whoever asked. What fails for one
answer fails for no other.
"""

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field

import torch

from model.errors import EngineBusy, ModelError, NothingSeen
from model.history import History
from model.language.decoder import LayerHook, no_hook
from model.language.sampling import TextStream, choose
from model.types import AnswerPiece, Finish, FinishReason, Question, Words
from model.video_chat import Prefill, VideoChat

log = logging.getLogger(__name__)

MAX_CONCURRENT = 8
"""Answers written at once; further questions wait their turn."""
MAX_WAITING_QUESTIONS = 32
MAX_WAITING_BACKGROUND = 32
MAX_CONCURRENT_BACKGROUND = MAX_CONCURRENT // 4
"""Answers in the background written at once."""
MAX_ANSWER_TOKENS = 512
"""Tokens; the positions that a history keeps free allow no more."""


def engine_failed(what: str, error: Exception) -> ModelError:
    """Write `error` to the log, and return what those are told who waited for `what`.

    They cannot know all that may go wrong in here.
    """
    log.error("%s failed", what, exc_info=error)
    said = f"the network failed ({type(error).__name__}); the log says more"
    return ModelError(said, code="engine_failed")


@dataclass(slots=True, eq=False)
class Request:
    """A question from when it is asked to its last word; `pieces` belongs to `loop`.

    Attributes:
        history: The name of that which it is answered from.
        question: What is asked.
        until: How far the history reached when it was asked, in media seconds.
        loop: Of whoever asked.
        pieces: What they get.
        cancelled: Whether they do not want it any more.
        context: In which it was asked: what is logged of it says for which request.
        prefill: The question once it has been read; like all below not there before.
        text: Makes words of tokens.
        chance: Of sampling.
        written: Tokens of the answer so far.
    """

    history: str
    question: Question
    until: float
    loop: asyncio.AbstractEventLoop
    pieces: asyncio.Queue[AnswerPiece | Exception] = field(default_factory=asyncio.Queue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    context: Context = field(default_factory=copy_context)
    prefill: Prefill = field(init=False)
    text: TextStream = field(init=False)
    chance: torch.Generator = field(init=False)
    written: list[int] = field(default_factory=list)

    def fail(self, error: Exception) -> None:
        """Let the one who asked know."""
        if not isinstance(error, ModelError):
            # Not within `context` itself: it is entered by one at a time.
            error = self.context.copy().run(engine_failed, "an answer", error)
        self.send(error)

    def send(self, piece: AnswerPiece | Exception) -> None:
        """Let the one who asked have `piece`, or the error in its place."""
        # A loop that is gone has nobody left who could read it.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.pieces.put_nowait, piece)


class Questions:
    """What waits to be read; its caller holds a lock."""

    def __init__(self) -> None:
        self._people: deque[Request] = deque()
        self._background: deque[Request] = deque()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._people) + len(self._background)

    @property
    def people(self) -> int:
        """How many of them a person waits for."""
        return len(self._people)

    def __iter__(self) -> Iterator[Request]:
        """Yield what waits, in the order in which it is to be served."""
        yield from self._people
        yield from self._background

    def add(self, request: Request) -> None:
        """Let `request` wait.

        Raises:
            EngineBusy: If too many of its kind wait already.
        """
        background = request.question.background
        queue = self._background if background else self._people
        if len(queue) >= (MAX_WAITING_BACKGROUND if background else MAX_WAITING_QUESTIONS):
            raise EngineBusy(f"{len(queue)} questions wait for the language model")
        queue.append(request)

    def discard(self, request: Request) -> None:
        """Let `request` wait no longer, if it does."""
        for queue in (self._people, self._background):
            if request in queue:
                queue.remove(request)

    def take(
        self, generator: "Generator", ready: Callable[[Request], bool], *, background: bool
    ) -> Request | None:
        """Return the question to read now, which waits no longer; None if there is none.

        Args:
            generator: Which writes the answers, if it has room.
            ready: Whether the history of a question's stream holds what it asks about.
            background: Whether a person's is wanted, or one that nobody waits for: there is none
                while any person's waits.
        """
        if len(generator) >= MAX_CONCURRENT:
            return None
        if background and (self._people or generator.background >= MAX_CONCURRENT_BACKGROUND):
            return None
        queue = self._background if background else self._people
        request = next(filter(ready, queue), None)
        if request is not None:
            queue.remove(request)
        return request

    def clear(self) -> list[Request]:
        """Return all that waited; nothing does any more."""
        waiting = list(self)
        self._people.clear()
        self._background.clear()
        return waiting


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
        self._active: list[Request] = []

    def __len__(self) -> int:
        """Return how many answers are being written."""
        return len(self._active)

    @property
    def background(self) -> int:
        """How many of them nobody sits and waits for."""
        return len(self._of(background=True))

    def _of(self, *, background: bool) -> list[Request]:
        return [one for one in self._active if one.question.background is background]

    def begin(self, request: Request, history: History, hook: LayerHook = no_hook) -> None:
        """Read the question of `request` on top of `history`; see `Decoder.run` for `hook`.

        Raises:
            NothingSeen: If no clip lies in the time asked about.
            ModelError: `question_too_long`: it is longer than can be read at once.
        """
        prefill = self._chat.ask(history, request.question, hook)
        if prefill is None:
            raise NothingSeen("nothing has been seen yet in the time asked about")
        self._seed += 1
        request.prefill, request.text = prefill, TextStream(self._chat.prompt.tokenizer)
        request.chance = torch.Generator().manual_seed(self._seed)
        self._active.append(request)

    def write(self, hook: LayerHook = no_hook, *, background: bool = False) -> None:
        """Write the next token of every answer to a person, or of every other, all in one batch.

        Those to people may be written from the `hook` of the others (see `Decoder.run`), never the
        other way round.
        """
        for request in self._of(background=background):
            if request.cancelled.is_set():
                self._let_go(request)
        chosen = []
        for request in self._of(background=background):
            try:
                if (token := self._choose(request, hook)) is not None:
                    chosen.append((request, token))
            except Exception as error:  # noqa: BLE001 - handed to the one who waits for words
                self._fail(request, error)
        if not chosen:
            return
        try:
            self._chat.reader.step(
                [request.prefill.reading for request, _ in chosen],
                [token for _, token in chosen],
                hook if background else no_hook,
            )
        except Exception as error:  # noqa: BLE001 - handed to whoever it fails for alone, too
            self._write_each(chosen, error)

    def _write_each(self, chosen: Sequence[tuple[Request, int]], error: Exception) -> None:
        """Write one by one what failed together: what fails for one fails for no other."""
        if len(chosen) == 1:
            self._fail(chosen[0][0], error)
            return
        for request, token in chosen:
            try:
                self._chat.reader.step([request.prefill.reading], [token])
            except Exception as own:  # noqa: BLE001 - handed to the one who waits for words
                self._fail(request, own)

    def fail_all(self, error: Exception) -> None:
        """End every answer with `error`."""
        for request in list(self._active):
            self._fail(request, error)

    def cancel_all(self) -> None:
        """End every answer where it stands."""
        for request in list(self._active):
            try:
                self._end(request, "cancelled")
            except Exception as error:  # noqa: BLE001 - handed to the one who waits for words
                self._fail(request, error)

    def _choose(self, request: Request, hook: LayerHook) -> int | None:
        """Send the next token of an answer; None if that ended it."""
        question = request.question
        if question.tokens < 1:
            self._end(request, "length", hook)
            return None
        logits = request.prefill.reading.logits
        sampling = question.sampling or self._chat.parts.sampling
        circle = self._chat.parts.no_repeat_ngram_size
        token = choose(logits, sampling, request.written, request.chance, circle)
        if token in self._ends:
            self._end(request, "stop", hook)
            return None
        request.written.append(token)
        if text := request.text.add(token):
            request.send(Words(text))
        if len(request.written) >= min(question.tokens, MAX_ANSWER_TOKENS):
            self._end(request, "length", hook)
            return None
        return token

    def _end(self, request: Request, reason: FinishReason, hook: LayerHook = no_hook) -> None:
        evidence = self._chat.evidence(request.prefill, hook)
        usage = self._chat.usage(request.prefill, len(request.written))
        self._let_go(request)
        request.send(Finish(reason, evidence, usage))

    def _fail(self, request: Request, error: Exception) -> None:
        self._let_go(request)
        request.fail(error)

    def _let_go(self, request: Request) -> None:
        self._active.remove(request)
        # Whoever reads slowly still holds the request: not the caches of its layers, too.
        del request.prefill
