"""A clip store in Redis (6.2 or newer), shared by every process of the service.

memory/redis/layout.py    where what lies
memory/redis/changes.py   every change, one transaction each
memory/redis/clips.py     what is read of clips
memory/redis/records.py   which streams there are
memory/servers/nodes.py     which server has a stream
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from memory.changes import described, encoded
from memory.codec import check_thumbnail, decode, encode
from memory.errors import StreamForgotten
from memory.redis import changes
from memory.redis.clips import RedisClips
from memory.redis.disk import (
    MakeRoom,
    check_safe,
    no_reserve,
    noticed_room,
    on_a_full_disk_too,
)
from memory.redis.documents import RedisDocuments
from memory.redis.errors import ANSWERS_WITHIN, Promptness, PromptNodes, explained
from memory.redis.layout import (
    DIRECTORY,
    StreamKeys,
    done,
)
from memory.redis.raw import RawStreams
from memory.redis.recordings import RedisRecordings
from memory.redis.records import RedisRecords
from memory.servers.nodes import Nodes, OneServer
from memory.servers.open import open_nodes
from memory.store import Form, Kept, Moment, StreamRecord
from model.types import ClipTokens

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


class RedisStore:
    """Keeps clips in Redis.

    Args:
        redis: A client that returns bytes, or what knows several servers; `close` closes it.
        encoder: Names the vision encoder whose tokens are stored.
        form: How the values of clips are kept.
        exact: How many columns, at the end of a row, are kept as they are in every form.
        within: Seconds in which Redis must do what it does in a moment: all but writing a clip and
            reading many, which are given `timeout` (see `connect`).
        make_room: Finds room for a deletion on a full disk.
        replicas: How many replicas of Redis must have a clip before it counts as remembered.
    """

    def __init__(
        self,
        redis: Redis | Nodes,
        encoder: str,
        *,
        form: Form = "int8",
        exact: int = 0,
        within: float = ANSWERS_WITHIN,
        make_room: MakeRoom = no_reserve,
        replicas: int = 0,
    ) -> None:
        self._promptness = Promptness(within)
        self._nodes: Nodes = OneServer(redis) if isinstance(redis, Redis) else redis
        self._prompt = PromptNodes(self._nodes, self._promptness)
        self._clips = RedisClips(self._nodes, self._prompt, encoder)
        self._records = RedisRecords(self._nodes, self._promptness)
        self._recordings = RedisRecordings(self._prompt)
        self._encoder = encoder
        self._form: Form = form
        self._exact = exact
        self._make_room = make_room
        self._replicas = replicas

    @classmethod
    def connect(
        cls,
        url: str,
        encoder: str,
        *,
        form: Form = "int8",
        exact: int = 0,
        timeout: float = 5.0,
        within: float = ANSWERS_WITHIN,
        make_room: MakeRoom = no_reserve,
        replicas: int = 0,
    ) -> "RedisStore":
        """Return a store for the Redis at `url` (see `memory.servers.url`); the first call connects.

        An answer that takes more than `timeout` seconds, twice, counts as none. Calls beyond
        `CONNECTIONS` at once wait for one another, each for `timeout` seconds at most.

        Raises:
            ValueError: If `url` is not a Redis URL; the message does not repeat it.
        """
        return cls(
            open_nodes(url, timeout),
            encoder,
            form=form,
            exact=exact,
            within=within,
            make_room=make_room,
            replicas=replicas,
        )

    @property
    def corrupt(self) -> int:
        """How many damaged clips were passed over in reading."""
        return self._clips.corrupt

    def documents(self) -> RedisDocuments:
        """Return a document store in the same Redis; it ends with this one."""
        return RedisDocuments(self._prompt)

    def recordings(self) -> RedisRecordings:
        """See `ClipStore.recordings`."""
        return self._recordings

    def raw(self) -> RawStreams:
        """Return what reads and writes the streams as bytes; it ends with this store."""
        return RawStreams(self._nodes)

    async def check(self) -> None:
        """See `ClipStore.check`."""
        # Not PING: a Redis that cannot write to its disk refuses that, and still has the past.
        await self._prompt.run(DIRECTORY, lambda redis: done(redis.hlen(DIRECTORY)))

    async def used_bytes(self) -> int:
        """Return the memory that Redis uses, all of its servers together, whoever else they serve.

        Raises:
            StoreUnavailable: If one does not answer, or does not let us ask.
        """
        async with self._promptness.expected():
            told = [await redis.info("memory") for redis in await self._nodes.servers()]
        return sum(int(memory["used_memory"]) for memory in told)

    async def close(self) -> None:
        """Close the connections."""
        await self._nodes.close()

    async def begin(self, stream: str, now: float) -> StreamRecord:
        """See `ClipStore.begin`."""
        return await self._begin(stream, now, lambda: None)

    async def resume(self, stream: str, began: float) -> StreamRecord:
        """See `ClipStore.resume`."""

        def refuse() -> None:
            raise StreamForgotten(stream)

        return await self._begin(stream, began, refuse)

    async def append(self, stream: str, tokens: ClipTokens, thumbnail: bytes) -> ClipTokens:
        """See `ClipStore.append`.

        Raises:
            KeyError: If no process ever began the stream, or the whole store came back empty.
            StreamForgotten: If it was deleted since.
            ValueError: If the clip or its thumbnail is nothing that can be stored.
        """
        check_thumbnail(thumbnail)
        data = encode(tokens, self._encoder, self._form, self._exact)
        kept = described(tokens, data, self._form, len(thumbnail))
        keys = StreamKeys.of(stream)

        async def write(redis: Redis) -> None:
            await changes.append(redis, keys, stream, kept, data, thumbnail)
            self._promptness.answered()
            await check_safe(redis, self._replicas)

        with explained():
            await self._nodes.run(keys.record, write)
        return decode(data, self._encoder)

    async def replace(
        self,
        stream: str,
        span: Moment,
        clips: Sequence[ClipTokens],
        *,
        generation: int,
        form: Form | None = None,
    ) -> StreamRecord:
        """See `ClipStore.replace`.

        Raises:
            KeyError: If there is no such stream.
        """
        new = encoded(span, clips, self._encoder, form or self._form, self._exact)
        keys = StreamKeys.of(stream)
        with explained():
            await self._nodes.run(
                keys.record,
                lambda redis: changes.replace(
                    redis, keys, stream, span, new, generation=generation
                ),
            )
        return await self._records.known(stream)

    async def kept(self, stream: str) -> list[Kept]:
        """See `ClipStore.kept`."""
        return await self._clips.kept(stream)

    def clips(
        self, stream: str, after: float = float("-inf"), until: float = float("inf")
    ) -> AsyncIterator[ClipTokens]:
        """See `ClipStore.clips`."""
        return self._clips.tokens(stream, after, until)

    async def moments(
        self,
        stream: str,
        after: float = float("-inf"),
        limit: int = 1000,
        *,
        until: float = float("inf"),
    ) -> list[Moment]:
        """See `ClipStore.moments`."""
        return await self._clips.moments(stream, after, limit, until)

    async def thumbnail(self, stream: str, start: float) -> bytes | None:
        """See `ClipStore.thumbnail`."""
        return await self._clips.thumbnail(stream, start)

    async def find(self, stream: str) -> StreamRecord | None:
        """See `ClipStore.find`."""
        return await self._records.find(stream)

    async def streams(self, after: str = "", limit: int | None = None) -> list[StreamRecord]:
        """See `ClipStore.streams`."""
        return await self._records.page(after, limit)

    async def set_keep(self, stream: str, keep: float | None) -> StreamRecord:
        """See `ClipStore.set_keep`.

        Raises:
            KeyError: If there is no such stream.
        """
        await self.resume(stream, (await self._records.known(stream)).began)
        await self._set(stream, keep=keep)
        return await self._records.known(stream)

    async def note_asked(self, stream: str, at: float) -> None:
        """See `ClipStore.note_asked`."""
        with contextlib.suppress(KeyError):  # deleted meanwhile
            await self._set(stream, asked=at)

    async def _set(self, stream: str, **fields: float | None) -> None:
        keys = StreamKeys.of(stream)
        await self._prompt.run(
            keys.record, lambda redis: changes.set_fields(redis, keys, stream, fields)
        )

    async def forget_range(self, stream: str, since: float, until: float) -> int:
        """See `ClipStore.forget_range`."""
        keys = StreamKeys.of(stream)
        if (record := await self._records.find(stream)) is not None and record.clips:
            try:
                await self.resume(stream, record.began)
            except StreamForgotten:  # by somebody else, meanwhile
                return 0

        async def drop() -> int:
            await self._recordings.forget_range(stream, since, until)
            with explained():
                return await self._nodes.run(
                    keys.record,
                    lambda redis: changes.forget_range(redis, keys, stream, since, until),
                )

        return await self._delete(keys, drop)

    async def compact(self) -> None:
        """See `ClipStore.compact`.

        A rewrite of Redis's append-only file; one that keeps no such file has nothing to do.
        """
        async with self._promptness.expected():
            for redis in await self._nodes.servers():
                try:
                    await redis.bgrewriteaof()
                except ResponseError as error:  # it does so already, or we may not ask for it
                    log.warning("what was forgotten stays in Redis's log for now: %s", error)

    async def forget(self, stream: str) -> None:
        """See `ClipStore.forget`."""
        keys = StreamKeys.of(stream)

        async def drop() -> None:
            async with self._promptness.expected():
                # The directory last: a stream half forgotten is still listed, and can be forgotten.
                await self._nodes.run(keys.record, lambda redis: changes.forget(redis, keys))
                await self._nodes.run(DIRECTORY, lambda redis: done(redis.hdel(DIRECTORY, stream)))

        await self._delete(keys, drop)

    async def _delete(self, keys: StreamKeys, drop: Callable[[], Awaitable[_Result]]) -> _Result:
        async def noticed() -> None:
            with explained():
                await self._nodes.run(keys.record, noticed_room)

        return await on_a_full_disk_too(drop, self._make_room, noticed)

    async def _begin(
        self, stream: str, now: float, deleted_too: Callable[[], None]
    ) -> StreamRecord:
        keys = StreamKeys.of(stream)
        # A full Redis refuses a write even if it would change nothing.
        known = await self._records.find(stream)
        if known is not None and known.version > 1:
            return known
        async with self._promptness.expected():
            size = 0
            if known is not None:  # version 0.1.0 began it
                now, size = known.began, sum(kept.bytes for kept in await self.kept(stream))
            await self._nodes.run(
                keys.record,
                lambda redis: changes.begin(redis, keys, repr(now), size, deleted_too=deleted_too),
            )
            await self._nodes.run(
                DIRECTORY, lambda redis: done(redis.hsetnx(DIRECTORY, stream, repr(now)))
            )
        return await self._records.known(stream)
