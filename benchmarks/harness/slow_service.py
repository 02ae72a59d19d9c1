"""The service with an encoder that is many times too slow for what comes in.

`python -m benchmarks.harness.slow_service --times 15 --port PORT`: a clip takes as long to encode as that
many clips take to come. Everything else is the real service.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import uvicorn

from memory.embedded.server import open_redis
from memory.redis.store import RedisStore
from model.engine.contract import Engine
from model.types import Clip, Encoded
from model.zoo.presets import load_engine
from web.app import create_app
from web.composition.building import build_services
from web.services import CLOCKS, Services
from web.settings import Settings, read_settings


class SlowEngine:
    """An engine behind which every clip waits for `seconds`, one after the other.

    Args:
        engine: Does the work.
        seconds: That each clip takes.
    """

    def __init__(self, engine: Engine, seconds: float) -> None:
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

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)  # whatever else an engine has


@asynccontextmanager
async def open_slow_services(settings: Settings, times: float) -> AsyncIterator[Services]:
    """Open the real service around a slow engine."""
    engine = load_engine("tiny")
    seconds = times * engine.frames_per_clip / settings.sample_rate
    async with open_redis("", settings.data, megabytes=settings.redis_memory_mb) as redis:
        store = RedisStore.connect(redis.url, engine.encoder, exact=engine.exact_columns)
        try:
            slow = cast("Engine", SlowEngine(engine, seconds))
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
