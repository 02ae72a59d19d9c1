"""What a cancellation must neither be lost in nor leave half done: redis-py does both."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

_Result = TypeVar("_Result")


@contextmanager
def cancellation_kept() -> Iterator[None]:
    """Cancel the task after all if the Redis client lost its cancellation inside the block.

    It sends with `asyncio.wait_for`, and that of Python 3.11 returns the result instead of raising
    when both come in one turn of the loop: after a pause of the loop, nearly always. A task that
    ends by its cancellation alone would then never end, and keep what it holds.
    https://github.com/python/cpython/issues/86296

    Raises:
        CancelledError: If it did.
        RedisError: What the client raised, if it did not.
    """
    before = _cancellations()
    try:
        yield
    except RedisError as error:
        if _cancellations() > before:
            raise asyncio.CancelledError from error
        raise
    if _cancellations() > before:
        raise asyncio.CancelledError


async def _finished(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Return what `work` does; a task that is cancelled meanwhile sees it through, then ends.

    Raises:
        CancelledError: If the task was cancelled; `work` is done then too.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def close(redis: Redis) -> None:
    """Close every connection of `redis`, whoever is cancelled meanwhile.

    redis-py's own closing, cancelled before its first step, leaves all of them open, until a
    collection of garbage finds them in the midst of something else.
    """
    await _finished(redis.aclose())


class Pool(BlockingConnectionPool):
    """A pool to which every connection comes back."""

    async def release(self, connection: AbstractConnection) -> None:
        """Take a connection back.

        Cancelled while others hold the pool's lock, redis-py would drop it, open as it is.
        """
        await _finished(super().release(connection))


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
