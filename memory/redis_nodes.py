"""Which Redis server to ask about a stream: one and the same, or the node of a cluster that has it.

Everything else in `memory` speaks to a plain client of one server. redis-py's own client of clusters
cannot watch keys from a coroutine, and without that nothing here would be whole or not at all.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from redis.asyncio import Redis

from memory.redis_cancelling import close

Result = TypeVar("Result")
Work = Callable[[Redis], Awaitable[Result]]


class Nodes(Protocol):
    """The servers that the keys are on."""

    async def run(self, key: str, work: Work[Result]) -> Result:
        """Return what `work` does with the server that has `key`; it may be called again."""
        ...

    async def together(self, keys: Sequence[str]) -> list[list[str]]:
        """Return `keys` in groups, each of which is on one server."""
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
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def run(self, key: str, work: Work[Result]) -> Result:
        """See `Nodes.run`."""
        return await work(self._redis)

    async def together(self, keys: Sequence[str]) -> list[list[str]]:
        """See `Nodes.together`."""
        return [list(keys)]

    async def servers(self) -> list[Redis]:
        """See `Nodes.servers`."""
        return [self._redis]

    async def close(self) -> None:
        """See `Nodes.close`."""
        await close(self._redis)
