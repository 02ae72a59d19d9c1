"""The servers that a Redis URL leads to."""

from memory.servers.cluster import cluster
from memory.servers.nodes import Nodes, OneServer
from memory.servers.pool import connected
from memory.servers.sentinel import behind_sentinels
from memory.servers.url import LOOKS_LIKE, read_url


def open_nodes(url: str, timeout: float) -> Nodes:
    """Return the servers at `url` (see `memory.servers.url`); nothing is connected yet.

    Args:
        url: Where they are.
        timeout: Seconds; an answer that takes more, twice, counts as none.

    Raises:
        ValueError: If `url` cannot be read; the message does not repeat it.
    """
    try:
        address = read_url(url)
        if address is None:
            return OneServer(connected(url, timeout))
        if address.kind == "cluster":
            return cluster(address, timeout)
        return behind_sentinels(address, timeout)
    except ValueError:
        # The URL may hold a password, and so may the parser's message.
        raise ValueError(LOOKS_LIKE) from None
