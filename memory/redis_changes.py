"""Every change of a stream in Redis, each one transaction: seen whole, or not at all.

A change looks first (the record and the index are watched) and then writes; if another process got
in between, Redis refuses and it looks again. So a clip never lands in a stream that was deleted, and
what is put in the place of clips never meets others than those it was made from.
"""

import contextlib
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import OutOfMemoryError, WatchError

from memory.changes import marks
from memory.redis_layout import Keys, field, pack_kept, unpack_kept, unpack_moment
from memory.store import (
    RECORD_VERSION,
    Kept,
    Moment,
    PastChanged,
    StoreUnavailable,
    StreamForgotten,
)

Result = TypeVar("Result")
TRIES = 32
TOMBSTONE_SECONDS = 86_400
"""How long it is remembered that a stream was deleted: longer than a process that still feeds it could
be cut off from Redis without having given up what it wanted to write."""


async def watched(
    redis: Redis, keys: Keys, change: Callable[[Pipeline], Awaitable[Result]]
) -> Result:
    """Run `change` with a pipeline that watches record and index, again if they changed meanwhile.

    Raises:
        StoreUnavailable: If others change the stream all the time.
    """
    for _ in range(TRIES):
        async with redis.pipeline(transaction=True) as pipe:
            try:
                await pipe.watch(keys.record, keys.clips, keys.deleted)
                return await change(pipe)
            except WatchError:
                continue
    raise StoreUnavailable("other processes write to this stream all the time: try again")


async def known(pipe: Pipeline, keys: Keys, stream: str) -> Mapping[bytes, bytes]:
    """Return the stream's record as it is stored.

    Raises:
        StreamForgotten: If it was deleted.
        KeyError: If there is none.
    """
    stored = await _now(pipe.hgetall(keys.record))
    if stored:
        return cast("Mapping[bytes, bytes]", stored)
    if await _now(pipe.exists(keys.deleted)):
        raise StreamForgotten(stream)
    raise KeyError(stream)


async def begin(
    redis: Redis, keys: Keys, began: str, size: int, *, deleted_too: Callable[[], None]
) -> None:
    """Make the record of a stream that has none.

    Args:
        redis: Has its keys.
        keys: Of the stream.
        began: Unix seconds.
        size: Bytes of what 0.1.0 wrote of it.
        deleted_too: Called if it was deleted; may raise.
    """

    async def change(pipe: Pipeline) -> None:
        if await _now(pipe.exists(keys.record)):
            return
        last = await _now(pipe.get(keys.deleted))
        if last is not None:
            deleted_too()
        fields = {
            "version": RECORD_VERSION,
            "began": began,
            "generation": 0 if last is None else int(last) + 1,
            "bytes": size,
        }
        _write(pipe)
        pipe.hset(keys.record, mapping=cast("Any", fields))
        pipe.delete(keys.deleted)
        await pipe.execute()

    await watched(redis, keys, change)


async def append(
    redis: Redis, keys: Keys, stream: str, kept: Kept, data: bytes, thumbnail: bytes
) -> None:
    """Add a clip, or put it in the place of the one with the same start.

    Raises:
        KeyError: If there is no such stream.
        StreamForgotten: If it was deleted.
    """
    at = field(kept.start)

    async def change(pipe: Pipeline) -> None:
        await known(pipe, keys, stream)
        newest = await _now(pipe.zrange(keys.clips, -1, -1, withscores=True))
        is_newest = not newest or kept.start > newest[0][1]
        old = [] if is_newest else await _same(pipe, keys, kept.start)
        before = [await _kept(pipe, keys, member) for member in old]
        if before == [kept] and await _now(pipe.hget(keys.tokens, cast("Any", at))) == data:
            return  # its first reply was lost
        _write(pipe)
        _remove(pipe, keys, before, old)
        _add(pipe, keys, kept, data)
        pipe.hset(keys.thumbnails, cast("Any", at), cast("Any", thumbnail))
        pipe.hincrby(keys.record, "bytes", kept.bytes - sum(clip.bytes for clip in before))
        if not is_newest:
            pipe.hincrby(keys.record, "generation", 1)
        await pipe.execute()

    await watched(redis, keys, change)


async def replace(
    redis: Redis,
    keys: Keys,
    stream: str,
    span: Moment,
    clips: Sequence[tuple[Kept, bytes]],
    *,
    generation: int,
) -> None:
    """Put `clips` in the place of those that start in `span`.

    Raises:
        KeyError: If there is no such stream.
        PastChanged: If its generation is not `generation`.
    """

    async def change(pipe: Pipeline) -> None:
        stored = await known(pipe, keys, stream)
        if int(stored[b"generation"]) != generation:
            raise PastChanged(f"{stream} is at generation {int(stored[b'generation'])}")
        members = await _now(pipe.zrangebyscore(keys.clips, span.start, span.end))
        old = {kept.start: kept for m in members if (kept := await _kept(pipe, keys, m))}
        new = [(_with_thumbnail(kept, old.get(kept.start)), data) for kept, data in clips]
        _write(pipe)
        _remove(pipe, keys, list(old.values()), members, but={kept.start for kept, _ in new})
        for kept, data in new:
            _add(pipe, keys, kept, data)
        grown = sum(k.bytes for k, _ in new) - sum(k.bytes for k in old.values())
        pipe.hincrby(keys.record, "bytes", grown)
        pipe.hincrby(keys.record, "generation", 1)
        for mark, until in marks(list(old.values()), [kept for kept, _ in new]).items():
            if until > float(stored.get(mark.encode(), "-inf")):
                pipe.hset(keys.record, mark, repr(until))
        await pipe.execute()

    await watched(redis, keys, change)


async def forget_range(redis: Redis, keys: Keys, stream: str, since: float, until: float) -> int:
    """Drop the clips that show anything from `since` to `until`; return how many."""

    async def change(pipe: Pipeline) -> int:
        try:
            stored = await known(pipe, keys, stream)
        except KeyError:
            return 0
        gone = await _shown(pipe, keys, since, until)
        if not gone:
            return 0
        _write(pipe)
        _remove(pipe, keys, [kept for _, kept in gone], [member for member, _ in gone])
        pipe.hincrby(keys.record, "bytes", -sum(kept.bytes for _, kept in gone))
        pipe.hincrby(keys.record, "generation", 1)
        last = max(kept.end for _, kept in gone)
        if since == -math.inf and last > float(stored.get(b"forgotten_until", "-inf")):
            pipe.hset(keys.record, "forgotten_until", repr(last))
        await pipe.execute()
        return len(gone)

    try:
        return await watched(redis, keys, change)
    except OutOfMemoryError:
        return await _free_range(redis, keys, since, until)


async def _free_range(redis: Redis, keys: Keys, since: float, until: float) -> int:
    """Forget a range in a Redis that is full: it takes no transaction, but what frees memory.

    The index comes last: what is half forgotten is found there again.
    """
    gone = await _shown(redis, keys, since, until)
    if gone:
        fields = [cast("Any", field(kept.start)) for _, kept in gone]
        await _now(redis.hdel(keys.tokens, *fields))
        await _now(redis.hdel(keys.thumbnails, *fields))
        await redis.zrem(keys.clips, *(member for member, _ in gone))
    await watched(redis, keys, lambda pipe: _count_again(pipe, keys))
    return len(gone)


async def forget(redis: Redis, keys: Keys) -> None:
    """Drop everything of a stream, and keep for a day that it was deleted."""
    generation = 0

    async def change(pipe: Pipeline) -> None:
        nonlocal generation
        known = await _now(pipe.hget(keys.record, "generation"))
        generation = max(generation, int(known or 0))
        existed = known is not None or await _now(pipe.exists(keys.clips))
        _write(pipe)
        pipe.delete(*keys.data)
        if existed:
            pipe.set(keys.deleted, generation, ex=TOMBSTONE_SECONDS)
        await pipe.execute()

    try:
        await watched(redis, keys, change)
    except OutOfMemoryError:
        # A full Redis takes no transaction, but what frees memory; then there may be room for the
        # sign of the deletion.
        await redis.delete(*keys.data)
        with contextlib.suppress(OutOfMemoryError):
            await redis.set(keys.deleted, generation, ex=TOMBSTONE_SECONDS)


async def _same(pipe: Pipeline, keys: Keys, start: float) -> list[bytes]:
    """Return the member of the index that starts at `start`, if there is one."""
    return cast("list[bytes]", await _now(pipe.zrangebyscore(keys.clips, start, start)))


async def _shown(
    pipe: Pipeline | Redis, keys: Keys, since: float, until: float
) -> list[tuple[bytes, Kept]]:
    """Return the members of the index, and what they say, that show anything of this time."""
    members = await _now(pipe.zrangebyscore(keys.clips, since, until))
    before = await _now(pipe.zrevrangebyscore(keys.clips, f"({since!r}", "-inf", start=0, num=1))
    found = [(member, await _kept(pipe, keys, member)) for member in [*before, *members]]
    return [(member, kept) for member, kept in found if kept.end >= since]


async def _count_again(pipe: Pipeline, keys: Keys) -> None:
    members = await _now(pipe.zrange(keys.clips, 0, -1))
    size = sum([(await _kept(pipe, keys, member)).bytes for member in members])
    _write(pipe)
    pipe.hset(keys.record, "bytes", size)
    pipe.hincrby(keys.record, "generation", 1)
    await pipe.execute()


def _with_thumbnail(kept: Kept, old: Kept | None) -> Kept:
    size = 0 if old is None else old.thumbnail
    return Kept(kept.start, kept.end, kept.frames, kept.form, kept.tokens, size)


def _add(pipe: Pipeline, keys: Keys, kept: Kept, data: bytes) -> None:
    pipe.zadd(keys.clips, {pack_kept(kept): kept.start})
    pipe.hset(keys.tokens, cast("Any", field(kept.start)), cast("Any", data))


def _remove(
    pipe: Pipeline,
    keys: Keys,
    kept: Sequence[Kept],
    members: Sequence[bytes],
    but: frozenset[float] | set[float] = frozenset(),
) -> None:
    """Take clips out of the index, tokens and thumbnails; not the thumbnails that start at `but`."""
    if not members:
        return
    pipe.zrem(keys.clips, *members)
    pipe.hdel(keys.tokens, *[cast("Any", field(clip.start)) for clip in kept])
    thumbnails = [cast("Any", field(clip.start)) for clip in kept if clip.start not in but]
    if thumbnails:
        pipe.hdel(keys.thumbnails, *thumbnails)


async def _kept(pipe: Pipeline | Redis, keys: Keys, member: bytes) -> Kept:
    """Return what a clip of the index takes; asked for where version 0.1.0 did not write it."""
    kept = unpack_kept(member)
    return await measured(pipe, keys, member) if kept is None else kept


async def measured(redis: Redis | Pipeline, keys: Keys, member: bytes) -> Kept:
    """Return what a clip takes that 0.1.0 wrote: the index does not say it."""
    moment = unpack_moment(member)
    at = cast("Any", field(moment.start))
    tokens = await _now(redis.hstrlen(keys.tokens, at))
    thumbnail = await _now(redis.hstrlen(keys.thumbnails, at))
    return Kept(moment.start, moment.end, 4, "float16", tokens, thumbnail)


def _write(pipe: Pipeline) -> None:
    """End looking: what is called from here on waits for `execute`, and is done whole or not at all."""
    pipe.multi()  # type: ignore[no-untyped-call]


async def _now(reply: Any) -> Any:  # noqa: ANN401 - redis-py types one method for both worlds
    return await reply
