"""The master among Redis servers that Sentinels watch: asked for whenever a connection is made.

Nothing else is needed for a failover: a master that is dead loses its connections, and one that was
demoted refuses every write, upon which all connections to it are closed (see `memory.servers.retry`).

https://redis.io/docs/latest/develop/reference/sentinel-clients/
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import Connection, Redis, SSLConnection
from redis.exceptions import RedisError

from memory.servers.nodes import OneServer
from memory.servers.pool import connected
from memory.servers.reasons import MasterUnknown
from memory.servers.retry import OnceMore
from memory.servers.url import Node, SeveralServers

log = logging.getLogger(__name__)

_SENTINEL_TIMEOUT = 0.5
"""Seconds; a Sentinel does nothing but answer, and the next one may be asked."""


class _MasterConnection(Connection):
    """A connection to whichever server is the master when it is made.

    Args:
        find_master: Asks for its address.
        more: See `redis.asyncio.Connection`.
    """

    def __init__(self, *, find_master: Callable[[], Awaitable[Node]], **more: Any) -> None:  # noqa: ANN401
        super().__init__(**more)
        self._find_master = find_master

    async def _connect(self) -> None:
        self.host, self.port = await self._find_master()
        await super()._connect()  # type: ignore[no-untyped-call]


class _MasterTlsConnection(_MasterConnection, SSLConnection):
    """The same, encrypted."""


class _Sentinels:
    """Knows where the master is.

    Args:
        clients: Of each Sentinel.
        name: What they call it.
        moved: Called when it is not where it was.
    """

    def __init__(
        self, clients: list[Redis], name: str, moved: Callable[[], Awaitable[None]]
    ) -> None:
        self._clients = clients
        self._name = name
        self._moved = moved
        self._last: Node | None = None

    async def find_master(self) -> Node:
        """Return where the master is; the Sentinel that answered is asked first next time.

        Raises:
            MasterUnknown: If none of them knows.
        """
        for client in list(self._clients):
            try:
                found = await client.execute_command(  # type: ignore[no-untyped-call]
                    "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name
                )
            except RedisError as error:
                log.debug("a Sentinel does not answer: %s", error)
                continue
            if found:
                self._clients.remove(client)
                self._clients.insert(0, client)
                return await self._noted((found[0].decode(), int(found[1])))
        raise MasterUnknown(self._name)

    async def _noted(self, node: Node) -> Node:
        before, self._last = self._last, node
        if before not in {None, node}:
            log.warning("Redis has a new master: %s:%s", *node)
            await self._moved()
        return node


def behind_sentinels(address: SeveralServers, timeout: float) -> OneServer:
    """Return the master that the Sentinels of `address` know.

    Raises:
        ValueError: If an option of `address` cannot be read.
    """
    asked = [
        connected(address.sentinel.at(node), min(_SENTINEL_TIMEOUT, timeout))
        for node in address.nodes
    ]
    retry = OnceMore()
    sentinels = _Sentinels(asked.copy(), address.name, retry.leave)
    secret = address.server.scheme == "rediss"
    master = connected(
        address.server.at(address.nodes[0]),
        timeout,
        retry,
        connection_class=_MasterTlsConnection if secret else _MasterConnection,
        find_master=sentinels.find_master,
    )
    return OneServer(master, asked)
