"""The engine on this machine: one thread that owns the network, and takes turns.

A turn is short: a word of every answer being written (in one batch), then one new question,
then one batch of arriving clips from any streams, then a few clips for a history that lags, one
with a question waiting first. So nobody waits for a whole answer, or for more than one batch.
Reading a question may take most of a second; the batch of that turn gets in between two of its
layers if it is there by then, as a camera's picture grows old and a first word a little later
does not matter.

What no person waits for (a watch's question, a history that merely lags) gives way between any two
of its layers: there a person's question is read, and a word of every person's answer written.

Coroutines talk to the thread through bounded queues; results go back through the event loop
that asked.
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence

from model.engine.clips import Clips
from model.engine.contract import Past
from model.engine.folded_history import CLIPS_AT_ONCE, MANY_AT_ONCE
from model.engine.generation import Generator, Questions, Request
from model.engine.history_cache import HistoryCache
from model.engine.pulling import Pulling
from model.errors import EngineBusy, NothingSeen
from model.language.decoder import LayerHook, no_hook
from model.types import AnswerPiece, Clip, ClipTokens, Encoded, Finish, Question
from model.video_chat import VideoChat
from model.vision.things import Thing

log = logging.getLogger(__name__)

_THINGS_AT_ONCE = 4
"""Clips whose things are read on the event loop: sooner done than handed to a thread."""
_STOPPING = "the service is stopping"
TRIES = 3
"""How often a history is made again for one question, when other streams' need its room."""


class LocalEngine:
    """See `model.engine.contract.Engine`.

    Args:
        chat: The network.
        history_bytes: Memory for histories, in bytes.
        seed: Where the chance in sampled answers comes from.
        monotonic: Seconds that never go back: how long clips wait.

    Attributes:
        history_budget: Memory that histories may take, in bytes.
    """

    def __init__(
        self,
        chat: VideoChat,
        *,
        history_bytes: int = 2 << 30,
        seed: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = chat.parts.name
        self.encoder = chat.parts.encoder_name
        self.exact_columns = chat.parts.exact_columns
        self.rows = chat.parts.rows
        self.sampling = chat.parts.sampling
        self.follow_ups = chat.parts.follow_ups
        self.frames_per_clip = chat.parts.config.vision.frames_per_clip
        vision = chat.parts.config.vision
        self.image_size = vision.frame_side or vision.image_size
        self.one_scene = vision.one_scene
        self._chat = chat
        self.history_budget = history_bytes
        self._histories = HistoryCache(chat, history_bytes, self._wake)
        self._pulling = Pulling(self._histories)
        self.clips_at_most = self._histories.clips_at_most
        self._generator = Generator(chat, seed)
        self._clips = Clips(chat, monotonic)
        self._questions = Questions()
        self._work = threading.Condition()
        self._encoded = False  # in this turn
        self._extended: str | None = None  # the history that is being read
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def history_bytes(self) -> int:
        """Memory that histories hold now."""
        return self._histories.bytes

    async def encode(self, clip: Clip) -> Encoded:
        """See `Engine.encode`.

        Raises:
            EngineBusy: If too many clips wait already.
            ModelError: `engine_failed`: the network fails on it.
        """
        with self._work:
            if self._closing:
                raise EngineBusy(_STOPPING)
            waiting = self._clips.add(clip)
            self._work.notify()
        try:
            return await asyncio.wrap_future(waiting)
        finally:
            # If it was cancelled it may still wait, and would take the place of another.
            with self._work:
                self._clips.discard(waiting)

    async def prepare(self, past: Past) -> bool:
        """See `Engine.prepare`."""
        await self._pulling.bring(past)
        return self._histories.is_folded(past.name)

    async def learn(self, stream: str, clip: ClipTokens, after: float | None) -> None:
        """See `Engine.learn`."""
        self._pulling.learn(stream, clip, after)

    async def blocks(self, past: Past) -> Sequence[ClipTokens]:
        """See `Engine.blocks`."""
        # Beside the event loop: of a history that is made again all clips are folded for this.
        return await asyncio.to_thread(self._histories.blocks, past.name)

    async def things(self, clips: Sequence[ClipTokens]) -> list[Sequence[Thing]] | None:
        """See `Engine.things`."""
        things_of = self._chat.parts.things
        if things_of is None:
            return None
        if len(clips) <= _THINGS_AT_ONCE:
            return [things_of(clip) for clip in clips]
        return await asyncio.to_thread(lambda: [things_of(clip) for clip in clips])

    async def forget(self, stream: str) -> None:
        """See `Engine.forget`."""
        self._pulling.forget(stream)

    async def answer(self, past: Past, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """See `Engine.answer`.

        Raises:
            EngineBusy: If too many questions wait already, or too many streams are asked about.
            NothingSeen: If there is no clip in the time asked about.
            ModelError: `question_too_long`: it is longer than can be read at once; `engine_failed`: the
                network fails.
        """
        request = await self._ask(past, question)
        tries = 1
        try:
            while True:
                piece = await request.pieces.get()
                # Before any word: its history was given up while it waited behind larger ones.
                if isinstance(piece, NothingSeen) and piece.code == "history_gone":
                    if tries == TRIES:
                        raise EngineBusy("other streams that are asked about take all the room")
                    tries += 1
                    request = await self._ask(past, question)
                    continue
                if isinstance(piece, Exception):
                    raise piece
                yield piece
                if isinstance(piece, Finish):
                    return
        finally:
            request.cancelled.set()
            with self._work:
                self._questions.discard(request)
            if past.once:
                self._pulling.drop(past.name)

    async def _ask(self, past: Past, question: Question) -> Request:
        """Let `question` wait for its turn, once what it is about has been read from memory.

        Raises:
            NothingSeen: If there is no clip.
            EngineBusy: If too many questions wait already.
        """
        until = await self._pulling.bring(past)
        if until is None:
            raise NothingSeen("nothing has been seen yet")
        # Bounded by the answer's length: a slow reader costs a thousand short strings at most.
        request = Request(past.name, question, until, asyncio.get_running_loop())
        with self._work:
            if self._closing:
                raise EngineBusy(_STOPPING)
            self._questions.add(request)
            self._work.notify()
        return request

    async def close(self) -> None:
        """See `Engine.close`."""
        with self._work:
            self._closing = True
            self._work.notify()
        await asyncio.to_thread(self._thread.join)

    def _wake(self) -> None:
        with self._work:
            self._work.notify()

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
        self._generator.cancel_all()
        self._refuse_all(EngineBusy(_STOPPING))

    def _has_work(self) -> bool:
        waiting = self._clips or self._questions or self._generator or self._closing
        return bool(waiting) or self._histories.next_behind() is not None

    def _turn(self) -> None:
        """A token of every answer, one question, one batch of clips, a little of one history."""
        if not self._serve_people():
            self._begin(self._give_way, background=True)
        self._generator.write(self._give_way, background=True)
        self._encode_once()
        self._catch_up()

    def _serve_people(self) -> bool:
        """Write a token of every person's answer, read one person's question; say if one was read."""
        self._encoded = False
        self._generator.write(self._encode_once)
        return self._begin(self._encode_once, background=False)

    def _give_way(self) -> None:
        """Let people, and clips, in between two layers of what no person waits for."""
        if self._questions.people or len(self._generator) > self._generator.background:
            if self._serve_people():
                self._generator.write()  # the first word
            self._catch_up(people_alone=True)
        self._encode_once()

    def _encode_once(self) -> None:
        """Encode a batch, unless this turn has done so between two layers of its question."""
        self._encoded = self._encoded or self._encode()

    def _give_up(self, error: Exception) -> None:
        """Fail everything under way: what a turn left half done cannot be gone on from."""
        self._generator.fail_all(error)
        self._refuse_all(error)

    def _refuse_all(self, error: Exception) -> None:
        """Fail everything that waits to be begun."""
        with self._work:
            questions, clips = self._questions.clear(), self._clips.clear()
        for request in questions:
            request.fail(error)
        for waiting in clips:
            if waiting.set_running_or_notify_cancel():
                waiting.set_exception(error)

    def _begin(self, hook: LayerHook, *, background: bool) -> bool:
        """Read the first question whose history holds what it asks about; say if there was one."""
        with self._work:
            request = self._questions.take(self._generator, self._is_ready, background=background)
        if request is None:
            return False
        try:
            history = self._histories.current(request.history, request.until)
            self._generator.begin(request, history, hook)
        except Exception as error:  # noqa: BLE001 - handed to the one who asked
            request.fail(error)
        return True

    def _is_ready(self, request: Request) -> bool:
        if request.history == self._extended:
            return False
        return not self._histories.is_behind(request.history, request.until)

    def _encode(self) -> bool:
        """Encode a batch of clips; say if there was any."""
        with self._work:
            batch = self._clips.take()
        return self._clips.encode(batch)

    def _catch_up(self, *, people_alone: bool = False) -> None:
        """Let a history that lags read a few clips: one that a question waits for, or any.

        Args:
            people_alone: Only one that a person's question waits for, while another is being read.
        """
        with self._work:
            asked = [a for a in self._questions if not (people_alone and a.question.background)]
        waited_for = next(filter(self._waits_for_clips, asked), None)
        if waited_for is None and people_alone:
            return
        stream = waited_for.history if waited_for else self._histories.next_behind()
        if stream is None:
            return
        self._encoded = False
        if waited_for is None or waited_for.question.background:
            self._extend(stream, asked, CLIPS_AT_ONCE, self._give_way)
        elif self._generator:  # an answer that is being written would wait for many clips
            self._extend(stream, asked, CLIPS_AT_ONCE, no_hook)
        else:
            self._extend(stream, asked, MANY_AT_ONCE, self._encode_once)

    def _waits_for_clips(self, request: Request) -> bool:
        name = request.history
        return name != self._extended and self._histories.is_behind(name, request.until)

    def _extend(self, stream: str, asked: list[Request], at_once: int, hook: LayerHook) -> None:
        """Let a history read at most so many clips; one that fails is given up."""
        before, self._extended = self._extended, stream
        try:
            self._histories.catch_up(stream, asked[0].history if asked else None, at_once, hook)
        except Exception:
            # What a half-read clip left in its caches cannot be trusted: memory has the clips.
            log.exception("the history of stream %s was given up", stream)
            self._histories.forget(stream)
        finally:
            self._extended = before
