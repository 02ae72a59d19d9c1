"""What is read of clips in Redis: their tokens a page at a time, spans, pictures, and what they take."""

import logging
from collections.abc import AsyncIterator
from typing import Any, cast

from redis.asyncio import Redis

from memory.codec import decode
from memory.errors import CorruptData
from memory.redis.changes import kept_of
from memory.redis.errors import PromptNodes, explained
from memory.redis.layout import StreamKeys, done, field, unpack_moment
from memory.servers.nodes import Nodes
from memory.store import Kept, Moment
from model.types import ClipTokens

log = logging.getLogger(__name__)

_PAGE = 32  # clips read at once: about 4 MB of the largest encoder's


class RedisClips:
    """Reads clips.

    Args:
        nodes: The servers.
        prompt: The same, for what they do in a moment.
        encoder: Names the vision encoder whose tokens are stored.

    Attributes:
        corrupt: How many damaged clips were passed over.
    """

    def __init__(self, nodes: Nodes, prompt: PromptNodes, encoder: str) -> None:
        self.corrupt = 0
        self._nodes = nodes
        self._prompt = prompt
        self._encoder = encoder

    async def kept(self, stream: str) -> list[Kept]:
        """Return what each clip of a stream takes."""
        keys = StreamKeys.of(stream)

        async def read(redis: Redis) -> list[Kept]:
            members = cast("list[bytes]", await redis.zrange(keys.clips, 0, -1))
            return [await kept_of(redis, keys, member) for member in members]

        with explained():
            return await self._nodes.run(keys.clips, read)

    async def tokens(self, stream: str, after: float, until: float) -> AsyncIterator[ClipTokens]:
        """Yield the clips that start behind `after`, up to `until`; a damaged one is passed over."""
        keys = StreamKeys.of(stream)
        while True:
            begin = after

            async def read(redis: Redis, begin: float = begin) -> list[tuple[float, bytes | None]]:
                spans = await redis.zrangebyscore(
                    keys.clips, f"({begin!r}", until, start=0, num=_PAGE
                )
                starts = [unpack_moment(span).start for span in spans]
                if not starts:
                    return []
                fields = cast("Any", list(map(field, starts)))
                return list(zip(starts, await done(redis.hmget(keys.tokens, fields)), strict=True))

            with explained():
                found = await self._nodes.run(keys.clips, read)
            if not found:
                return
            for start, data in found:
                tokens = self._read(stream, start, data)
                if tokens is not None:
                    yield tokens
            after = found[-1][0]

    async def moments(self, stream: str, after: float, limit: int, until: float) -> list[Moment]:
        """Return the newest `limit` spans that start behind `after`, up to `until`, in order."""
        if limit < 1:
            return []
        clips = StreamKeys.of(stream).clips
        spans = await self._prompt.run(
            clips,
            lambda redis: redis.zrevrangebyscore(clips, until, f"({after!r}", start=0, num=limit),
        )
        return [unpack_moment(span) for span in reversed(spans)]

    async def thumbnail(self, stream: str, start: float) -> bytes | None:
        """Return the picture of the clip that starts there; None if there is none."""
        thumbnails = StreamKeys.of(stream).thumbnails
        at = cast("Any", field(start))
        found = await self._prompt.run(thumbnails, lambda redis: done(redis.hget(thumbnails, at)))
        return cast("bytes | None", found)

    def _read(self, stream: str, start: float, data: bytes | None) -> ClipTokens | None:
        if data is None:  # forgotten between the two reads
            return None
        try:
            return decode(data, self._encoder)
        except CorruptData as error:
            self.corrupt += 1
            log.warning("stream %s: the clip at %s s is passed over: %s", stream, start, error)
            return None
