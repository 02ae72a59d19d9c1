"""Keeps the engine's history of a stream in step with memory, and answers from it.

Clip tokens in the store are the truth, the history a cache of them: it may lag, it may be gone
(the engine gave up its memory, the service was started anew), and is then brought up to date.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from memory.store import ClipStore
from model.engine import Engine, NothingSeen
from model.types import AnswerPiece, ClipTokens, Question

PAGE = 64


class Recall:
    """What one stream's questions are answered from."""

    def __init__(self, stream: str, engine: Engine, store: ClipStore) -> None:
        self._stream = stream
        self._engine = engine
        self._store = store
        self._catching_up = asyncio.Lock()

    def learn(self, tokens: ClipTokens, after: float | None) -> None:
        """Add a clip that was just remembered; `after` is the end of the one before it.

        A history with a hole would stay wrong: one that lags is left to `catch_up`.
        """
        if self._engine.reach(self._stream) == after:
            self._engine.extend(self._stream, [tokens])

    async def catch_up(self) -> None:
        """Bring the history up to date from the store.

        Every question does so; whoever expects one (someone opened the page) does it ahead.

        Raises:
            StoreUnavailable: If memory cannot be read.
            ForeignTokens: If what is remembered was made by another vision encoder.
        """
        async with self._catching_up:
            reach = self._engine.reach(self._stream)
            newer = float("-inf") if reach is None else reach
            page: list[ClipTokens] = []
            async for tokens in self._store.clips(self._stream, after=newer):
                page.append(tokens)
                if len(page) == PAGE:
                    self._engine.extend(self._stream, page)
                    page = []
            if page:
                self._engine.extend(self._stream, page)

    async def ask(self, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Answer from everything remembered so far, as words come; use `aclosing`.

        Raises:
            NothingSeen: If no clip has been remembered, or none in the time asked about.
            StoreUnavailable: If memory cannot be read.
            ForeignTokens: If what is remembered was made by another vision encoder.
            EngineBusy: If too many questions wait already.
        """
        await self.catch_up()
        if self._engine.reach(self._stream) is None:
            raise NothingSeen("Nothing has been seen on this stream yet.")
        async with aclosing(self._engine.answer(self._stream, question)) as pieces:
            async for piece in pieces:
                yield piece
