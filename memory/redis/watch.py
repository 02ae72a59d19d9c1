"""A change that looks first and then writes, whole or not at all, in few round trips.

What is watched and what is looked at go to Redis together, and so does what is then written. Not a
script, which would take one trip less: Redis users for Flashback may not run any, since a fault in
them lets whoever may take over the machine (see `web.doctor.redis_faults`).
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError, ResponseError, WatchError

from memory.errors import StoreUnavailable
from memory.redis.layout import StreamKeys

_Result = TypeVar("_Result")
_TRIES = 32
Look = tuple[str | bytes | float, ...]
"""A command that reads, and its arguments."""


class _WatchingPipeline(Pipeline):
    """A pipeline that can begin with several commands in one round trip."""

    async def look(self, keys: Sequence[str], looks: Sequence[Look]) -> list[Any]:
        """Watch `keys`, and return the replies to `looks`.

        Raises:
            ResponseError: If Redis refused one of the commands.
        """
        if self.connection is None:
            self.connection = await self.connection_pool.get_connection()  # type: ignore[no-untyped-call]
        connection = self.connection
        commands: list[Look] = [("WATCH", *keys), *looks]

        async def ask() -> list[Any]:
            await connection.send_packed_command(connection.pack_commands(commands))
            replies: list[Any] = []
            for command in commands:  # all of them, or the connection's next user gets the rest
                try:
                    replies.append(await self.parse_response(connection, str(command[0])))
                except ResponseError as error:
                    replies.append(error)
            refused = [reply for reply in replies if isinstance(reply, ResponseError)]
            if refused:
                raise refused[0]
            return replies[1:]

        async def lost(_: Exception) -> None:
            self.watching = False
            await connection.disconnect()

        return list(await connection.retry.call_with_retry(ask, lost))


async def watched(
    redis: Redis,
    keys: StreamKeys,
    change: Callable[[Pipeline, list[Any]], Awaitable[_Result]],
    looks: Sequence[Look] = (),
) -> _Result:
    """Run `change` while record and index are watched, again if they changed meanwhile.

    Args:
        redis: Has the keys.
        keys: Of the stream.
        change: Is given a pipeline and the replies to `looks`.
        looks: Commands that it needs the replies to.

    Raises:
        StoreUnavailable: If others change the stream all the time.
        RedisError: If the connection is lost or the server refuses, twice.
    """
    names = (keys.record, keys.clips, keys.deleted)
    was_lost = False
    for _ in range(_TRIES):
        pool, callbacks = redis.connection_pool, redis.response_callbacks
        async with _WatchingPipeline(pool, callbacks, transaction=True, shard_hint=None) as pipe:
            try:
                return await change(pipe, await pipe.look(names, looks))
            except WatchError as error:
                # redis-py says the same of a connection that was lost, or left as its node refused.
                if isinstance(lost := error.__context__, RedisError):
                    if was_lost:
                        raise lost from None
                    was_lost = True
    raise StoreUnavailable("other processes write to this stream all the time: try again")
