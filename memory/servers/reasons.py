"""Why Redis does not serve us, in sentences for people, without the address or password.

Apart from `memory.redis.errors`, because it needs nothing but the client: what only starts or
examines a server loads in a moment.
"""

import re
import ssl

from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

SILENT = "Redis did not answer in time: is it overloaded or frozen?"
_NOT_TRUSTED = (
    "Redis's certificate is not trusted: name the file of its authority in the Redis URL, as "
    "?ssl_ca_certs=/path/to/ca.pem"
)
_CROWDED = "max number of clients reached"
_MOVING = "Redis is moving this stream from one node to another: try again soon"
_IN_PIPELINE = re.compile(
    r"""Command # \d+ \(.*\) of pipeline caused error: (\(["'])?(?P<words>.*?)(?(1)["'],\))""",
    re.DOTALL,
)


class MasterUnknown(RedisConnectionError):
    """No Sentinel says where the master is."""


def root(error: RedisError) -> RedisError:
    """Return what went wrong: redis-py calls all that fails while connecting a connection error."""
    while isinstance(error, RedisConnectionError) and isinstance(error.__cause__, RedisError):
        error = error.__cause__
    return error


def said(error: RedisError) -> str:
    """Return Redis's own words, without what redis-py wraps around them in a pipeline."""
    found = _IN_PIPELINE.fullmatch(str(error))
    return str(error) if found is None else found["words"]


_REASONS: tuple[tuple[type[RedisError], str], ...] = (
    (AuthenticationError, "Redis refused the user or password: check the Redis URL"),
    (BusyLoadingError, "Redis is still reading its data from disk: try again soon"),
    (RedisTimeoutError, SILENT),
    (
        ReadOnlyError,
        "Redis is a read-only replica: another node is becoming the master, or the Redis URL names a "
        "replica",
    ),
    (
        MasterDownError,
        "Redis is a replica that has lost its master: try again once there is a new one",
    ),
    (
        ClusterDownError,
        "A part of the Redis cluster is down: try again once another node has taken over",
    ),
    (MovedError, "Redis is a node of a cluster: write redis+cluster:// in the Redis URL"),
    (AskError, _MOVING),
    (TryAgainError, _MOVING),
    (
        MasterUnknown,
        "No Redis Sentinel says where the master is: are they running, and is its name in the Redis URL "
        "right?",
    ),
    (RedisConnectionError, "Redis cannot be reached: is it running?"),
)
"""The first that fits counts."""


def reason(error: RedisError) -> str:
    """Return why Redis does not serve us, as a sentence for people."""
    if isinstance(error.__context__, ssl.SSLCertVerificationError):
        return _NOT_TRUSTED
    error = root(error)
    if _CROWDED in str(error):
        return "Redis has as many connections as it may have: raise its limit (maxclients), or close others"
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return words
    if isinstance(error, ResponseError):
        return f"Redis refused: {said(error)}"
    return "Redis failed in a way that is not known: see the log"
