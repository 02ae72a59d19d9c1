"""Whether what Redis has taken has reached its append-only file.

Redis answers a write before it knows: with `appendfsync everysec` it tells of a full disk only at the
next write, and while a sync of the disk is under way it holds back what it has for up to two seconds. A
kill then takes what was answered already. So a clip is acknowledged after a second look: in a round
trip of its own, for Redis writes its file after it has read all that was sent together.

https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from memory.store import StoreFull

NO_ROOM = (
    "Redis cannot write to its disk, so nothing new is remembered: make room on the disk of its data "
    "directory"
)
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
    for _ in range(round(_HELD_BACK_AT_MOST / _LOOK_AGAIN)):
        if not isinstance(seen, Mapping) or not seen.get("aof_enabled"):
            return
        if seen.get("aof_last_write_status", "ok") != "ok":
            raise StoreFull(NO_ROOM)
        if not (seen.get("aof_pending_bio_fsync") and seen.get("aof_buffer_length")):
            return
        await asyncio.sleep(_LOOK_AGAIN)
        seen = await look()
