"""Redis's errors in our words: what happened and what to do, without the address or password."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import OutOfMemoryError, RedisError

from memory.redis_reasons import reason, said
from memory.store import StoreFull, StoreUnavailable


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error of the Redis client inside the block into one of ours.

    Raises:
        StoreFull: If Redis has reached its memory limit, or cannot write to its disk.
        StoreUnavailable: If Redis cannot be reached, or refuses for any other reason.
    """
    try:
        yield
    except OutOfMemoryError as error:
        raise StoreFull(
            "Redis has reached its memory limit and keeps what it has: forget a stream, or raise "
            "the limit (maxmemory)"
        ) from error
    except RedisError as error:
        if said(error).startswith("MISCONF"):
            raise StoreFull(
                "Redis cannot write to its disk, so nothing new is remembered: make room on the "
                "disk of its data directory"
            ) from error
        raise StoreUnavailable(reason(error)) from error
