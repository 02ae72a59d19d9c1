"""Keeps the engine's history of a stream in step with memory, and answers from it.

Clip tokens in the store are the truth, the history a cache of them: it may lag, it may be gone
(the engine gave up its memory, the service was started anew), and is then brought up to date.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager

from memory.store import ClipStore
from model.engine import Engine, EngineBusy, HistoryGone, NothingSeen
from model.types import AnswerPiece, ClipTokens, Question

PAGE = 64
TRIES = 3
"""How often the history is made again for one question, when other streams' need its memory."""


class Recall:
    """What one stream's questions are answered from."""

    def __init__(self, stream: str, engine: Engine, store: ClipStore) -> None:
        self._stream = stream
        self._engine = engine
        self._store = store
        self._catching_up = asyncio.Lock()
        self._callers = 0
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether someone is being answered, or the history is being brought up to date."""
        return self._callers > 0

    def close(self) -> None:
        """Give the engine nothing more: the stream may be deleted, and its name begun anew."""
        self._closed = True

    def start_over(self) -> None:
        """Drop the history: memory holds something else than what it was made from."""
        self._engine.forget(self._stream)

    def learn(self, tokens: ClipTokens, after: float | None) -> None:
        """Add a clip that was just remembered; `after` is the end of the one before it.

        A history with a hole would stay wrong: one that lags is left to `catch_up`.
        """
        if self._engine.reach(self._stream) == after:
            self._engine.extend(self._stream, [tokens], after)

    async def catch_up(self) -> bool:
        """Bring the history up to date from the store; of what is too much, the newest.

        Every question does so; whoever expects one (someone opened the page) does it ahead.
        Returns whether anything is remembered; the engine may have given it up meanwhile.

        Raises:
            StoreUnavailable: If memory cannot be read.
            ForeignTokens: If what is remembered was made by another vision encoder.
        """
        with self._called():
            async with self._catching_up:
                reach, begin = await self._first_missing()
                page: list[ClipTokens] = []
                async for tokens in self._store.clips(self._stream, after=begin):
                    page.append(tokens)
                    if len(page) == PAGE:
                        self._give(page, reach)
                        reach, page = page[-1].end, []
                if page:
                    self._give(page, reach)
                return bool(page) or reach is not None

    async def ask(self, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Answer from everything remembered so far, as words come; use `aclosing`.

        Raises:
            NothingSeen: If no clip has been remembered, or none in the time asked about, or the
                stream was closed or deleted meanwhile.
            StoreUnavailable: If memory cannot be read.
            ForeignTokens: If what is remembered was made by another vision encoder.
            EngineBusy: If too many questions wait already, or too many streams are asked about.
            QuestionTooLong: If the question is longer than can be read at once.
            EngineFailed: If the network fails.
        """
        with self._called():
            for _ in range(TRIES):
                remembered = await self.catch_up()
                if self._closed:
                    raise NothingSeen("This stream was closed or deleted meanwhile: ask again.")
                if not remembered:
                    raise NothingSeen("Nothing has been seen on this stream yet.")
                try:
                    async with aclosing(self._engine.answer(self._stream, question)) as pieces:
                        async for piece in pieces:
                            yield piece
                except HistoryGone:  # before any word: it waited behind streams that are larger
                    continue
                else:
                    return
        raise EngineBusy("other streams that are asked about take all the memory of histories")

    def _give(self, clips: Sequence[ClipTokens], after: float | None) -> None:
        if not self._closed:
            self._engine.extend(self._stream, clips, after)

    @contextmanager
    def _called(self) -> Iterator[None]:
        self._callers += 1
        try:
            yield
        finally:
            self._callers -= 1

    async def _first_missing(self) -> tuple[float | None, float]:
        """Return where the history ends, and the time after which clips begin that it lacks.

        One that lacks more than it could hold is given up: the newest clips are what is looked at.
        So is one that reaches further than memory, which lost what it was made from.
        """
        reach, capacity = self._engine.reach(self._stream), self._engine.capacity
        record = await self._store.find(self._stream)
        if reach is not None and (record is None or record.end is None or record.end < reach):
            self.start_over()
            reach = None
        after = -math.inf if reach is None else reach
        missing = await self._store.moments(self._stream, after, limit=capacity + 1)
        if len(missing) <= capacity:
            return reach, after
        self._engine.forget(self._stream)
        return None, math.nextafter(missing[-capacity].start, -math.inf)
