"""Every change of a stream in Redis, each one transaction: seen whole, or not at all.

A change looks first (the record and the index are watched) and then writes; if another process got
in between, Redis refuses and it looks again. So a clip never lands in a stream that was deleted, and
what is put in the place of clips never meets others than those it was made from.
"""

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import OutOfMemoryError

from memory.changes import marks
from memory.errors import PastChanged, StreamForgotten
from memory.redis.layout import StreamKeys, done, field, pack_kept, unpack_kept, unpack_moment
from memory.redis.watch import Look, watched
from memory.store import RECORD_VERSION, Kept, Moment

_TOMBSTONE_SECONDS = 86_400
"""How long it is remembered that a stream was deleted: longer than a process that still feeds it could
be cut off from Redis without having given up what it wanted to write."""


def _record_of(keys: StreamKeys) -> list[Look]:
    """Return what `_known` needs to be told."""
    return [("HGETALL", keys.record), ("EXISTS", keys.deleted)]


def _known(stream: str, stored: Mapping[bytes, bytes], deleted: object) -> Mapping[bytes, bytes]:
    """Return the stream's record as it is stored.

    Raises:
        StreamForgotten: If it was deleted.
        KeyError: If there is none.
    """
    if stored:
        return stored
    if deleted:
        raise StreamForgotten(stream)
    raise KeyError(stream)


async def begin(
    redis: Redis, keys: StreamKeys, began: str, size: int, *, deleted_too: Callable[[], None]
) -> None:
    """Make the record of a stream that has none.

    Args:
        redis: Has its keys.
        keys: Of the stream.
        began: Unix seconds.
        size: Bytes of what 0.1.0 wrote of it.
        deleted_too: Called if it was deleted; may raise.
    """

    async def change(pipe: Pipeline, found: list[Any]) -> None:
        exists, last = found
        if exists:
            return
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

    await watched(redis, keys, change, [("EXISTS", keys.record), ("GET", keys.deleted)])


async def set_fields(
    redis: Redis, keys: StreamKeys, stream: str, fields: Mapping[str, float | None]
) -> None:
    """Write fields of a stream's record; None takes one away.

    Raises:
        KeyError: If there is no such stream.
        StreamForgotten: If it was deleted: a record without a beginning would be nobody's.
    """

    async def change(pipe: Pipeline, record: list[Any]) -> None:
        _known(stream, *record)
        _write(pipe)
        for name, value in fields.items():
            if value is None:
                pipe.hdel(keys.record, name)
            else:
                pipe.hset(keys.record, name, repr(value))
        await pipe.execute()

    await watched(redis, keys, change, _record_of(keys))


async def append(
    redis: Redis, keys: StreamKeys, stream: str, kept: Kept, data: bytes, thumbnail: bytes
) -> None:
    """Add a clip, or put it in the place of the one with the same start.

    Raises:
        KeyError: If there is no such stream.
        StreamForgotten: If it was deleted.
    """
    at = field(kept.start)

    async def change(pipe: Pipeline, found: list[Any]) -> None:
        *record, newest, old = found
        _known(stream, *record)
        is_newest = not newest or kept.start > unpack_moment(newest[0]).start
        before = [await kept_of(pipe, keys, member) for member in old]
        if before == [kept] and await done(pipe.hget(keys.tokens, cast("Any", at))) == data:
            return  # its first reply was lost
        _write(pipe)
        _remove(pipe, keys, before, old)
        _add(pipe, keys, kept, data)
        pipe.hset(keys.thumbnails, cast("Any", at), cast("Any", thumbnail))
        pipe.hincrby(keys.record, "bytes", kept.bytes - sum(clip.bytes for clip in before))
        if not is_newest:
            pipe.hincrby(keys.record, "generation", 1)
        await pipe.execute()

    here: list[Look] = [
        ("ZRANGE", keys.clips, -1, -1),
        ("ZRANGEBYSCORE", keys.clips, kept.start, kept.start),
    ]
    await watched(redis, keys, change, [*_record_of(keys), *here])


async def replace(
    redis: Redis,
    keys: StreamKeys,
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

    async def change(pipe: Pipeline, found: list[Any]) -> None:
        *record, members = found
        stored = _known(stream, *record)
        if int(stored[b"generation"]) != generation:
            raise PastChanged(f"{stream} is at generation {int(stored[b'generation'])}")
        old = {kept.start: kept for m in members if (kept := await kept_of(pipe, keys, m))}
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

    here: Look = ("ZRANGEBYSCORE", keys.clips, span.start, span.end)
    await watched(redis, keys, change, [*_record_of(keys), here])


async def forget_range(
    redis: Redis, keys: StreamKeys, stream: str, since: float, until: float
) -> int:
    """Drop the clips that show anything from `since` to `until`; return how many."""

    async def change(pipe: Pipeline, record: list[Any]) -> int:
        try:
            stored = _known(stream, *record)
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
        return await watched(redis, keys, change, _record_of(keys))
    except OutOfMemoryError:
        await _free_range(redis, keys, since, until)
        return await watched(redis, keys, change, _record_of(keys))


async def _free_range(redis: Redis, keys: StreamKeys, since: float, until: float) -> None:
    """Make room in a Redis that is full, for a range to be forgotten: it takes what frees memory.

    The index is left to the transaction that now finds room: what is half forgotten is found there again.
    """
    gone = await _shown(redis, keys, since, until)
    if gone:
        fields = [cast("Any", field(kept.start)) for _, kept in gone]
        await done(redis.hdel(keys.tokens, *fields))
        await done(redis.hdel(keys.thumbnails, *fields))


async def forget(redis: Redis, keys: StreamKeys) -> None:
    """Drop everything of a stream, and keep for a day that it was deleted."""
    generation = 0

    async def change(pipe: Pipeline, found: list[Any]) -> None:
        nonlocal generation
        known, clips = found
        generation = max(generation, int(known or 0))
        existed = known is not None or clips
        _write(pipe)
        pipe.delete(*keys.data)
        if existed:
            pipe.set(keys.deleted, generation, ex=_TOMBSTONE_SECONDS)
        await pipe.execute()

    looks: list[Look] = [("HGET", keys.record, "generation"), ("EXISTS", keys.clips)]
    try:
        await watched(redis, keys, change, looks)
    except OutOfMemoryError:
        # A full Redis takes no transaction, but what frees memory; then there may be room for the
        # sign of the deletion.
        await redis.delete(*keys.data)
        with contextlib.suppress(OutOfMemoryError):
            await redis.set(keys.deleted, generation, ex=_TOMBSTONE_SECONDS)


async def _shown(
    pipe: Pipeline | Redis, keys: StreamKeys, since: float, until: float
) -> list[tuple[bytes, Kept]]:
    """Return the members of the index, and what they say, that show anything of this time."""
    members = await done(pipe.zrangebyscore(keys.clips, since, until))
    before = await done(pipe.zrevrangebyscore(keys.clips, f"({since!r}", "-inf", start=0, num=1))
    found = [(member, await kept_of(pipe, keys, member)) for member in [*before, *members]]
    return [(member, kept) for member, kept in found if kept.end >= since]


def _with_thumbnail(kept: Kept, old: Kept | None) -> Kept:
    size = 0 if old is None else old.thumbnail
    return Kept(kept.start, kept.end, kept.frames, kept.form, kept.tokens, size)


def _add(pipe: Pipeline, keys: StreamKeys, kept: Kept, data: bytes) -> None:
    pipe.zadd(keys.clips, {pack_kept(kept): kept.start})
    pipe.hset(keys.tokens, cast("Any", field(kept.start)), cast("Any", data))


def _remove(
    pipe: Pipeline,
    keys: StreamKeys,
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


async def kept_of(pipe: Pipeline | Redis, keys: StreamKeys, member: bytes) -> Kept:
    """Return what a clip of the index takes; asked for where version 0.1.0 did not write it."""
    kept = unpack_kept(member)
    return await _measured(pipe, keys, member) if kept is None else kept


async def _measured(redis: Redis | Pipeline, keys: StreamKeys, member: bytes) -> Kept:
    """Return what a clip takes that 0.1.0 wrote: the index does not say it."""
    moment = unpack_moment(member)
    at = cast("Any", field(moment.start))
    tokens = await done(redis.hstrlen(keys.tokens, at))
    thumbnail = await done(redis.hstrlen(keys.thumbnails, at))
    return Kept(moment.start, moment.end, 4, "float16", tokens, thumbnail)


def _write(pipe: Pipeline) -> None:
    """End looking: what is called from here on waits for `execute`, and is done whole or not at all."""
    pipe.multi()  # type: ignore[no-untyped-call]
