"""What the store makes of a Redis that is full, gone, silent, foreign or damaged."""

import asyncio
import contextlib
import itertools
import os
import signal
import traceback

import pytest
import torch
from redis.asyncio import Redis
from redis.crc import key_slot

from memory.embedded.server import EmbeddedRedis
from memory.errors import EncoderMismatch, StoreFull, StoreUnavailable, StreamForgotten
from memory.redis.errors import ANSWERS_WITHIN
from memory.redis.store import RedisStore
from memory.servers.pool import CONNECTIONS
from memory.store import Moment
from model.types import ClipTokens

ENCODER = "test-encoder"


def clip(start: float, rows: int = 2, value: float = 1.0) -> ClipTokens:
    return ClipTokens(torch.full((rows, 256), value), start, start + 1.5)


@pytest.fixture
async def store(embedded):
    store = RedisStore.connect(embedded.url, ENCODER)
    await store.begin("a", 1000.0)
    yield store
    await store.close()


@pytest.fixture
async def redis(embedded):
    async with Redis.from_url(embedded.url, driver_info=None) as client:
        yield client


async def test_clips_of_another_encoder_are_not_read(store, embedded):
    await store.append("a", clip(0.0), b"")
    other = RedisStore.connect(embedded.url, "another-encoder")
    with pytest.raises(EncoderMismatch, match="forget the stream"):
        await anext(other.clips("a"))
    assert await other.moments("a") == [Moment(0.0, 1.5)]
    await other.close()


@pytest.mark.parametrize("look", ["find", "streams", "nothing"])
async def test_a_stream_that_another_process_began_is_gone_on_with(store, embedded, look):
    """Whether it was begun here, looked up or neither: a page may look before a camera comes."""
    await store.append("a", clip(0.0), b"")
    later = RedisStore.connect(embedded.url, ENCODER)
    if look == "find":
        await later.find("a")
    elif look == "streams":
        await later.streams()
    await later.append("a", clip(4.0), b"")
    record = await later.find("a")
    assert (record.began, record.clips) == (1000.0, 2)
    await later.close()


async def test_one_damaged_clip_does_not_hide_the_others(store, redis, caplog):
    for start in (0.0, 4.0, 8.0):
        await store.append("a", clip(start), b"")
    [_, middle, _] = sorted(await redis.hkeys("flashback:{a}:tokens"))
    await redis.hset("flashback:{a}:tokens", middle, b"FBCT damaged")
    assert len([tokens async for tokens in store.clips("a")]) == 2
    assert store.corrupt == 1
    assert "is passed over" in caplog.text


async def test_a_full_redis_refuses_a_clip_whole_and_still_reads(store, redis):
    await redis.config_set("maxmemory", "4mb")
    written = 0

    async def fill() -> None:
        nonlocal written
        while True:
            await store.append("a", clip(float(written), rows=256), b"picture")
            written += 1

    with pytest.raises(StoreFull, match="forget a stream, or raise the limit"):
        await fill()
    assert written > 0
    assert len(await store.moments("a")) == written
    assert len([tokens async for tokens in store.clips("a")]) == written
    assert await redis.hlen("flashback:{a}:thumbnails") == written
    await store.forget("a")
    await store.begin("a", 1000.0)
    await store.append("a", clip(0.0), b"")  # there is room again


async def test_a_redis_that_came_back_empty_knows_no_stream_until_it_is_begun(store, redis):
    await store.append("a", clip(0.0), b"")
    await redis.flushall()
    with pytest.raises(KeyError):
        await store.append("a", clip(4.0), b"")
    assert await redis.keys() == [], "nothing is left of what was refused"
    await store.begin("a", 1000.0)
    await store.append("a", clip(4.0), b"")
    [record] = await store.streams()
    assert (record.began, record.clips) == (1000.0, 1)


async def test_what_another_process_forgets_stays_forgotten(store, embedded, redis):
    await store.append("a", clip(0.0), b"")
    other = RedisStore.connect(embedded.url, ENCODER)
    await other.forget("a")
    await other.close()
    with pytest.raises(StreamForgotten):
        await store.append("a", clip(4.0), b"picture")
    with pytest.raises(StreamForgotten):
        await store.resume("a", 1000.0)
    assert await redis.keys() == [b"flashback:{a}:deleted"]
    assert 0 < await redis.ttl("flashback:{a}:deleted") <= 86_400


async def test_a_full_redis_goes_on_with_the_streams_it_knows(store, redis):
    await store.append("a", clip(0.0), b"")
    await redis.config_set("maxmemory", "1")
    assert (await store.begin("a", 2000.0)).clips == 1
    with pytest.raises(StoreFull, match="forget a stream"):
        await store.begin("new", 2000.0)
    await store.forget("a")


async def test_more_calls_at_once_than_connections_wait_for_one_another(store):
    await store.append("a", clip(0.0), b"picture")
    found = await asyncio.gather(*(store.thumbnail("a", 0.0) for _ in range(3 * CONNECTIONS)))
    assert set(found) == {b"picture"}


async def test_the_keys_of_a_stream_live_on_one_node(store, redis):
    await store.append("a", clip(0.0), b"")
    keys = [key for key in await redis.keys() if b"{a}" in key]
    assert len(keys) == 4
    assert len({key_slot(key) for key in keys}) == 1


async def test_what_somebody_else_wrote_is_said_to_be_foreign(store, redis):
    await redis.zadd("flashback:{a}:clips", {b"not ours": 1.0})
    with pytest.raises(StoreUnavailable, match="did not write"):
        await store.moments("a")
    await redis.set("flashback:{b}:clips", b"not a sorted set")
    with pytest.raises(StoreUnavailable, match="Redis refused: WRONGTYPE"):
        await store.moments("b")


async def test_redis_is_quoted_in_its_own_words(store, redis):
    """Not in those of the client, which name the command and all that it was given."""
    await redis.set("flashback:{a}:clips", b"not a sorted set")
    with pytest.raises(StoreUnavailable, match=r"^Redis refused: WRONGTYPE [\w ]+$"):
        await store.append("a", clip(0.0), b"")


async def test_every_call_says_that_redis_is_gone(tmp_path):
    store = RedisStore.connect(f"unix://{tmp_path}/nobody.sock", ENCODER)
    for call in (
        store.check(),
        store.begin("a", 0.0),
        anext(store.clips("a")),
        store.moments("a"),
        store.thumbnail("a", 0.0),
        store.streams(),
        store.forget("a"),
    ):
        with pytest.raises(StoreUnavailable, match="cannot be reached: is it running"):
            await call
    await store.close()


async def test_a_frozen_redis_is_given_up_on_and_used_again_afterwards(embedded):
    store = RedisStore.connect(embedded.url, ENCODER, timeout=0.2)
    await store.begin("a", 0.0)
    os.kill(embedded.pid, signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable, match="did not answer in time"):
            await store.append("a", clip(0.0), b"")
    finally:
        os.kill(embedded.pid, signal.SIGCONT)
    await store.append("a", clip(4.0), b"")
    assert Moment(4.0, 5.5) in await store.moments("a")
    await store.close()


async def test_a_frozen_redis_is_said_to_be_silent_before_anybody_waits_for_long(embedded):
    store = RedisStore.connect(embedded.url, ENCODER, timeout=60, within=0.5)
    await store.begin("a", 0.0)
    os.kill(embedded.pid, signal.SIGSTOP)
    try:
        for call in (
            store.check(),
            store.begin("b", 0.0),
            store.moments("a"),
            store.thumbnail("a", 0.0),
            store.find("a"),
            store.streams(),
            store.forget("a"),
        ):
            with pytest.raises(StoreUnavailable, match="did not answer in time"):
                await call
    finally:
        os.kill(embedded.pid, signal.SIGCONT)
    await store.append("a", clip(0.0), b"")
    assert await store.moments("a") == [Moment(0.0, 1.5)], "no reply is taken for another's"
    assert ANSWERS_WITHIN < 3
    await store.close()


async def test_a_refused_password_is_said_without_the_password(embedded, redis):
    await redis.config_set("requirepass", "right")
    address = embedded.url.replace("unix://", "unix://someone:s3cret@")
    store = RedisStore.connect(address, ENCODER)
    with pytest.raises(StoreUnavailable, match="refused the user or password") as caught:
        await store.check()
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    await store.close()
    without = RedisStore.connect(embedded.url, ENCODER)
    with pytest.raises(StoreUnavailable, match="user or password"):
        await without.check()
    await without.close()


@pytest.mark.parametrize("url", ["http://u:s3cret@host", "redis://u:s3cret@host:port/0", "s3cret"])
def test_a_url_that_cannot_be_read_is_not_repeated(url):
    with pytest.raises(ValueError, match="looks like redis://") as caught:
        RedisStore.connect(url, ENCODER)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


async def test_a_server_that_is_no_redis_is_unavailable():
    async def answer(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        store = RedisStore.connect(f"redis://127.0.0.1:{port}", ENCODER, timeout=1.0)
        with pytest.raises(StoreUnavailable):
            await store.check()
        await store.close()


async def test_a_killed_redis_keeps_what_it_acknowledged_and_no_clip_by_half(tmp_path):
    async with (
        await EmbeddedRedis.start(tmp_path / "redis", megabytes=64) as embedded,
        Redis.from_url(embedded.url, driver_info=None) as redis,
    ):
        await redis.config_set("appendfsync", "always")  # else a slow disk may cost it two seconds
        store = RedisStore.connect(embedded.url, ENCODER)
        await store.begin("a", 0.0)
        acknowledged, enough = [], asyncio.Event()

        async def write() -> None:
            for start in map(float, itertools.count()):
                await store.append("a", clip(start, rows=64), b"picture")
                acknowledged.append(start)
                if len(acknowledged) == 50:
                    enough.set()

        writing = asyncio.create_task(write())
        await enough.wait()
        os.kill(embedded.pid, signal.SIGKILL)
        with pytest.raises(StoreUnavailable):
            await writing
        await _answers(store)
        remembered = [moment.start for moment in await store.moments("a", limit=10**6)]
        assert set(acknowledged) <= set(remembered)
        assert [tokens.start async for tokens in store.clips("a")] == remembered
        assert await redis.hlen("flashback:{a}:thumbnails") == len(remembered)
        await store.close()


async def _answers(store) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(StoreUnavailable):
                return await store.check()


async def test_it_says_what_memory_redis_uses(store):
    before = await store.used_bytes()
    await store.begin("a", 0.0)
    for number in range(20):
        await store.append("a", clip(float(4 * number)), bytes(100_000))
    assert await store.used_bytes() > before > 100_000
