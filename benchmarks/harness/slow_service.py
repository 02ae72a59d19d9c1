"""The service with an encoder that is many times too slow for what comes in.

`python -m benchmarks.harness.slow_service --times 15 --port PORT`: a clip takes as long to encode as that
many clips take to come. Everything else is the real service.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

import uvicorn

from memory.embedded.server import open_redis
from memory.redis.store import RedisStore
from model.engine.contract import Engine, Past
from model.types import AnswerPiece, Clip, ClipTokens, Encoded, Question
from model.vision.things import Thing
from model.zoo.presets import load_engine
from web.app import create_app
from web.services import CLOCKS, Services, build_services
from web.settings import Settings, read_settings


class SlowEngine:
    """An engine behind which every clip waits for `seconds`, one after the other.

    Args:
        engine: Does the work.
        seconds: That each clip takes.
    """

    def __init__(self, engine: Engine, seconds: float) -> None:
        self.name, self.encoder = engine.name, engine.encoder
        self.exact_columns = engine.exact_columns
        self.rows = engine.rows
        self.frames_per_clip = engine.frames_per_clip
        self.sampling = engine.sampling
        self.follow_ups = engine.follow_ups
        self.image_size = engine.image_size
        self.one_scene = engine.one_scene
        self.clips_at_most = engine.clips_at_most
        self._engine = engine
        self._seconds = seconds
        self._turn = asyncio.Lock()

    async def encode(self, clip: Clip) -> Encoded:
        """See `Engine.encode`."""
        given = time.monotonic()
        async with self._turn:
            began = time.monotonic()
            await asyncio.sleep(self._seconds)
            encoded = await self._engine.encode(clip)
            return Encoded(encoded.tokens, began - given)

    async def prepare(self, past: Past) -> bool:
        """See `Engine.prepare`."""
        return await self._engine.prepare(past)

    async def learn(self, stream: str, clip: ClipTokens, after: float | None) -> None:
        """See `Engine.learn`."""
        await self._engine.learn(stream, clip, after)

    async def blocks(self, past: Past) -> Sequence[ClipTokens]:
        """See `Engine.blocks`."""
        return await self._engine.blocks(past)

    def answer(self, past: Past, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """See `Engine.answer`."""
        return self._engine.answer(past, question)

    async def words(self, clips: Sequence[ClipTokens]) -> list[Sequence[tuple[str, float]]] | None:
        """See `Engine.words`."""
        return await self._engine.words(clips)

    async def things(self, clips: Sequence[ClipTokens]) -> list[Sequence[Thing]] | None:
        """See `Engine.things`."""
        return await self._engine.things(clips)

    async def forget(self, stream: str) -> None:
        """See `Engine.forget`."""
        await self._engine.forget(stream)

    async def close(self) -> None:
        """See `Engine.close`."""
        await self._engine.close()


@asynccontextmanager
async def open_slow_services(settings: Settings, times: float) -> AsyncIterator[Services]:
    """Open the real service around a slow engine."""
    engine = load_engine("tiny")
    seconds = times * engine.frames_per_clip / settings.sample_rate
    async with open_redis("", settings.data, megabytes=settings.redis_memory_mb) as redis:
        store = RedisStore.connect(redis.url, engine.encoder, exact=engine.exact_columns)
        try:
            slow = SlowEngine(engine, seconds)
            async with build_services(settings, slow, store, store.documents(), CLOCKS) as services:
                yield services
        finally:
            await store.close()
            await engine.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--times", type=float, default=15.0)
    given = parser.parse_args()
    chosen = read_settings(port=given.port)
    service = create_app(chosen, lambda: open_slow_services(chosen, given.times))
    uvicorn.run(service, port=given.port, log_level="warning")
