"""Why Redis does not serve us, in sentences for people, without the address or password.

Apart from `memory.redis_errors`, because it needs nothing but the client: what only starts or
examines a server loads in a moment.
"""

import re

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MasterDownError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

SILENT = "Redis did not answer in time: is it overloaded or frozen?"
_IN_PIPELINE = re.compile(
    r"""Command # \d+ \(.*\) of pipeline caused error: (\(["'])?(?P<words>.*?)(?(1)["'],\))""",
    re.DOTALL,
)


def root(error: RedisError) -> RedisError:
    """Return what went wrong: redis-py calls all that fails while connecting a connection error."""
    while isinstance(error, RedisConnectionError) and isinstance(error.__cause__, RedisError):
        error = error.__cause__
    return error


def said(error: RedisError) -> str:
    """Return Redis's own words, without what redis-py wraps around them in a pipeline."""
    found = _IN_PIPELINE.fullmatch(str(error))
    return str(error) if found is None else found["words"]


def reason(error: RedisError) -> str:
    """Return why Redis does not serve us, as a sentence for people."""
    error = root(error)
    match error:
        case AuthenticationError():
            return "Redis refused the user or password: check the Redis URL"
        case BusyLoadingError():
            return "Redis is still reading its data from disk: try again soon"
        case RedisTimeoutError():
            return SILENT
        case ReadOnlyError():
            return (
                "Redis is a read-only replica: another node is becoming the master, or the Redis URL "
                "names a replica"
            )
        case MasterDownError():
            return "Redis is a replica that has lost its master: try again once there is a new one"
        case RedisConnectionError():
            return "Redis cannot be reached: is it running?"
        case ResponseError():
            return f"Redis refused: {said(error)}"
        case _:
            return "Redis failed in a way that is not known: see the log"
