"""A replica: an engine in a process of its own, that does one kind of work for every host.

An *encoder* takes clips of all streams, and encodes those that wait in batches. An *answerer* makes the
histories of its streams from the memory that all hosts share, and answers from them. Both are the same
engine and the same program; who is sent what is the hosts' affair (`web/cluster/engine.py`).
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Literal, Protocol

from model.engine.contract import ClipSource, Engine
from model.types import AnswerPiece, ClipTokens, Question
from model.vision.things import Thing
from web.cluster.messages import (
    ClipMessage,
    EncodedMessage,
    Facts,
    PastMessage,
    facts_of,
    pack_tokens,
    unpack_clip,
    unpack_past,
    unpack_tokens,
)
from web.errors import ReplicaLost

Kind = Literal["encoder", "answerer"]


class Replica(Protocol):
    """What a host may ask of a replica, wherever it runs.

    Every method raises `ReplicaLost` if the replica is gone, or about to go; what the work itself raises
    is passed on.
    """

    async def facts(self) -> Facts:
        """Return what its engine says of itself."""
        ...

    async def encode(self, clip: ClipMessage) -> EncodedMessage:
        """See `Engine.encode`; cancelling the call takes the clip out of the queue."""
        ...

    async def prepare(self, past: PastMessage) -> bool:
        """See `Engine.prepare`."""
        ...

    async def blocks(self, past: PastMessage) -> list[bytes]:
        """See `Engine.blocks`."""
        ...

    async def learn(self, stream: str, clip: bytes, after: float | None) -> None:
        """See `Engine.learn`."""
        ...

    def answer(self, past: PastMessage, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """See `Engine.answer`."""
        ...

    async def things(self, clips: Sequence[bytes]) -> list[Sequence[Thing]] | None:
        """See `Engine.things`."""
        ...

    async def forget(self, stream: str) -> None:
        """See `Engine.forget`."""
        ...

    async def leave(self, patience: float) -> None:
        """Take no more, and return when what is under way is done, or after `patience` seconds."""
        ...


class EngineReplica:
    """A replica around an engine of this process.

    Args:
        engine: Does the work.
        shared: The memory that all hosts share.
    """

    def __init__(self, engine: Engine, shared: ClipSource) -> None:
        self._engine = engine
        self._shared = shared
        self._leaving = False
        self._running = 0
        self._idle = asyncio.Event()

    async def facts(self) -> Facts:
        """See `Replica.facts`."""
        with self._work():
            return await facts_of(self._engine)

    async def encode(self, clip: ClipMessage) -> EncodedMessage:
        """See `Replica.encode`."""
        began = time.monotonic()
        with self._work():
            encoded = await self._engine.encode(unpack_clip(clip))
        [tokens] = pack_tokens([encoded.tokens], self._engine.encoder)
        return EncodedMessage(tokens, encoded.waited, time.monotonic() - began)

    async def prepare(self, past: PastMessage) -> bool:
        """See `Replica.prepare`."""
        with self._work():
            return await self._engine.prepare(unpack_past(past, self._shared))

    async def blocks(self, past: PastMessage) -> list[bytes]:
        """See `Replica.blocks`."""
        found = await self._engine.blocks(unpack_past(past, self._shared))
        return pack_tokens(found, self._engine.encoder)

    async def learn(self, stream: str, clip: bytes, after: float | None) -> None:
        """See `Replica.learn`."""
        [tokens] = self._read([clip])
        await self._engine.learn(stream, tokens, after)

    async def answer(
        self, past: PastMessage, question: Question
    ) -> AsyncGenerator[AnswerPiece, None]:
        """See `Replica.answer`."""
        with self._work():
            answering = self._engine.answer(unpack_past(past, self._shared), question)
            async with aclosing(answering) as pieces:
                async for piece in pieces:
                    yield piece

    async def things(self, clips: Sequence[bytes]) -> list[Sequence[Thing]] | None:
        """See `Replica.things`."""
        return await self._engine.things(self._read(clips))

    async def forget(self, stream: str) -> None:
        """See `Replica.forget`."""
        await self._engine.forget(stream)

    async def leave(self, patience: float) -> None:
        """See `Replica.leave`."""
        self._leaving = True
        if self._running:
            self._idle.clear()
            try:
                async with asyncio.timeout(patience):
                    await self._idle.wait()
            except TimeoutError:
                return

    def _read(self, clips: Sequence[bytes]) -> list[ClipTokens]:
        return unpack_tokens(clips, self._engine.encoder)

    @contextmanager
    def _work(self) -> Iterator[None]:
        """Count what is under way.

        Raises:
            ReplicaLost: If nothing is taken any more.
        """
        if self._leaving:
            raise ReplicaLost("this replica is stopping")
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
