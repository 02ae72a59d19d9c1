"""Keeps the engine's history of a stream in step with memory, and answers from it.

Clip tokens in the store are the truth, the history a cache of them: it may lag, it may be gone
(the engine gave up its memory, the service was started anew), and is then brought up to date.

A question about a range is answered from a history made of that range alone, under a name of its
own: in the stream's history every clip was read after all those before it, and what lies outside a
range must not change the answer.
"""

import asyncio
import itertools
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import replace

from memory.store import ClipStore, Moment, StreamRecord
from model.engine.contract import Engine
from model.errors import EngineBusy, HistoryGone, NothingInRange, NothingSeen
from model.types import AnswerPiece, ClipTokens, Evidence, Finish, Question
from stream.past.second_look import BLOCKS, Span, calibrated, named

PAGE = 64
_COUNTER = itertools.count()
_EVERY = 1_000_000
_NEAREST = 4.0
"""Seconds to the clip that an instant between two clips is said to lie in, at most; in a film of which
frames were taken here and there it is the nearest, however far."""
TRIES = 3
"""How often the history is made again for one question, when other streams' need its memory."""


class Recall:
    """What one stream's questions are answered from."""

    def __init__(
        self, stream: str, engine: Engine, store: ClipStore, *, looks_again: bool = False
    ) -> None:
        """Take what a stream's questions are answered from.

        Args:
            stream: Its name.
            engine: Answers.
            store: Holds the originals.
            looks_again: Whether what a folded history names is looked at again, as it was seen.
        """
        self._looks_again = looks_again
        self._stream = stream
        self._engine = engine
        self._store = store
        self._catching_up = asyncio.Lock()
        self._callers = 0
        self._closed = False
        self._ranges: set[str] = set()
        self._generation: int | None = None

    @property
    def busy(self) -> bool:
        """Whether someone is being answered, or the history is being brought up to date."""
        return self._callers > 0

    @contextmanager
    def called(self) -> Iterator[None]:
        """Count someone who is being answered, or waits for it."""
        self._callers += 1
        try:
            yield
        finally:
            self._callers -= 1

    def close(self) -> None:
        """Give the engine nothing more: the stream may be deleted, and its name begun anew."""
        self._closed = True
        self._forget_ranges()

    def start_over(self) -> None:
        """Drop the history: memory holds something else than what it was made from."""
        self._engine.forget(self._stream)
        self._forget_ranges()

    def learn(self, tokens: ClipTokens, after: float | None) -> None:
        """Add a clip that was just remembered; `after` is the end of the one before it.

        A history with a hole would stay wrong: one that lags is left to `catch_up`.
        """
        if self._engine.reach(self._stream) == after:
            self._engine.extend(self._stream, [tokens], after)

    async def catch_up(self) -> bool:
        """Bring the history up to date from the store.

        Every question does so; whoever expects one (someone opened the page) does it ahead.
        Returns whether anything is remembered; the engine may have given it up meanwhile.

        Raises:
            StoreUnavailable: If memory cannot be read.
            EncoderMismatch: If what is remembered was made by another vision encoder.
        """
        with self.called():
            async with self._catching_up:
                reach, begin = await self._first_missing()
                return await self._read(self._stream, reach, begin) is not None

    async def ask(self, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Answer from everything remembered so far, as words come; use `aclosing`.

        Raises:
            NothingSeen: If no clip has been remembered, or the stream was closed or deleted
                meanwhile.
            NothingInRange: If none has been remembered in the time asked about.
            StoreUnavailable: If memory cannot be read.
            EncoderMismatch: If what is remembered was made by another vision encoder.
            EngineBusy: If too many questions wait already, or too many streams are asked about.
            QuestionTooLong: If the question is longer than can be read at once.
            EngineFailed: If the network fails.
        """
        with self.called():
            for _ in range(TRIES):
                history, put = await self._history_for(question)
                if self._closed:
                    raise NothingSeen("This stream was closed or deleted meanwhile: ask again.")
                try:
                    async with (
                        self._second_look(history, put) as looked_at,
                        aclosing(self._engine.answer(looked_at, put)) as pieces,
                    ):
                        async for piece in pieces:
                            yield piece
                except HistoryGone:  # before any word: it waited behind streams that are larger
                    continue
                else:
                    return
        raise EngineBusy("other streams that are asked about take all the memory of histories")

    async def _history_for(self, question: Question) -> tuple[str, Question]:
        """Return the name of the history that holds what is asked about, and what to ask of it.

        The history is brought up to date. An instant between two clips is asked of the nearer one.

        Raises:
            NothingSeen: If no clip has been remembered.
            NothingInRange: If none has been remembered in the time asked about.
        """
        ranged = question.since is not None or question.until is not None
        if ranged:
            await self._same_past()
        clips = await self._in_range(question) if ranged else []
        bounded = question.until is not None
        # What comes after a range would move the positions of the question.
        if clips and (bounded or not await self._is_live(clips)):
            if question.since == question.until:
                question = replace(question, since=clips[0].start, until=clips[-1].start)
            # What is looked at is no longer the whole film, so its length says nothing of it.
            question = replace(question, duration=None)
            return await self._read_range(clips, growing=not bounded), question
        if not await self.catch_up():
            raise NothingSeen("Nothing has been seen on this stream yet.")
        if ranged and not clips:
            raise await self._refusal(question)
        return self._stream, question

    @asynccontextmanager
    async def _second_look(self, history: str, question: Question) -> AsyncIterator[str]:
        """Have the history that answers: of the originals that `history` names, or itself.

        Raises:
            HistoryGone: If there is no history (any more).
        """
        spans = await self._named(history, question) if self._looks_again else []
        if not spans:
            yield history
            return
        # No stream can be called so. Each question has its own: it is gone with the answer.
        again = f"{self._stream}@again-{next(_COUNTER)}"
        self._ranges.add(again)
        try:
            reach: float | None = None
            for start, end in spans:
                page = [
                    tokens
                    async for tokens in self._store.clips(
                        self._stream, after=math.nextafter(start, -math.inf), until=end
                    )
                ]
                await asyncio.to_thread(self._give, again, page, reach, BLOCKS)
                reach = page[-1].end if page else reach
            yield again
        finally:
            self._ranges.discard(again)
            self._engine.forget(again)

    async def _named(self, history: str, question: Question) -> list[Span]:
        """Return what the evidence of a folded history names; nothing of one that is not folded."""
        if not self._engine.is_folded(history):
            return []
        evidence = await self._glance(history, question)
        empty = await self._glance(history, replace(question, text="", conversation=()))
        return named(calibrated(evidence, empty), self._engine.frames_per_clip)

    async def _glance(self, history: str, question: Question) -> Sequence[Evidence]:
        """Return the evidence of a question that is read, and not answered."""
        glance = replace(question, tokens=0)
        async with aclosing(self._engine.answer(history, glance)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Finish):
                    return piece.evidence
        return ()

    async def _in_range(self, question: Question) -> list[Moment]:
        """Return the clips asked about."""
        since = -math.inf if question.since is None else question.since
        until = math.inf if question.until is None else question.until
        inside = await self._store.moments(self._stream, since, _EVERY, until=until)
        # The clip that had begun by then may reach into it.
        before = await self._store.moments(self._stream, limit=1, until=min(since, until))
        reaching = [moment for moment in before if moment.end >= since]
        if since == until and not (inside or reaching):
            return await self._beside(since, before, question)
        return reaching + inside

    async def _beside(
        self, instant: float, before: Sequence[Moment], question: Question
    ) -> list[Moment]:
        """Return the clip nearest to an instant that lies in none: between two samples of one scene.

        Args:
            instant: In media seconds.
            before: The clip before it, if there is one.
            question: Says whether it is about a whole film.
        """
        reach = _NEAREST if question.duration is None else math.inf
        after = await self._store.moments(self._stream, instant, _EVERY, until=instant + reach)
        near = [(instant - clip.end, clip) for clip in before]
        near += [(clip.start - instant, clip) for clip in after[:1]]
        found = min(near, key=lambda one: one[0], default=None)
        return [found[1]] if found is not None and found[0] <= reach else []

    async def _is_live(self, clips: Sequence[Moment]) -> bool:
        """Say whether the stream's own history holds these clips and nothing else."""
        if await self._store.moments(self._stream, limit=1) != clips[-1:]:
            return False
        earlier = math.nextafter(clips[0].start, -math.inf)
        return not await self._store.moments(self._stream, limit=1, until=earlier)

    async def _read_range(self, clips: Sequence[Moment], *, growing: bool) -> str:
        """Have a history made of `clips`, as far as there is none yet, and return its name.

        Args:
            clips: The range.
            growing: Whether what will be remembered next belongs to it, too.
        """
        first, last = clips[0].start, clips[-1].start
        # No stream can be called so.
        history = f"{self._stream}@{first!r}-{'' if growing else repr(last)}"
        with self.called():
            async with self._catching_up:
                held = {name for name in self._ranges if self._engine.reach(name) is not None}
                self._ranges = held | {history}
                reach = self._engine.reach(history)
                begin = math.nextafter(first, -math.inf) if reach is None else reach
                await self._read(history, reach, begin, last)
        return history

    async def _read(
        self, history: str, reach: float | None, begin: float, until: float = math.inf
    ) -> float | None:
        """Give a history the clips that start after `begin`; return how far it then reaches.

        Args:
            history: Its name at the engine.
            reach: How far it reaches now; None if it is new.
            begin: Where to begin, in media seconds.
            until: No clip that starts later is given.
        """
        page: list[ClipTokens] = []
        async for tokens in self._store.clips(self._stream, after=begin, until=until):
            page.append(tokens)
            if len(page) == PAGE:
                # Beside the event loop: of a stream of hours most are folded at once.
                await asyncio.to_thread(self._give, history, page, reach)
                reach, page = page[-1].end, []
        if page:
            self._give(history, page, reach)
            reach = page[-1].end
        return reach

    async def _refusal(self, question: Question) -> NothingInRange:
        since, until = question.since, question.until
        asked = "" if since is None else f" from {since:g} s"
        asked += " on" if until is None else f" up to {until:g} s"
        held = await self._store.moments(self._stream, limit=_EVERY)
        if not held:
            return NothingInRange("Nothing has been seen on this stream yet.")
        span = f"from {held[0].start:.1f} to {held[-1].end:.1f} s"
        message = f"Nothing was seen{asked}; what is remembered of this stream goes {span}."
        return NothingInRange(message, (held[0].start, held[-1].end))

    def _give(
        self,
        history: str,
        clips: Sequence[ClipTokens],
        after: float | None,
        most: int | None = None,
    ) -> None:
        if not self._closed and most is None:
            self._engine.extend(history, clips, after)
        elif not self._closed:
            self._engine.extend(history, clips, after, most)

    def _forget_ranges(self) -> None:
        for history in self._ranges:
            self._engine.forget(history)
        self._ranges.clear()

    async def _same_past(self) -> StreamRecord | None:
        """Return the stream's record; what was made from another past than it has now is dropped."""
        record = await self._store.find(self._stream)
        generation = None if record is None else record.generation
        if self._generation is not None and generation != self._generation:
            self.start_over()
        self._generation = generation
        return record

    async def _first_missing(self) -> tuple[float | None, float]:
        """Return where the history ends, and the time after which clips begin that it lacks.

        One that reaches further than memory, which lost what it was made from, is given up.
        """
        # Before memory is asked: what is remembered meanwhile is in the history when that answers.
        held = self._engine.reach(self._stream)
        record = await self._same_past()
        reach = self._engine.reach(self._stream)
        lost = held is not None and (record is None or record.end is None or record.end < held)
        if lost and reach is not None:
            self.start_over()
            reach = None
        return reach, -math.inf if reach is None else reach
