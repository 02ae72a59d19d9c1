"""Recordings in Redis (6.2 or newer), beside the clips of their stream.

    flashback:{stream}:recordings  hash  start, end and key -> film

The key shares the stream's hash tag, so that a recording is written only where the stream still is, in
one transaction, and goes with it.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from memory.recordings import Recorded, check_size, pack_recorded, unpack_recorded
from memory.redis.errors import PromptNodes
from memory.redis.layout import StreamKeys, done
from memory.redis.watch import watched

_Result = TypeVar("_Result")


class RedisRecordings:
    """Keeps recordings in Redis.

    Args:
        nodes: The servers.
    """

    def __init__(self, nodes: PromptNodes) -> None:
        self._nodes = nodes

    async def put(self, stream: str, about: Recorded, data: bytes) -> None:
        """See `RecordingStore.put`.

        Raises:
            KeyError: If there is no such stream (any more).
            ValueError: If it is too large.
        """
        check_size(data)
        keys, name = StreamKeys.of(stream), pack_recorded(about)

        async def change(pipe: Pipeline, found: list[Any]) -> None:
            if not found[0]:
                raise KeyError(stream)
            pipe.multi()  # type: ignore[no-untyped-call]
            pipe.hset(keys.recordings, cast("Any", name), cast("Any", data))
            await pipe.execute()

        await self._nodes.run(
            keys.recordings, lambda redis: watched(redis, keys, change, [("EXISTS", keys.record)])
        )

    async def get(self, stream: str, key: str) -> bytes | None:
        """See `RecordingStore.get`."""
        keys = StreamKeys.of(stream)

        async def work(redis: Redis) -> bytes | None:
            for name in await _names(redis, keys):
                if unpack_recorded(name).key == key:
                    return cast(
                        "bytes | None", await done(redis.hget(keys.recordings, cast("Any", name)))
                    )
            return None

        return await self._nodes.run(keys.recordings, work)

    async def keys(self, stream: str) -> frozenset[str]:
        """See `RecordingStore.keys`."""
        keys = StreamKeys.of(stream)
        names = await self._nodes.run(keys.recordings, lambda redis: _names(redis, keys))
        return frozenset(unpack_recorded(name).key for name in names)

    async def remove(self, stream: str, key: str) -> None:
        """See `RecordingStore.remove`."""
        await self._drop(stream, lambda recorded: recorded.key == key)

    async def forget_range(self, stream: str, since: float, until: float) -> None:
        """Drop every recording that shows anything from `since` to `until`."""
        await self._drop(stream, lambda recorded: recorded.shows(since, until))

    async def _drop(self, stream: str, unwanted: Callable[[Recorded], bool]) -> None:
        keys = StreamKeys.of(stream)

        async def work(redis: Redis) -> None:
            gone = [n for n in await _names(redis, keys) if unwanted(unpack_recorded(n))]
            if gone:
                await done(redis.hdel(keys.recordings, *cast("Any", gone)))

        await self._nodes.run(keys.recordings, work)


async def _names(redis: Redis, keys: StreamKeys) -> list[bytes]:
    return list(cast("Iterable[bytes]", await done(redis.hkeys(keys.recordings))))
