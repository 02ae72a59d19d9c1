"""A clip store in Redis (6.2 or newer), shared by every process of the service.

    flashback:streams              hash        stream -> began, Unix seconds
    flashback:{stream}:clips       sorted set  start and end, scored by start
    flashback:{stream}:tokens      hash        start -> clip tokens (see `memory.codec`)
    flashback:{stream}:thumbnails  hash        start -> JPEG

The three keys of a stream share the hash tag `{stream}`: they live on one node of a cluster, so
that a clip is written by one transaction, whole or not at all.
"""

import logging
import struct
from collections.abc import AsyncIterator
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis

from memory.codec import CorruptClip, check_thumbnail, decode, encode
from memory.redis_disk import check_on_disk
from memory.redis_errors import ANSWERS_WITHIN, Promptness, explained
from memory.redis_retry import OnceMore
from memory.store import Moment, StoreUnavailable, StreamRecord
from model.types import ClipTokens

log = logging.getLogger(__name__)

PAGE = 32  # clips read at once: about 4 MB of the largest encoder's
CONNECTIONS = 32
_DIRECTORY = "flashback:streams"
_NOT_OURS = "Redis holds something under our keys that this version did not write"
_SPAN, _START = struct.Struct("<dd"), struct.Struct("<d")


class RedisStore:
    """Keeps clips in Redis.

    Args:
        redis: A client that returns bytes; `close` closes it.
        encoder: Names the vision encoder whose tokens are stored.
        within: Seconds in which Redis must do what it does in a moment: all but writing a clip and
            reading many, which are given `patience` (see `connect`).

    Attributes:
        corrupt: How many damaged clips were passed over in reading.
    """

    def __init__(self, redis: Redis, encoder: str, *, within: float = ANSWERS_WITHIN) -> None:
        self.corrupt = 0
        self._promptness = Promptness(within)
        self._redis = redis
        self._encoder = encoder

    @classmethod
    def connect(
        cls, url: str, encoder: str, *, patience: float = 5.0, within: float = ANSWERS_WITHIN
    ) -> "RedisStore":
        """Return a store for the Redis at `url`; the first call of a method connects.

        An answer that takes more than `patience` seconds, twice, counts as none. Calls beyond
        `CONNECTIONS` at once wait for one another, each for `patience` seconds at most.

        Raises:
            ValueError: If `url` is not a Redis URL; the message does not repeat it.
        """
        try:
            retry = OnceMore()
            pool = retry.pool = BlockingConnectionPool.from_url(
                url,
                timeout=patience,
                socket_timeout=patience,
                socket_connect_timeout=patience,
                retry=retry,
                max_connections=CONNECTIONS,
                # Else every connection reads the package's metadata from disk, on the event loop.
                driver_info=None,
            )
        except ValueError:
            # The URL may hold a password, and so may the parser's message.
            raise ValueError(
                "the Redis URL cannot be read: it looks like redis://[user:password@]host:port/0, "
                "rediss://… with TLS, or unix:///path/to/redis.sock"
            ) from None
        return cls(Redis.from_pool(pool), encoder, within=within)

    async def check(self) -> None:
        """See `ClipStore.check`."""
        async with self._promptness.expected():
            # Not PING: a Redis that cannot write to its disk refuses that, and still has the past.
            await _done(self._redis.hlen(_DIRECTORY))

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def begin(self, stream: str, now: float) -> StreamRecord:
        """See `ClipStore.begin`."""
        # A full Redis refuses a write even if it would change nothing.
        if (known := await self.find(stream)) is not None:
            return known
        async with self._promptness.expected():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hsetnx(_DIRECTORY, stream, repr(now))
                pipe.hget(_DIRECTORY, stream)
                _, stored = await pipe.execute()
            [record] = await self._records([stream], [stored])
        return record

    async def append(self, stream: str, tokens: ClipTokens, thumbnail: bytes) -> None:
        """See `ClipStore.append`.

        Raises:
            KeyError: If no process ever began the stream, or it was forgotten since.
            ValueError: If the clip or its thumbnail is nothing that can be stored.
        """
        check_thumbnail(thumbnail)
        data, start = encode(tokens, self._encoder), _field(tokens.start)
        with explained():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zremrangebyscore(_clips(stream), tokens.start, tokens.start)
                pipe.zadd(_clips(stream), {_SPAN.pack(tokens.start, tokens.end): tokens.start})
                pipe.hset(_tokens(stream), cast("Any", start), cast("Any", data))
                pipe.hset(_thumbnails(stream), cast("Any", start), cast("Any", thumbnail))
                await pipe.execute()
            # Asked afterwards: a stream that another process forgets meanwhile leaves nothing.
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hexists(_DIRECTORY, stream)
                pipe.info("persistence")
                known, persistence = await pipe.execute(raise_on_error=False)
            if isinstance(known, Exception):
                raise known
            self._promptness.answered()
            if not known:
                await self._unlink(stream)
                raise KeyError(stream)
            await check_on_disk(persistence, self._persistence)

    async def clips(
        self, stream: str, after: float = float("-inf"), until: float = float("inf")
    ) -> AsyncIterator[ClipTokens]:
        """See `ClipStore.clips`."""
        while True:
            with explained():
                spans = await self._redis.zrangebyscore(
                    _clips(stream), f"({after!r}", until, start=0, num=PAGE
                )
                if not spans:
                    return
                starts = [_moment(span).start for span in spans]
                found = await _done(
                    self._redis.hmget(_tokens(stream), cast("Any", list(map(_field, starts))))
                )
            for start, data in zip(starts, found, strict=True):
                tokens = self._read(stream, start, data)
                if tokens is not None:
                    yield tokens
            after = starts[-1]

    async def moments(
        self,
        stream: str,
        after: float = float("-inf"),
        limit: int = 1000,
        *,
        until: float = float("inf"),
    ) -> list[Moment]:
        """See `ClipStore.moments`."""
        if limit < 1:
            return []
        async with self._promptness.expected():
            spans = await self._redis.zrevrangebyscore(
                _clips(stream), until, f"({after!r}", start=0, num=limit
            )
        return [_moment(span) for span in reversed(spans)]

    async def thumbnail(self, stream: str, start: float) -> bytes | None:
        """See `ClipStore.thumbnail`."""
        async with self._promptness.expected():
            found = await _done(self._redis.hget(_thumbnails(stream), cast("Any", _field(start))))
        return cast("bytes | None", found)

    async def find(self, stream: str) -> StreamRecord | None:
        """See `ClipStore.find`."""
        async with self._promptness.expected():
            stored = await _done(self._redis.hget(_DIRECTORY, stream))
            if stored is None:
                return None
            [record] = await self._records([stream], [stored])
        return record

    async def streams(self, after: str = "", limit: int | None = None) -> list[StreamRecord]:
        """See `ClipStore.streams`."""
        async with self._promptness.expected():
            began = await _done(self._redis.hgetall(_DIRECTORY))
            page = sorted(name for name in began if name > after.encode())[:limit]
            return await self._records([name.decode() for name in page], [began[k] for k in page])

    async def forget(self, stream: str) -> None:
        """See `ClipStore.forget`."""
        async with self._promptness.expected():
            # The directory last: a stream half forgotten is still listed, and can be forgotten.
            await self._unlink(stream)
            await _done(self._redis.hdel(_DIRECTORY, stream))

    async def _persistence(self) -> object:
        return await self._redis.info("persistence")

    async def _unlink(self, stream: str) -> None:
        await self._redis.unlink(_clips(stream), _tokens(stream), _thumbnails(stream))

    async def _records(self, names: list[str], began: list[bytes]) -> list[StreamRecord]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.zcard(_clips(name))
                pipe.zrange(_clips(name), -1, -1)
            replies = await pipe.execute()
        return [
            StreamRecord(name, _began(at), clips, end=_moment(last[0]).end if last else None)
            for name, at, clips, last in zip(names, began, replies[::2], replies[1::2], strict=True)
        ]

    def _read(self, stream: str, start: float, data: bytes | None) -> ClipTokens | None:
        if data is None:  # forgotten between the two reads
            return None
        try:
            return decode(data, self._encoder)
        except CorruptClip as error:
            self.corrupt += 1
            log.warning("stream %s: the clip at %s s is passed over: %s", stream, start, error)
            return None


async def _done(reply: Any) -> Any:  # noqa: ANN401 - redis-py types one method for both worlds
    return await reply


def _moment(span: Any) -> Moment:  # noqa: ANN401 - redis-py promises more types than it returns
    try:
        return Moment(*_SPAN.unpack(span))
    except struct.error:
        raise StoreUnavailable(_NOT_OURS) from None


def _began(stored: bytes) -> float:
    try:
        return float(stored)
    except ValueError:
        raise StoreUnavailable(_NOT_OURS) from None


def _field(start: float) -> bytes:
    return _START.pack(start + 0.0)  # minus zero is zero


def _clips(stream: str) -> str:
    return f"flashback:{{{stream}}}:clips"


def _tokens(stream: str) -> str:
    return f"flashback:{{{stream}}}:tokens"


def _thumbnails(stream: str) -> str:
    return f"flashback:{{{stream}}}:thumbnails"
