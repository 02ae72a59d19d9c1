"""Which streams Redis knows, and the record of each."""

from collections.abc import Mapping, Sequence

from redis.asyncio import Redis

from memory.redis.errors import Promptness
from memory.redis.layout import DIRECTORY, StreamKeys, done, old_record, record_of
from memory.servers.nodes import Nodes
from memory.store import StreamRecord


class RedisRecords:
    """Reads the records of streams.

    Args:
        nodes: The servers.
        promptness: How long they have for an answer.
    """

    def __init__(self, nodes: Nodes, promptness: Promptness) -> None:
        self._nodes = nodes
        self._promptness = promptness

    async def find(self, stream: str) -> StreamRecord | None:
        """Return the record of `stream`; None if there is no such stream."""
        async with self._promptness.expected():
            began = await self._nodes.run(
                DIRECTORY, lambda redis: done(redis.hget(DIRECTORY, stream))
            )
            found = [] if began is None else await self._read({stream: began})
            return found[0] if found else None

    async def page(self, after: str, limit: int | None) -> list[StreamRecord]:
        """Return the records of the streams whose names come after `after`, by name."""
        async with self._promptness.expected():
            began = await self._nodes.run(DIRECTORY, lambda redis: done(redis.hgetall(DIRECTORY)))
            page = sorted(name for name in began if name > after.encode())[:limit]
            return await self._read({name.decode(): began[name] for name in page})

    async def known(self, stream: str) -> StreamRecord:
        """Return the record of `stream`.

        Raises:
            KeyError: If there is no such stream.
        """
        if (record := await self.find(stream)) is None:
            raise KeyError(stream)
        return record

    async def _read(self, began: dict[str, bytes]) -> list[StreamRecord]:
        streams = {StreamKeys.of(stream).record: stream for stream in began}

        async def read(redis: Redis, keys: Sequence[str]) -> list[StreamRecord]:
            return await _read_records(redis, {streams[key]: began[streams[key]] for key in keys})

        found = await self._nodes.spread(list(streams), read)
        return sorted(found, key=lambda record: record.name)


async def _read_records(redis: Redis, began: Mapping[str, bytes]) -> list[StreamRecord]:
    """Return the records of streams that the directory lists, but for those deleted since."""
    async with redis.pipeline(transaction=False) as pipe:
        for keys in map(StreamKeys.of, began):
            pipe.hgetall(keys.record)
            pipe.exists(keys.deleted)
            pipe.zcard(keys.clips)
            pipe.zrange(keys.clips, -1, -1)
        replies = await pipe.execute()
    found = []
    for number, (stream, at) in enumerate(began.items()):
        stored, deleted, clips, last = replies[4 * number : 4 * number + 4]
        if stored:
            found.append(record_of(stream, stored, clips, last))
        elif (
            clips and not deleted
        ):  # without any, its deletion was cut short before this list's end
            found.append(old_record(stream, at, clips, last))
    return found
