"""The life of an engine by chance: streams, clips, questions and mishaps in any order.

What an answer must be is worked out anew from the stored clips alone, by a history that reads
them in one go: no history cache, no turns, nobody else.
"""

import asyncio
import contextlib
import random
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import torch

from memory.local_store import LocalStore
from model.engine.generation import MAX_ANSWER_TOKENS
from model.engine.local import LocalEngine
from model.errors import EngineBusy, ModelError
from model.language.sampling import TextStream
from model.types import Clip, ClipTokens, Finish, Question, Sampling, Words
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from stream.past.recall import Recall

PLAIN = VideoChat(tiny())
NEAR = 1e-4
"""Numbers that differ by less than this share of themselves may be ordered either way."""


class Fragile(VideoChat):
    """Runs out of memory in the middle of a pass when told to.

    Attributes:
        passes: Layers and encodings that still succeed; None lets all succeed.
    """

    def __init__(self, positions):
        parts, self.passes = tiny(), None
        language = replace(parts.config.language, max_positions=positions)
        inside, encode = parts.decoder.model.layers, parts.encoder

        def breakable(frames):
            self._pass()
            return encode(frames)

        for layer in inside:
            layer.self_attn.o_proj.register_forward_pre_hook(lambda *_: self._pass())
        config = replace(parts.config, language=language)
        super().__init__(replace(parts, config=config, encoder=breakable))

    def _pass(self):
        if self.passes is not None:
            self.passes -= 1
            if self.passes < 0:
                self.passes = None
                raise torch.OutOfMemoryError("the card is full")


@dataclass
class Stream:
    """What a stream really showed.

    Attributes:
        name: Whose.
        recall: Asked.
        clips: Remembered, oldest first.
        given: Media time of the next clip, in seconds.
    """

    name: str
    recall: Recall
    clips: list[ClipTokens] = field(default_factory=list)
    given: float = 0.0

    @property
    def end(self):
        return self.clips[-1].end if self.clips else None


@dataclass
class Told:
    """A question, what came of it, and what it may have come from."""

    question: Question
    clips: list[ClipTokens]
    at_least: int
    words: str = ""
    finish: Finish | None = None
    error: Exception | None = None
    given_up: bool = False


class Life:
    """One engine and what happens to it.

    Args:
        seed: Of all that is left to chance.
        budget: Bytes for histories.
        positions: That the language model can tell apart.
        names: Of its streams.
    """

    def __init__(self, seed, *, budget=1 << 30, positions=8192, names="abcde"):
        self.chance, self.names = random.Random(seed), names
        self.pixels = torch.Generator().manual_seed(seed)
        self.chat = Fragile(positions)
        self.engine = LocalEngine(self.chat, history_bytes=budget, seed=seed)
        self.store = LocalStore(self.engine.encoder)
        self.streams, self.told, self.tasks, self.unread = {}, [], set(), []
        self.broken = self.closed = False

    async def live(self, steps, mishaps=True):
        """Let `steps` things happen, some of them at once."""
        doings = [self.clips_arrive] * 5 + [self.someone_asks] * 5 + [self.time_passes] * 3
        doings += [self.clips_come_again, self.history_is_given_up, self.all_is_quiet]
        doings += [self.stream_is_deleted, self.memory_runs_out] if mishaps else []
        for _ in range(steps):
            doing = self.chance.choice(doings)()
            if asyncio.iscoroutine(doing):
                await doing

    def clips_arrive(self):
        """Clips of one stream, of any size, come from its source."""
        stream = self._any_stream()
        for _ in range(self.chance.randint(1, 4)):
            shape = (self.chance.randint(1, 4), self.chance.choice([24, 32, 50]), 32, 3)
            pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=self.pixels)
            clip = Clip(pixels, stream.given, stream.given + 0.5 * (shape[0] - 1))
            stream.given = clip.end + self.chance.choice([0.5, 0.5, 9.0])
            self._start(self._encode(stream, clip))

    def someone_asks(self):
        stream = self._any_stream()
        last = stream.end or 0.0
        ends = sorted(self.chance.uniform(-5, last + 5) for _ in range(2))
        since, until = self.chance.choice([(None, None)] * 3 + [tuple(ends), (ends[0], None)])
        question = Question(
            self.chance.choice(["what?", "Where is the red ball now, and what was before?", ""]),
            tokens=self.chance.choice([0, 1, 2, 6, 6, 25, 10**9]),
            sampling=self.chance.choice(
                [None, None, None, Sampling(0.8), Sampling(0.8, top_p=0.5)]
            ),
            since=since,
            until=until,
        )
        patience = self.chance.choice([None, None, None, 0, 1, 2, 5])
        self._start(self._ask(stream, question, patience))

    async def time_passes(self):
        for _ in range(self.chance.randint(1, 30)):
            await asyncio.sleep(0)

    async def clips_come_again(self):
        """Some that are known, or known no more, are given once more."""
        stream = self._any_stream()
        if stream.clips:
            first = self.chance.randrange(len(stream.clips))
            stop = self.chance.randint(first + 1, len(stream.clips))
            before = stream.clips[first - 1].end if first else None
            for clip in stream.clips[first:stop]:
                await self.engine.learn(stream.name, clip, before)
                before = clip.end

    async def history_is_given_up(self):
        await self.engine.forget(self._any_stream().name)

    async def all_is_quiet(self):
        while self.tasks:
            await asyncio.wait(self.tasks)

    async def stream_is_deleted(self):
        """And perhaps begun anew later, with other things to see."""
        await self.all_is_quiet()
        stream = self._any_stream()
        await self.engine.forget(stream.name)
        await self.store.forget(stream.name)
        del self.streams[stream.name]

    def memory_runs_out(self):
        self.broken = True
        self.chat.passes = self.chance.randint(0, 40)

    def _any_stream(self):
        name = self.chance.choice(self.names)
        if name not in self.streams:
            self.streams[name] = Stream(name, Recall(name, self.engine, self.store))
        return self.streams[name]

    def _start(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task):
        self.tasks.discard(task)
        if not task.cancelled():
            task.result()

    async def _encode(self, stream, clip):
        allowed = (EngineBusy, torch.OutOfMemoryError) if self.broken else EngineBusy
        with contextlib.suppress(allowed):
            tokens = (await self.engine.encode(clip)).tokens
            if stream.end is None or tokens.start > stream.end:  # else it comes too late
                after = stream.end
                await self.store.begin(stream.name, 0.0)
                kept = await self.store.append(stream.name, tokens, b"")
                stream.clips.append(kept)
                await self.engine.learn(stream.name, kept, after)

    async def _ask(self, stream, question, patience):
        told = Told(question, stream.clips, len(stream.clips))
        self.told.append(told)
        answer = stream.recall.ask(question)
        if patience is not None and self.chance.random() < 0.3:
            self.unread.append(answer)  # neither closed nor collected
            for _ in range(patience):
                with contextlib.suppress(StopAsyncIteration, ModelError):
                    await anext(answer)
            told.given_up = True
            return
        pieces = 0
        try:
            async with aclosing(answer):
                async for piece in answer:
                    assert told.finish is None, "nothing comes after the end"
                    if isinstance(piece, Words):
                        told.words += piece.text
                    else:
                        told.finish = piece
                    pieces += 1
                    if pieces == patience:
                        break
        except ModelError as error:
            told.error = error.with_traceback(None)  # which would hold on to the history
        told.given_up = told.finish is None and told.error is None


def expected(clips, question):
    """Return the words of a greedy answer from `clips`; None where rounding could decide them."""
    history = PLAIN.open()
    PLAIN.extend(history, clips)
    if (asked := PLAIN.ask(history, question)) is None:
        return ""
    reading, text = asked.reading, TextStream(PLAIN.prompt.tokenizer)
    visual = reading.selection.scores[reading.selection.clips >= 0].sort(descending=True).values
    kept = reading.tokens_kept
    if kept < len(visual) and visual[kept - 1] - visual[kept] < NEAR * visual[kept]:
        return None
    words = ""
    for _ in range(min(question.tokens, MAX_ANSWER_TOKENS)):
        best, second = reading.logits.topk(2).values
        if best - second < NEAR:
            return None
        token = int(reading.logits.argmax())
        if token == PLAIN.prompt.end:
            break
        words += text.add(token)
        PLAIN.reader.step([reading], [token])
    return words
