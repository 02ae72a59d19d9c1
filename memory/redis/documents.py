"""A document store in Redis (6.2 or newer), beside the clips.

    flashback:{:KIND}:order      sorted set  key -> order
    flashback:{:KIND}:documents  hash        key -> JSON
    flashback:{:KIND}:sums       hash        key and name -> number

The keys of a kind share a hash tag, so that one transaction writes several; no stream can be
called so.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from redis.asyncio import Redis

from memory.documents import LARGEST_DOCUMENT, Document, Entry
from memory.errors import StoreError
from memory.redis.errors import PromptNodes

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


class RedisDocuments:
    """Keeps documents in Redis.

    Args:
        nodes: The servers.
    """

    def __init__(self, nodes: PromptNodes) -> None:
        self._nodes = nodes

    async def put(self, kind: str, kept: Entry, keep: int) -> None:
        """See `DocumentStore.put`.

        Raises:
            StoreError: If it is larger than may be kept.
        """
        data = written(kept.document)

        async def work(redis: Redis) -> None:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.zadd(_order(kind), {kept.key: kept.order})
                pipe.hset(_documents(kind), kept.key, cast("Any", data))
                pipe.zrange(_order(kind), 0, -1 - keep)
                *_, surplus = await pipe.execute()
            if surplus:
                await _drop(redis, kind, surplus)

        await self._nodes.run(_order(kind), work)

    async def get(self, kind: str, key: str) -> Entry | None:
        """See `DocumentStore.get`."""

        async def work(redis: Redis) -> Entry | None:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.zscore(_order(kind), key)
                pipe.hget(_documents(kind), key)
                order, data = await pipe.execute()
            return None if order is None or data is None else read(kind, key, order, data)

        return await self._nodes.run(_order(kind), work)

    async def newest(self, kind: str, limit: int, after: float = float("-inf")) -> list[Entry]:
        """See `DocumentStore.newest`."""

        async def work(redis: Redis) -> list[Entry]:
            found = await redis.zrevrangebyscore(
                _order(kind), "+inf", f"({after!r}", start=0, num=limit, withscores=True
            )
            return await _read_all(redis, kind, found)

        return await self._nodes.run(_order(kind), work)

    async def lowest(self, kind: str, limit: int) -> list[Entry]:
        """See `DocumentStore.lowest`."""

        async def work(redis: Redis) -> list[Entry]:
            found = await redis.zrange(_order(kind), 0, limit - 1, withscores=True)
            return await _read_all(redis, kind, found)

        return await self._nodes.run(_order(kind), work)

    async def remove(self, kind: str, key: str) -> bool:
        """See `DocumentStore.remove`."""
        return await self._nodes.run(_order(kind), lambda redis: _drop(redis, kind, [key]))

    async def add(
        self, kind: str, key: str, amounts: Mapping[str, int], base: Mapping[str, int]
    ) -> dict[str, int]:
        """See `DocumentStore.add`."""

        async def work(redis: Redis) -> list[Any]:
            async with redis.pipeline(transaction=True) as pipe:
                for name, amount in amounts.items():
                    pipe.hsetnx(_sums(kind), f"{key} {name}", cast("Any", base[name]))
                    pipe.hincrby(_sums(kind), f"{key} {name}", amount)
                return list(await pipe.execute())

        replies = await self._nodes.run(_order(kind), work)
        return dict(zip(amounts, map(int, replies[1::2]), strict=True))

    async def sums(self, kind: str) -> dict[str, dict[str, int]]:
        """See `DocumentStore.sums`."""
        found: dict[str, dict[str, int]] = {}
        kept = await self._nodes.run(
            _order(kind), lambda redis: cast("Any", redis.hgetall(_sums(kind)))
        )
        for field, number in kept.items():
            key, _, name = field.decode().rpartition(" ")
            found.setdefault(key, {})[name] = int(number)
        return found

    async def drop_sums(self, kind: str, key: str) -> None:
        """See `DocumentStore.drop_sums`."""

        async def work(redis: Redis) -> None:
            names = await cast("Any", redis.hkeys(_sums(kind)))
            gone = [name for name in names if name.startswith(f"{key} ".encode())]
            if gone:
                await cast("Any", redis.hdel(_sums(kind), *gone))

        await self._nodes.run(_order(kind), work)

    async def count(self, kind: str) -> int:
        """See `DocumentStore.count`."""

        async def work(redis: Redis) -> int:
            return int(await redis.zcard(_order(kind)))

        return await self._nodes.run(_order(kind), work)


async def _drop(redis: Redis, kind: str, keys: list[Any]) -> bool:
    async with redis.pipeline(transaction=True) as pipe:
        pipe.zrem(_order(kind), *keys)
        pipe.hdel(_documents(kind), *keys)
        dropped, _ = await pipe.execute()
    return bool(dropped)


async def _read_all(redis: Redis, kind: str, found: Any) -> list[Entry]:  # noqa: ANN401 - as redis-py types it
    if not found:
        return []
    keys = [key.decode() for key, _ in found]
    values = await cast("Any", redis.hmget(_documents(kind), keys))
    kept = [
        read(kind, key, order, data)
        for key, (_, order), data in zip(keys, found, values, strict=True)
        if data is not None  # dropped between the two reads
    ]
    return [one for one in kept if one is not None]


def written(document: Document) -> bytes:
    """Return a document as it is kept.

    Raises:
        StoreError: If it is larger than may be kept.
    """
    data = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    if len(data) > LARGEST_DOCUMENT:
        raise StoreError(
            f"{len(data)} bytes are more than the {LARGEST_DOCUMENT} of one",
            code="document_too_large",
        )
    return data


def read(kind: str, key: str, order: float, data: bytes) -> Entry | None:
    """Return what was kept; None, and a line in the log, if that cannot be read."""
    try:
        document = json.loads(data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        log.warning("a document of kind %s is passed over: it is not JSON", kind)
        return None
    return Entry(key, float(order), document)


def _order(kind: str) -> str:
    return f"flashback:{{:{kind}}}:order"


def _sums(kind: str) -> str:
    return f"flashback:{{:{kind}}}:sums"


def _documents(kind: str) -> str:
    return f"flashback:{{:{kind}}}:documents"
