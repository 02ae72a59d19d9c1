"""A document store in Redis (6.2 or newer), beside the clips.

    flashback:{:KIND}:order      sorted set  key -> order
    flashback:{:KIND}:documents  hash        key -> JSON

The two keys of a kind share a hash tag, so that one transaction writes both; no stream can be
called so.
"""

import json
import logging
from typing import Any, cast

from redis.asyncio import Redis

from memory.documents import LARGEST_DOCUMENT, Document, DocumentTooLarge, Kept
from memory.redis_errors import Promptness

log = logging.getLogger(__name__)


class RedisDocuments:
    """Keeps documents in Redis.

    Args:
        redis: A client that returns bytes; whoever made it closes it.
        promptness: How long Redis has to answer.
    """

    def __init__(self, redis: Redis, promptness: Promptness) -> None:
        self._redis = redis
        self._promptness = promptness

    async def put(self, kind: str, kept: Kept, keep: int) -> None:
        """See `DocumentStore.put`.

        Raises:
            DocumentTooLarge: If it is larger than may be kept.
        """
        data = written(kept.document)
        async with self._promptness.expected():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zadd(_order(kind), {kept.key: kept.order})
                pipe.hset(_documents(kind), kept.key, cast("Any", data))
                pipe.zrange(_order(kind), 0, -1 - keep)
                *_, surplus = await pipe.execute()
            if surplus:
                await self._drop(kind, surplus)

    async def get(self, kind: str, key: str) -> Kept | None:
        """See `DocumentStore.get`."""
        async with self._promptness.expected(), self._redis.pipeline(transaction=True) as pipe:
            pipe.zscore(_order(kind), key)
            pipe.hget(_documents(kind), key)
            order, data = await pipe.execute()
        return None if order is None or data is None else read(kind, key, order, data)

    async def newest(self, kind: str, limit: int, after: float = float("-inf")) -> list[Kept]:
        """See `DocumentStore.newest`."""
        async with self._promptness.expected():
            found = await self._redis.zrevrangebyscore(
                _order(kind), "+inf", f"({after!r}", start=0, num=limit, withscores=True
            )
            return await self._read(kind, found)

    async def lowest(self, kind: str, limit: int) -> list[Kept]:
        """See `DocumentStore.lowest`."""
        async with self._promptness.expected():
            found = await self._redis.zrange(_order(kind), 0, limit - 1, withscores=True)
            return await self._read(kind, found)

    async def remove(self, kind: str, key: str) -> bool:
        """See `DocumentStore.remove`."""
        async with self._promptness.expected():
            return await self._drop(kind, [key])

    async def count(self, kind: str) -> int:
        """See `DocumentStore.count`."""
        async with self._promptness.expected():
            return int(await self._redis.zcard(_order(kind)))

    async def _drop(self, kind: str, keys: list[Any]) -> bool:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(_order(kind), *keys)
            pipe.hdel(_documents(kind), *keys)
            dropped, _ = await pipe.execute()
        return bool(dropped)

    async def _read(self, kind: str, found: Any) -> list[Kept]:  # noqa: ANN401 - as redis-py types it
        if not found:
            return []
        keys = [key.decode() for key, _ in found]
        values = await cast("Any", self._redis.hmget(_documents(kind), keys))
        kept = [
            read(kind, key, order, data)
            for key, (_, order), data in zip(keys, found, values, strict=True)
            if data is not None  # dropped between the two reads
        ]
        return [one for one in kept if one is not None]


def written(document: Document) -> bytes:
    """Return a document as it is kept.

    Raises:
        DocumentTooLarge: If it is larger than may be kept.
    """
    data = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    if len(data) > LARGEST_DOCUMENT:
        raise DocumentTooLarge(f"{len(data)} bytes are more than the {LARGEST_DOCUMENT} of one")
    return data


def read(kind: str, key: str, order: float, data: bytes) -> Kept | None:
    """Return what was kept; None, and a line in the log, if that cannot be read."""
    try:
        document = json.loads(data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        log.warning("a document of kind %s is passed over: it is not JSON", kind)
        return None
    return Kept(key, float(order), document)


def _order(kind: str) -> str:
    return f"flashback:{{:{kind}}}:order"


def _documents(kind: str) -> str:
    return f"flashback:{{:{kind}}}:documents"
