"""A process that dies at any command of a change: the stream is whole, and doing it again ends it.

Whole is: everything can be read, every clip of the index has its tokens, and the record counts them.
"""

import contextlib
import itertools
import math
from collections.abc import Awaitable, Callable

import pytest
import torch
from redis.asyncio import Redis

from memory.errors import StoreUnavailable, StreamForgotten
from memory.redis.layout import DIRECTORY
from memory.redis.store import RedisStore
from memory.store import Moment
from model.types import ClipTokens
from tests.memory.conftest import ENCODER
from tests.memory.dying import die_after, dying

JPEG = b"\xff\xd8 a picture \xff\xd9" + bytes(100_000)


def clip(start: float, value: float = 1.0) -> ClipTokens:
    return ClipTokens(torch.full((4, 64), value), start, start + 1.5)


async def whole(store: RedisStore, redis: Redis) -> list[float] | None:
    """Return the starts of the clips of "a", which is whole; None if there is no such stream."""
    records = {record.name: record for record in await store.streams()}
    assert records.get("a") == await store.find("a"), "as it is listed it is found"
    assert "b" in records, "whatever becomes of one, the others are there"
    kept, starts = await store.kept("a"), [c.start async for c in store.clips("a")]
    assert [k.start for k in kept] == starts == [m.start for m in await store.moments("a")]
    assert await redis.hlen("flashback:{a}:tokens") == len(starts)
    assert await redis.hlen("flashback:{a}:thumbnails") <= len(starts)
    if "a" not in records:
        assert not starts
        return None
    assert records["a"].bytes == sum(k.bytes for k in kept)
    return starts


Change = Callable[[RedisStore], Awaitable[object]]


async def begin_anew(store: RedisStore) -> None:
    await store.forget("a")
    await store.begin("a", 2000.0)


CHANGES: dict[str, Change] = {
    "append": lambda store: store.append("a", clip(12.0), JPEG),
    "append before others": lambda store: store.append("a", clip(6.0), JPEG),
    "append in the place of one": lambda store: store.append("a", clip(4.0, 2.0), b"another"),
    "forget a range": lambda store: store.forget_range("a", 3.0, 9.0),
    "forget the oldest": lambda store: store.forget_range("a", -math.inf, 5.0),
    "forget": lambda store: store.forget("a"),
    "begin anew": begin_anew,
    "keep": lambda store: store.set_keep("a", 60.0),
    "note a question": lambda store: store.note_asked("a", 5.0),
}


class Lying:
    """What lies in a Redis, put back again and again."""

    def __init__(self, redis: Redis, full: bool, keys: dict[bytes, bytes]) -> None:
        self.redis, self.full, self.keys = redis, full, keys

    @classmethod
    async def of(cls, redis: Redis, *, full: bool) -> "Lying":
        return cls(redis, full, {key: await redis.dump(key) for key in await redis.keys()})

    async def put_back(self) -> None:
        await self.redis.config_set("maxmemory", 0)
        await self.redis.flushall()
        for key, value in self.keys.items():
            await self.redis.restore(key, 0, value)
        if self.full:  # by less than a clip
            used = (await self.redis.info("memory"))["used_memory"]
            await self.redis.config_set("maxmemory", used - 50_000)

    async def now(self) -> dict[bytes, bytes]:
        """Return what lies under the keys of "a", but for how often its past has changed."""
        await self.redis.config_set("maxmemory", 0)
        await self.redis.hdel("flashback:{a}:record", "generation")
        keys = sorted(key for key in await self.redis.keys() if b"{a}" in key)
        return {key: await self.redis.dump(key) for key in keys if not key.endswith(b":deleted")}


@pytest.mark.parametrize(
    ("change", "full"),
    [*((name, False) for name in CHANGES), *((n, True) for n in CHANGES if n.startswith("forget"))],
)
async def test_a_change_that_is_killed_at_any_command_leaves_the_stream_whole(
    embedded, change, full
):
    store, make = RedisStore.connect(embedded.url, ENCODER), CHANGES[change]
    for name in ("a", "b"):
        await store.begin(name, 1000.0)
        for start in (0.0, 4.0, 8.0):
            await store.append(name, clip(start), JPEG)
    async with (
        Redis.from_url(embedded.url, driver_info=None) as redis,
        dying(embedded.url) as doomed,
    ):
        lying = await Lying.of(redis, full=full)
        before = await whole(store, redis)
        await lying.put_back()
        await make(store)
        after, made = await whole(store, redis), await lying.now()
        for commands in itertools.count():
            await lying.put_back()
            die_after(commands)
            with contextlib.suppress(StoreUnavailable):
                await make(RedisStore(doomed, ENCODER))
                break
            if not full:  # there one thing after another is done: it is whole only in the end
                assert await whole(store, redis) in (before, after, None)
            await make(store)
            assert await whole(store, redis) == after, f"after {commands} commands"
            assert await lying.now() == made, f"after {commands} commands"
        assert commands > 2
    await store.close()


@pytest.mark.parametrize("change", ["keep", "note a question", "append", "replace"])
async def test_a_stream_deleted_while_it_is_changed_is_not_brought_back(embedded, change):
    changes = CHANGES | {
        "replace": lambda store: store.replace("a", Moment(0.0, 0.0), [clip(0.0)], generation=0)
    }
    other = RedisStore.connect(embedded.url, ENCODER)

    class Interrupted(RedisStore):
        """Another process deletes the stream between its looking and its writing."""

        async def resume(self, stream, began):
            record = await super().resume(stream, began)
            await other.forget(stream)
            return record

    store = Interrupted.connect(embedded.url, ENCODER)
    for name in ("a", "b"):
        await store.begin(name, 1000.0)
        await store.append(name, clip(0.0), JPEG)
    if change != "keep":
        await other.forget("a")
    try:
        await changes[change](store)
    except KeyError:
        pass
    else:
        assert change == "note a question"
    assert [record.name for record in await other.streams()] == ["b"]
    assert await other.find("a") is None
    async with Redis.from_url(embedded.url, driver_info=None) as redis:
        left = [key for key in await redis.keys() if b"{a}" in key]
    assert left == [b"flashback:{a}:deleted"]
    await store.close()
    await other.close()


async def test_a_stream_whose_deletion_was_cut_short_is_not_back_a_day_later(embedded):
    store = RedisStore.connect(embedded.url, ENCODER)
    await store.begin("a", 1000.0)
    await store.append("a", clip(0.0), JPEG)
    async with Redis.from_url(embedded.url, driver_info=None) as redis:
        began = await redis.hget(DIRECTORY, "a")
        await store.forget("a")
        await redis.hset(DIRECTORY, "a", began)  # what comes last was never done
        assert await store.streams() == []
        with pytest.raises(StreamForgotten):
            await store.resume("a", 1000.0)
        await redis.delete("flashback:{a}:deleted")  # a day has passed
        assert await store.streams() == []
        assert await store.find("a") is None
        assert (await store.begin("a", 2000.0)).began == 2000.0
        assert [record.began for record in await store.streams()] == [2000.0]
    await store.close()
