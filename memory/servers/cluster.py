"""The nodes of a Redis Cluster: which one has a key, also while keys move and nodes fail.

A node says itself what it does not have (`MOVED`). While a slot is on its way from one to another, what
has gone already is asked for there (`ASK`); but what belongs to a stream may lie on both then, and no
transaction reaches both. So whoever wants something of it waits until all of it has arrived.

https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from memory.servers.cancelling import close
from memory.servers.nodes import Work, WorkOnKeys
from memory.servers.pool import connected
from memory.servers.url import Node, SeveralServers

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")
_PAUSE = 0.1
"""Seconds between two tries."""
_ENOUGH = 1.5
"""Seconds of trying; less than who asks a question is made to wait."""


class Cluster:
    """The masters of a cluster.

    Args:
        seeds: Some of its nodes.
        connect: Returns a client of a node.
    """

    def __init__(self, seeds: Sequence[Node], connect: Callable[[Node], Redis]) -> None:
        self._seeds = tuple(seeds)
        self._connect = connect
        self._clients: dict[Node, Redis] = {}
        self._slots: list[tuple[int, int, Node]] = []

    async def run(self, key: str, work: Work[_Result]) -> _Result:
        """See `Nodes.run`."""

        async def once(redis: Redis, _: Sequence[str]) -> list[_Result]:
            return [await work(redis)]

        [result] = await self.spread([key], once)
        return result

    async def spread(self, keys: Sequence[str], work: WorkOnKeys[_Result]) -> list[_Result]:
        """See `Nodes.spread`.

        Raises:
            ConnectionError: If a node cannot be reached, and no other has taken its place.
            ClusterDownError: If a part of the cluster is down.
            AskError: If keys are on the way from one node to another all the time.
            TryAgainError: Likewise.
        """
        found: list[_Result] = []
        left = list(keys)
        clock = asyncio.get_running_loop().time
        deadline = clock() + _ENOUGH
        while left:
            failed: list[str] = []
            for node, group in (await self._grouped(left)).items():
                try:
                    found += await work(self._client(node), group)
                except (RedisConnectionError, AskError, TryAgainError, ClusterDownError) as error:
                    if clock() > deadline or not await self._may_help(error, node, group[0]):
                        raise
                    failed += group
            left = failed
        return found

    async def servers(self) -> list[Redis]:
        """See `Nodes.servers`."""
        await self._learn()
        return [self._client(node) for node in sorted({node for _, _, node in self._slots})]

    async def close(self) -> None:
        """See `Nodes.close`."""
        for client in self._clients.values():
            await close(client)

    async def _may_help(self, error: RedisError, node: Node, key: str) -> bool:
        """Learn what has changed, and return whether to try once more."""
        if isinstance(error, MovedError):
            await self._learn()
            return True
        if isinstance(error, RedisConnectionError):  # another node may have taken its place
            await self._learn(but=node)
            return self._owner(key) != node
        await asyncio.sleep(_PAUSE)
        await self._learn()
        return True

    async def _grouped(self, keys: Sequence[str]) -> dict[Node, list[str]]:
        if not self._slots:
            await self._learn()
        groups: dict[Node, list[str]] = {}
        for key in keys:
            groups.setdefault(self._owner(key), []).append(key)
        return groups

    def _owner(self, key: str) -> Node:
        slot = key_slot(key.encode())
        for first, last, node in self._slots:
            if first <= slot <= last:
                return node
        raise ClusterDownError("no node has the slot")

    async def _learn(self, but: Node | None = None) -> None:
        """Ask a node which has what; not `but`, unless no other answers.

        Raises:
            RedisError: What the last one said, if none answers.
        """
        known = dict.fromkeys([*(node for _, _, node in self._slots), *self._seeds])
        failure: RedisError = RedisConnectionError("the cluster has no nodes")
        for node in sorted(known, key=lambda node: node == but):
            try:
                said = await self._client(node).execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
            except RedisError as error:
                log.debug("a node of the cluster does not answer: %s", error)
                failure = error
                continue
            # A node that knows no address of its own leaves it out: it is where it was asked.
            self._slots = [
                (first, last, ((host or b"").decode() or node[0], int(port)))
                for first, last, (host, port, *_), *_ in said
            ]
            return
        raise failure

    def _client(self, node: Node) -> Redis:
        if node not in self._clients:
            self._clients[node] = self._connect(node)
        return self._clients[node]


def cluster(address: SeveralServers, timeout: float) -> Cluster:
    """Return the cluster of which `address` names some nodes.

    Raises:
        ValueError: If an option of `address` cannot be read.
    """
    made = Cluster(address.nodes, lambda node: connected(address.server.at(node), timeout))
    for node in address.nodes:
        made._client(node)  # reads the options
    return made
