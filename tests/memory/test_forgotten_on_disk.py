"""What was forgotten is on the disk no more, and deletion finds room where nothing else does."""

import asyncio
from pathlib import Path

import pytest
import torch
from redis.asyncio import Redis

from memory.redis.store import RedisStore
from model.types import ClipTokens
from tests.memory.conftest import ENCODER
from tests.waiting import holds

SECRET = b"\xff\xd8 a face that must not stay \xff\xd9"
OTHER = b"\xff\xd8 a street that may stay \xff\xd9"


@pytest.fixture
async def store(embedded):
    store = RedisStore.connect(embedded.url, ENCODER, form="float16")
    yield store
    await store.close()


def clip(start: float, value: float) -> ClipTokens:
    return ClipTokens(torch.full((2, 16), value), start, start + 1.5)


def lies_on_disk(directory: Path, words: bytes) -> bool:
    return any(words in file.read_bytes() for file in directory.rglob("*") if file.is_file())


async def rewritten(url: str) -> None:
    """Wait until Redis has written its file anew."""

    async def is_over():
        said = await redis.info("persistence")
        return not said["aof_rewrite_in_progress"] and not said["aof_rewrite_scheduled"]

    async with Redis.from_url(url, driver_info=None) as redis:
        await holds(is_over)


@pytest.mark.parametrize("way", ["range", "stream"])
async def test_what_was_forgotten_is_nowhere_in_the_data_directory(store, embedded, tmp_path, way):
    values = torch.full((2, 16), 1234.0).numpy().astype("<f2").tobytes()
    await store.begin("a", 1000.0)
    await store.begin("b", 1000.0)
    await store.append("a", clip(0.0, 1234.0), SECRET)
    await store.append("a" if way == "range" else "b", clip(4.0, 1.0), OTHER)
    directory = tmp_path / "redis"
    assert await asyncio.to_thread(lies_on_disk, directory, SECRET)
    assert await asyncio.to_thread(lies_on_disk, directory, values)
    if way == "range":
        await store.forget_range("a", 0.0, 2.0)
    else:
        await store.forget("a")
    await store.compact()
    await rewritten(embedded.url)
    assert not await asyncio.to_thread(lies_on_disk, directory, SECRET)
    assert not await asyncio.to_thread(lies_on_disk, directory, values)
    assert await asyncio.to_thread(lies_on_disk, directory, OTHER)
