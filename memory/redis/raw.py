"""Streams in Redis as bytes, a page of clips at a time: for backups, which need no encoder."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from memory.archive import ArchivedClip
from memory.errors import PastChanged
from memory.redis import changes
from memory.redis.errors import explained
from memory.redis.layout import StreamKeys, done, field, pack_kept, unpack_moment
from memory.redis.watch import Look, watched
from memory.servers.nodes import Nodes
from memory.store import Kept, StreamRecord

PAGE = 32


class RawStreams:
    """Reads and writes what is kept of streams, as it lies there.

    Args:
        nodes: The servers; whoever made them closes them.
    """

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    async def pages(self, stream: str) -> AsyncIterator[list[ArchivedClip]]:
        """Yield the clips that there are now, oldest first, some at a time.

        Raises:
            PastChanged: If one of them was forgotten meanwhile.
        """
        keys, after = StreamKeys.of(stream), "-inf"
        newest = await self._run(keys, lambda r: done(r.zrange(keys.clips, -1, -1)))
        if not newest:
            return
        last = unpack_moment(newest[0]).start
        while page := await self._run(keys, lambda r, a=after: _page(r, keys, a, last)):
            yield page
            after = f"({page[-1].kept.start!r}"

    async def add(self, stream: str, clips: Sequence[ArchivedClip]) -> None:
        """Add clips to a stream that was begun, and has none of their times.

        Raises:
            KeyError: If it was deleted meanwhile.
        """
        keys = StreamKeys.of(stream)

        async def change(pipe: Pipeline, found: list[Any]) -> None:
            if not found[0]:
                raise KeyError(stream)
            pipe.multi()  # type: ignore[no-untyped-call]
            for clip in clips:
                at = cast("Any", field(clip.kept.start))
                pipe.hset(keys.tokens, at, cast("Any", clip.tokens))
                if clip.thumbnail:
                    pipe.hset(keys.thumbnails, at, cast("Any", clip.thumbnail))
                pipe.zadd(keys.clips, {pack_kept(clip.kept): clip.kept.start})
            pipe.hincrby(keys.record, "bytes", sum(clip.kept.bytes for clip in clips))
            await pipe.execute()

        looks: list[Look] = [("EXISTS", keys.record)]
        await self._run(keys, lambda redis: watched(redis, keys, change, looks))

    async def finish(self, record: StreamRecord, generation: int) -> None:
        """Give a stream what `record` says of it, and the number of its past.

        Args:
            record: As it was.
            generation: Higher than the one it has: what was made of it before is out of date.

        Raises:
            KeyError: If it was deleted meanwhile.
        """
        keys, stream = StreamKeys.of(record.name), record.name
        marks = {
            "keep": record.keep,
            "coarse_until": record.coarse_until,
            "folded_until": record.folded_until,
            "forgotten_until": record.forgotten_until,
        }
        known = {name: value for name, value in marks.items() if value is not None}
        fields = {"generation": generation, **known}
        await self._run(keys, lambda redis: changes.set_fields(redis, keys, stream, fields))

    async def _run(self, keys: StreamKeys, work: Any) -> Any:  # noqa: ANN401 - as `work` returns
        with explained():
            return await self._nodes.run(keys.record, work)


async def _page(redis: Redis, keys: StreamKeys, after: str, last: float) -> list[ArchivedClip]:
    members = cast(
        "list[bytes]", await redis.zrangebyscore(keys.clips, after, last, start=0, num=PAGE)
    )
    if not members:
        return []
    fields = cast("Any", [field(unpack_moment(member).start) for member in members])
    tokens = await done(redis.hmget(keys.tokens, fields))
    thumbnails = await done(redis.hmget(keys.thumbnails, fields))
    found = zip(members, tokens, thumbnails, strict=True)
    return [await _clip(redis, keys, *one) for one in found]


async def _clip(
    redis: Redis, keys: StreamKeys, member: bytes, tokens: bytes | None, thumbnail: bytes | None
) -> ArchivedClip:
    if tokens is None:
        raise PastChanged("a clip was forgotten while it was read")
    kept = await changes.kept_of(redis, keys, member)
    thumbnail = thumbnail or b""
    size = Kept(kept.start, kept.end, kept.frames, kept.form, len(tokens), len(thumbnail))
    return ArchivedClip(size, tokens, thumbnail)
