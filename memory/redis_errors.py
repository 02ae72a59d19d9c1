"""Redis's errors in our words: what happened and what to do, without the address or password."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    OutOfMemoryError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

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
        if str(error).startswith("MISCONF"):
            raise StoreFull(
                "Redis cannot write to its disk, so nothing new is remembered: make room on the "
                "disk of its data directory"
            ) from error
        raise StoreUnavailable(reason(error)) from error


def root(error: RedisError) -> RedisError:
    """Return what went wrong: redis-py calls all that fails while connecting a connection error."""
    while isinstance(error, RedisConnectionError) and isinstance(error.__cause__, RedisError):
        error = error.__cause__
    return error


def reason(error: RedisError) -> str:
    """Return why Redis does not serve us, as a sentence for people."""
    error = root(error)
    match error:
        case AuthenticationError():
            return "Redis refused the user or password: check the Redis URL"
        case BusyLoadingError():
            return "Redis is still reading its data from disk: try again soon"
        case RedisTimeoutError():
            return "Redis did not answer in time: is it overloaded or frozen?"
        case RedisConnectionError():
            return "Redis cannot be reached: is it running?"
        case ResponseError():
            return f"Redis refused: {error}"
        case _:
            return "Redis failed in a way that is not known: see the log"
