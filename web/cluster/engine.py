"""★ An engine whose work is done by replicas: clips by any encoder, a stream's questions by its answerer.

    encode ──► the encoder that has least to do
    answer ──► the answerer that `ranked` puts first for the stream; it reads the past from Redis

When a replica is gone the next one is asked. A question goes on there: the new answerer makes the
history from Redis, writes the answer again, and what the caller has heard already is passed over.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import TypeVar

from model.engine.contract import ClipSource, Past
from model.errors import EngineBusy, ModelError
from model.types import (
    AnswerPiece,
    Clip,
    ClipTokens,
    Encoded,
    Finish,
    Question,
    Usage,
    Words,
)
from model.vision.things import Thing
from stream.frames.timeline import Clock
from web.cluster.members import Members
from web.cluster.messages import Facts, pack_clip, pack_past, pack_tokens, unpack_tokens
from web.cluster.replica import Kind, Replica
from web.errors import ReplicaLost

_Result = TypeVar("_Result")

_TRIES = 4
"""How many replicas are asked in all, when one after another is lost."""
_PATIENCE = 30.0
"""Seconds to wait for a replica where there is none: one that crashed is started again by Ray."""
_LEARN_WITHIN = 2.0
"""Seconds. What an answerer did not take by then it reads from Redis before the next answer."""
_AT_ONCE = 256
"""Clips sent in one message."""


class ClusterEngine(Facts):
    """See `model.engine.contract.Engine`.

    Args:
        members: The replicas.
        facts: What each of them says of itself.
        monotonic: Seconds that never go back.
    """

    def __init__(self, members: Members, facts: Facts, monotonic: Clock) -> None:
        super().__init__(**vars(facts))
        self._members = members
        self._monotonic = monotonic
        self._shared: ClipSource | None = None
        self._closing = asyncio.Event()

    def share(self, memory: ClipSource) -> None:
        """Take `memory` for the one that answerers read, too: its clips need not be sent along."""
        self._shared = memory

    async def encode(self, clip: Clip) -> Encoded:
        """See `Engine.encode`."""
        began, message = self._monotonic(), pack_clip(clip)
        encoded = await self._try("encoder", "", lambda replica: replica.encode(message))
        [tokens] = unpack_tokens([encoded.tokens], self.encoder)
        # The way there and back counts as waiting.
        took = self._monotonic() - began
        return Encoded(tokens, max(0.0, took - (encoded.took - encoded.waited)))

    async def prepare(self, past: Past) -> bool:
        """See `Engine.prepare`."""
        message = await pack_past(past, self._shared, self.encoder)
        return await self._try("answerer", past.stream, lambda replica: replica.prepare(message))

    async def blocks(self, past: Past) -> Sequence[ClipTokens]:
        """See `Engine.blocks`."""
        message = await pack_past(past, self._shared, self.encoder)
        found = await self._try("answerer", past.stream, lambda replica: replica.blocks(message))
        return unpack_tokens(found, self.encoder)

    async def learn(self, stream: str, clip: ClipTokens, after: float | None) -> None:
        """See `Engine.learn`; a replica that is slow, busy or gone is passed over."""
        found = self._members.answerer(stream)
        if found is None:
            return
        name, replica = found
        [data] = pack_tokens([clip], self.encoder)
        try:
            async with asyncio.timeout(_LEARN_WITHIN):
                await replica.learn(stream, data, after)
        except ReplicaLost:
            self._members.remove(name)
        except (TimeoutError, EngineBusy):
            return

    async def answer(self, past: Past, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """See `Engine.answer`.

        Raises:
            EngineBusy: If no replica answers, or the service is stopping.
            ModelError: `engine_failed`: a replica was lost in the middle, and another one says something else.
        """
        message = await pack_past(past, self._shared, self.encoder)
        said = ""
        for _ in range(_TRIES):
            name, replica = await self._replica("answerer", past.stream)
            try:
                answering = _go_on(said, replica.answer(message, question))
                async with aclosing(self._until_closed(answering)) as pieces:
                    async for piece in pieces:
                        said += piece.text if isinstance(piece, Words) else ""
                        yield piece
            except ReplicaLost:
                self._members.remove(name)
            else:
                return
        raise EngineBusy("one replica after another was lost; ask again")

    async def things(self, clips: Sequence[ClipTokens]) -> list[Sequence[Thing]] | None:
        """See `Engine.things`."""
        if not self.tells_things:
            return None
        data, found = pack_tokens(clips, self.encoder), list[Sequence[Thing]]()
        for first in range(0, len(data), _AT_ONCE):
            page = data[first : first + _AT_ONCE]
            told: list[Sequence[Thing]] | None = await self._try(
                "encoder", "", partial(_things, page)
            )
            found += told or []
        return found

    async def forget(self, stream: str) -> None:
        """See `Engine.forget`."""
        await asyncio.gather(
            *(_unless_lost(replica.forget(stream)) for replica in self._members.answerers())
        )

    async def close(self) -> None:
        """See `Engine.close`; replicas are closed by whoever started them."""
        self._closing.set()

    async def _try(
        self, kind: Kind, stream: str, call: Callable[[Replica], Awaitable[_Result]]
    ) -> _Result:
        """Return what `call` of a replica gives, of another one if that is lost.

        Raises:
            EngineBusy: If there is no replica.
            ModelError: `engine_failed`: one after another is lost.
        """
        for _ in range(_TRIES):
            name, replica = await self._replica(kind, stream)
            try:
                with self._members.at_work(name):
                    return await call(replica)
            except ReplicaLost:
                self._members.remove(name)
        raise ModelError(f"one {kind} after another was lost", code="engine_failed")

    async def _replica(self, kind: Kind, stream: str) -> tuple[str, Replica]:
        """Return the replica of `kind` to ask; wait for one where there is none.

        Raises:
            EngineBusy: If none comes.
        """
        if self._closing.is_set():
            raise EngineBusy("the service is stopping")
        await self._members.wait_for(kind, _PATIENCE)
        found = self._members.answerer(stream) if kind == "answerer" else self._members.encoder()
        if found is None:
            raise EngineBusy(
                f"no {kind} replica is running: start one, or wait for it to come back"
            )
        return found

    async def _until_closed(
        self, answer: AsyncGenerator[AnswerPiece, None]
    ) -> AsyncGenerator[AnswerPiece, None]:
        """Yield the pieces of `answer`; end it as cancelled when this engine is closed."""
        closing = asyncio.create_task(self._closing.wait())
        try:
            async with aclosing(answer) as pieces:
                while True:
                    coming = asyncio.ensure_future(anext(pieces, None))
                    try:
                        await asyncio.wait([coming, closing], return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        if not coming.done():
                            coming.cancel()
                            await asyncio.wait([coming])
                    if coming.cancelled():
                        yield Finish("cancelled", (), _NOTHING)
                        return
                    piece = coming.result()
                    if piece is None:
                        return
                    yield piece
        finally:
            closing.cancel()


_NOTHING = Usage(
    clips=0,
    frames=0,
    visual_tokens=0,
    tokens_kept=0,
    prompt_tokens=0,
    answer_tokens=0,
    start=0.0,
    end=0.0,
)


async def _go_on(
    said: str, answer: AsyncGenerator[AnswerPiece, None]
) -> AsyncGenerator[AnswerPiece, None]:
    """Yield the pieces of `answer` that come after `said`, with which it must begin.

    Raises:
        ModelError: `engine_failed`: it begins otherwise.
    """
    async with aclosing(answer) as pieces:
        left = said
        async for piece in pieces:
            if not left:
                yield piece
                continue
            text = piece.text if isinstance(piece, Words) else ""
            common = min(len(text), len(left))
            if not text or text[:common] != left[:common]:
                said = "the replica that wrote this answer was lost; ask again"
                raise ModelError(said, code="engine_failed")
            left = left[common:]
            if text[common:]:
                yield Words(text[common:])


async def _unless_lost(call: Awaitable[None]) -> None:
    try:
        await call
    except ReplicaLost:
        return


async def _things(clips: Sequence[bytes], replica: Replica) -> list[Sequence[Thing]] | None:
    return await replica.things(clips)
