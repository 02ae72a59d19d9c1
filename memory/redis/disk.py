"""Whether what Redis has taken has reached its append-only file.

Redis answers a write before it knows: with `appendfsync everysec` it tells of a full disk only at the
next write, and while a sync of the disk is under way it holds back what it has for up to two seconds. A
kill then takes what was answered already. So a clip is acknowledged after a second look: in a round
trip of its own, for Redis writes its file after it has read all that was sent together.

https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from memory.errors import StoreFull, StoreUnavailable

NO_ROOM = (
    "Redis cannot write to its disk, so nothing new is remembered: make room on the disk of its data "
    "directory"
)
_Result = TypeVar("_Result")
MakeRoom = Callable[[], Awaitable[bool]]
"""Makes a little room on Redis's disk for a deletion; returns False if it cannot."""
_NOTICED_WITHIN = 3.0
"""Seconds; Redis tries its disk again every second."""
_COPIED_WITHIN = 1.0
"""Seconds that replicas have for a clip."""
_HELD_BACK_AT_MOST = 2.5
"""Seconds; after two Redis writes whether the disk is ready or not."""
_LOOK_AGAIN = 0.05


async def check_on_disk(seen: object, look: Callable[[], Awaitable[object]]) -> None:
    """Return once what was written before `seen` was asked for is in the file.

    A Redis that keeps no such file, or does not let us ask, is taken at its word.

    Args:
        seen: What `INFO persistence` said after the write, or the error instead.
        look: Asks again.

    Raises:
        StoreFull: If Redis could not write it to its disk.
    """
    tried = False
    for _ in range(round(_HELD_BACK_AT_MOST / _LOOK_AGAIN)):
        if not isinstance(seen, Mapping) or not seen.get("aof_enabled"):
            return
        if seen.get("aof_last_write_status", "ok") != "ok":
            raise StoreFull(NO_ROOM)
        if tried or not seen.get("aof_buffer_length"):
            return
        # Once its disk is ready Redis writes what it holds before it answers us, and only the next
        # answer says whether there was room.
        tried = not seen.get("aof_pending_bio_fsync")
        if not tried:
            await asyncio.sleep(_LOOK_AGAIN)
        seen = await look()


async def no_reserve() -> bool:
    """Make no room: whose disk it is keeps none free for us."""
    return False


async def _persistence(redis: Redis) -> object:
    """Return what Redis says of its file, or the error if it does not let us ask."""
    try:
        return await redis.info("persistence")
    except ResponseError as error:
        return error


async def check_safe(redis: Redis, replicas: int) -> None:
    """Return once what was just written is in Redis's file, and so many replicas have it.

    Raises:
        StoreFull: If Redis could not write it to its disk.
        StoreUnavailable: If fewer replicas have it after a while.
    """
    if replicas == 0:
        seen = await _persistence(redis)
    else:
        async with redis.pipeline(transaction=False) as pipe:
            pipe.info("persistence")
            # On the same connection: Redis waits for what was written before its last command.
            pipe.execute_command("WAIT", replicas, round(1000 * _COPIED_WITHIN))
            seen, have = await pipe.execute(raise_on_error=False)
        if isinstance(have, ResponseError):
            raise have
        if have < replicas:
            raise StoreUnavailable(
                f"Only {have} of {replicas} replicas of Redis have it: are they running?"
            )
    await check_on_disk(seen, lambda: redis.info("persistence"))


async def on_a_full_disk_too(
    delete: Callable[[], Awaitable[_Result]],
    make_room: MakeRoom,
    noticed: Callable[[], Awaitable[None]],
) -> _Result:
    """Do `delete`, once more with a little room made for it if there is none.

    Args:
        delete: Forgets something.
        make_room: Makes the room.
        noticed: Returns once Redis knows of it, see `noticed_room`.

    Raises:
        StoreFull: If no room can be made.
    """
    try:
        return await delete()
    except StoreFull:
        if not await make_room():
            raise
    await noticed()
    return await delete()


async def noticed_room(redis: Redis) -> None:
    """Return once Redis has noticed that its disk has room again, or should have."""
    for _ in range(round(_NOTICED_WITHIN / _LOOK_AGAIN)):
        seen = await _persistence(redis)
        if not isinstance(seen, Mapping) or seen.get("aof_last_write_status", "ok") == "ok":
            return
        await asyncio.sleep(_LOOK_AGAIN)
