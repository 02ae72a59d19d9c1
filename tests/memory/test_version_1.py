"""What version 0.1.0 remembered: read as it was, and brought up to date by whoever first changes it."""

import struct

import pytest
import torch
from fakeredis import FakeAsyncRedis

from memory.redis.store import RedisStore
from memory.retention import Retention, RetentionLimits
from memory.store import Moment
from model.types import ClipTokens
from tests.memory.conftest import ENCODER
from tests.memory.test_store import JPEG

VALUES = torch.randn(4, 64, generator=torch.Generator().manual_seed(1)).half()
STARTS = (0.0, 4.0, 8.0, 12.0)


@pytest.fixture
async def old():
    """A Redis as 0.1.0 left it: a directory of times, spans alone in the index, codec 1, no record."""
    async with FakeAsyncRedis() as redis:
        await redis.hset("flashback:streams", "a", repr(1000.25))
        for start in STARTS:
            field = struct.pack("<d", start)
            await redis.zadd("flashback:{a}:clips", {struct.pack("<dd", start, start + 3): start})
            await redis.hset("flashback:{a}:tokens", field, as_codec_1(start))
            await redis.hset("flashback:{a}:thumbnails", field, JPEG)
        yield redis


@pytest.fixture
def store(old):
    return RedisStore(old, ENCODER)


def as_codec_1(start):
    name = ENCODER.encode()
    header = struct.pack("<4sBBIIdd", b"FBCT", 1, len(name), *VALUES.shape, start, start + 3)
    return header + name + VALUES.numpy().astype("<f2").tobytes()


SIZE = len(STARTS) * (len(as_codec_1(0.0)) + len(JPEG))


async def remembered(store):
    clips = [clip async for clip in store.clips("a")]
    assert all(torch.equal(clip.values, VALUES) for clip in clips)
    assert all(clip.frames == 4 for clip in clips)
    return [(clip.start, clip.end) for clip in clips]


def spans(*starts):
    return [(start, start + 3) for start in starts]


async def test_it_is_read_without_being_changed(store, old):
    before = {key: await old.dump(key) for key in await old.keys()}
    assert await remembered(store) == spans(*STARTS)
    assert await store.moments("a") == [Moment(*span) for span in spans(*STARTS)]
    assert await store.thumbnail("a", 4.0) == JPEG
    [listed] = await store.streams()
    assert listed == await store.find("a")
    assert (listed.began, listed.clips, listed.end, listed.version) == (1000.25, 4, 15.0, 1)
    assert sum(kept.bytes for kept in await store.kept("a")) == SIZE
    assert {key: await old.dump(key) for key in await old.keys()} == before


async def begin(store):
    await store.begin("a", 5000.0)
    return spans(*STARTS), 0


async def resume(store):
    await store.resume("a", 1000.25)
    return spans(*STARTS), 0


async def set_keep(store):
    assert (await store.set_keep("a", 60.0)).keep == 60.0
    return spans(*STARTS), 0


async def forget_range(store):
    assert await store.forget_range("a", 4.0, 5.0) == 1
    return spans(0.0, 8.0, 12.0), 1


@pytest.mark.parametrize("touch", [begin, resume, set_keep, forget_range])
async def test_the_first_change_gives_it_a_record_and_leaves_the_clips_as_they_were(store, touch):
    clips, generation = await touch(store)
    record = await store.find("a")
    assert (record.version, record.began, record.generation) == (2, 1000.25, generation)
    assert record.bytes == SIZE * len(clips) // len(STARTS)
    assert await remembered(store) == clips
    assert [kept.form for kept in await store.kept("a")] == ["float16"] * len(clips)


async def test_clips_of_today_lie_beside_those_of_then(store):
    await store.begin("a", 5000.0)
    new = ClipTokens(VALUES, 16.0, 19.0)
    await store.append("a", new, JPEG)
    await store.append("a", ClipTokens(VALUES, 8.0, 11.0), b"seen again")
    kept = await store.kept("a")
    assert [clip.form for clip in kept] == ["float16", "float16", "int8", "float16", "int8"]
    record = await store.find("a")
    assert record.bytes == sum(clip.bytes for clip in kept)
    assert [clip.start async for clip in store.clips("a")] == [*STARTS, 16.0]


async def test_it_stays_deleted(store, old):
    await store.forget("a")
    assert await store.streams() == []
    assert await old.keys() == [b"flashback:{a}:deleted"]


async def test_it_counts_in_the_quota_though_nobody_touched_it(store):
    retention = Retention(store, RetentionLimits(each=SIZE - 1), frames=4, join=lambda one, _: one)
    await retention.enforce(2000.0)
    record = await store.find("a")
    assert record.version == 2
    assert 0 < record.bytes < SIZE
    assert [clip.start async for clip in store.clips("a")] == list(STARTS)
    assert {kept.form for kept in await store.kept("a")} == {"float16", "int4"}
