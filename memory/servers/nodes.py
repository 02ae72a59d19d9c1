"""Which Redis server to ask about a stream: one and the same, or the node of a cluster that has it.

Everything else in `memory` speaks to a plain client of one server. redis-py's own client of clusters
cannot watch keys from a coroutine, and without that nothing here would be whole or not at all.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from redis.asyncio import Redis

from memory.servers.cancelling import close

_Result = TypeVar("_Result")
Work = Callable[[Redis], Awaitable[_Result]]
WorkOnKeys = Callable[[Redis, Sequence[str]], Awaitable[list[_Result]]]


class Nodes(Protocol):
    """The servers that the keys are on."""

    async def run(self, key: str, work: Work[_Result]) -> _Result:
        """Return what `work` does with the server that has `key`; it may be called again."""
        ...

    async def spread(self, keys: Sequence[str], work: WorkOnKeys[_Result]) -> list[_Result]:
        """Return, in any order, what `work` finds, given each server and those of `keys` that it has."""
        ...

    async def servers(self) -> list[Redis]:
        """Return a client of every server that takes writes."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class OneServer:
    """A single Redis, or whichever one a Sentinel says is the master.

    Args:
        redis: A client that returns bytes; `close` closes it.
        also: Closed with it.
    """

    def __init__(self, redis: Redis, also: Sequence[Redis] = ()) -> None:
        self._redis = redis
        self._also = also

    async def run(self, key: str, work: Work[_Result]) -> _Result:
        """See `Nodes.run`."""
        return await work(self._redis)

    async def spread(self, keys: Sequence[str], work: WorkOnKeys[_Result]) -> list[_Result]:
        """See `Nodes.spread`."""
        return await work(self._redis, keys) if keys else []

    async def servers(self) -> list[Redis]:
        """See `Nodes.servers`."""
        return [self._redis]

    async def close(self) -> None:
        """See `Nodes.close`."""
        for redis in (self._redis, *self._also):
            await close(redis)
