"""The stores that every test of the contract runs on, and a Redis of our own."""

from collections.abc import AsyncIterator

import pytest
from fakeredis import FakeAsyncRedis

from memory.embedded.server import EmbeddedRedis
from memory.local_store import LocalStore
from memory.redis.store import RedisStore

ENCODER = "test-encoder"


@pytest.fixture
async def embedded(tmp_path) -> AsyncIterator[EmbeddedRedis]:
    async with await EmbeddedRedis.start(tmp_path / "redis", megabytes=64) as server:
        yield server


@pytest.fixture(
    params=["local", "fake_redis", pytest.param("real_redis", marks=pytest.mark.programs)]
)
async def store(request, tmp_path):
    if request.param == "local":
        yield LocalStore(ENCODER)
    elif request.param == "fake_redis":
        async with FakeAsyncRedis() as redis:
            yield RedisStore(redis, ENCODER)
    else:
        server = await EmbeddedRedis.start(tmp_path / "redis", megabytes=64)
        store = RedisStore.connect(server.url, ENCODER)
        yield store
        await store.close()
        await server.stop()
