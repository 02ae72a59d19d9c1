"""Connections to one Redis server, with bounds: of their number, and of how long they are waited for."""

from typing import Any

from redis.asyncio import Redis

from memory.servers.cancelling import Pool
from memory.servers.retry import OnceMore

CONNECTIONS = 32
"""To one server; calls beyond them at once wait for one another."""


def connected(url: str, timeout: float, retry: OnceMore | None = None, **more: Any) -> Redis:  # noqa: ANN401
    """Return a client of the server at `url`; its first call connects.

    Args:
        url: As redis-py reads it.
        timeout: Seconds; an answer that takes more, twice, counts as none.
        retry: What connections try again by.
        more: Arguments of every connection.

    Raises:
        ValueError: If `url` cannot be read, or has an option that redis-py does not know.
    """
    retry = retry or OnceMore()
    # Else every connection reads the package's metadata from disk, on the event loop.
    more |= {"driver_info": None, "retry": retry}
    pool = retry.pool = Pool.from_url(
        url,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        max_connections=CONNECTIONS,
        **more,
    )
    if "connection_class" in more:  # the URL's scheme has chosen another
        pool.connection_class = more["connection_class"]
    try:
        # Opens nothing; else an unknown option would be found by the first call.
        pool.connection_class(**pool.connection_kwargs)
    except TypeError as error:
        raise ValueError("an option of the URL is unknown") from error
    return Redis.from_pool(pool)
