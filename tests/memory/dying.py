"""A client of Redis that dies on the way: what it has sent is done, the rest never comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import ConnectionPool, Redis, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError


class _Dying(UnixDomainSocketConnection):
    """A connection of a process that dies with the last of its `left` commands on the way."""

    left = 0

    async def send_packed_command(self, command, check_health=True):
        if _Dying.left > 0:
            await super().send_packed_command(command, check_health)
        _Dying.left -= 1
        if _Dying.left < 0:
            await self.disconnect(nowait=True)
            raise RedisConnectionError("it died")


def die_after(commands: int) -> None:
    """Let the clients that there are send so many commands more."""
    _Dying.left = commands


@asynccontextmanager
async def dying(url: str) -> AsyncIterator[Redis]:
    """Yield a client of the embedded Redis at `url`; see `die_after`."""
    path = url.removeprefix("unix://")
    async with Redis.from_pool(
        ConnectionPool(_Dying, path=path, retry=None, driver_info=None)
    ) as redis:
        yield redis
