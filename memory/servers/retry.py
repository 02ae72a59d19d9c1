"""Tries a call of Redis once more, and leaves a node that is not the master any more.

Behind a name (Sentinel's, a proxy's, a cloud provider's) a failover moves the name, not the connections:
those that are open stay with the old node, which then refuses every write, or answers from what it had.
So one refusal of that kind closes all of them; what is asked next connects to where the name leads now.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeVar

from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import (
    BusyLoadingError,
    MasterDownError,
    ReadOnlyError,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

_Result = TypeVar("_Result")

_NOT_THE_MASTER: tuple[type[RedisError], ...] = (ReadOnlyError, MasterDownError, BusyLoadingError)
"""What a node says that was demoted, lost its master, or has only just come back."""
_PAUSE = 0.05  # seconds


class OnceMore(Retry):
    """Once more after a pooled connection went stale; writing a clip twice is harmless."""

    def __init__(self) -> None:
        super().__init__(
            ConstantBackoff(_PAUSE),
            1,
            (RedisConnectionError, RedisTimeoutError, *_NOT_THE_MASTER),
        )
        self.pool: ConnectionPool | None = None

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        """Return itself: every connection has a copy of its own made, and all know one pool."""
        return self

    async def call_with_retry(
        self,
        do: Callable[[], Awaitable[_Result]],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> _Result:
        """Run `do`, and once more if it fails; see `redis.asyncio.retry.Retry`."""

        async def failed(error: Exception, *count: int) -> None:
            try:
                await fail(error, *count)  # closes the connection that failed; raises if it watched
            finally:
                if isinstance(error, _NOT_THE_MASTER):
                    await self.leave()

        return await super().call_with_retry(do, failed, is_retryable, with_failure_count)

    async def leave(self) -> None:
        """Close every connection: idle ones now, those in use once they are given back."""
        if self.pool is not None:
            await self.pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
            await self.pool.disconnect(inuse_connections=False)
