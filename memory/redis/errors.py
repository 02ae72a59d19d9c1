"""Redis's errors in our words: what happened and what to do, without the address or password."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from redis.exceptions import OutOfMemoryError, RedisError

from memory.errors import StoreFull, StoreUnavailable
from memory.redis.disk import NO_ROOM
from memory.servers.cancelling import cancellation_kept
from memory.servers.nodes import Nodes, Work
from memory.servers.reasons import SILENT, reason, said

_Result = TypeVar("_Result")

ANSWERS_WITHIN = 2.5
"""Seconds; who asked a question should know within three that memory does not answer."""
_SILENT_JUST_NOW = 5.0
"""Seconds since a silence."""
_AGAIN = 0.1
"""Share of the time that Redis has then."""


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error of the Redis client inside the block into one of ours.

    Raises:
        StoreFull: If Redis has reached its memory limit, or cannot write to its disk.
        StoreUnavailable: If Redis cannot be reached, or refuses for any other reason.
        CancelledError: If the task was cancelled inside the block.
    """
    try:
        with cancellation_kept():
            yield
    except OutOfMemoryError as error:
        raise StoreFull(
            "Redis has reached its memory limit and keeps what it has: forget a stream, or raise "
            "the limit (maxmemory)"
        ) from error
    except RedisError as error:
        if said(error).startswith("MISCONF"):
            raise StoreFull(NO_ROOM) from error
        raise StoreUnavailable(reason(error)) from error


class Promptness:
    """How long Redis has for what it does in a moment; after that it counts as silent.

    One that was silent just now has less: calls that wait for one another, as those about one stream
    do, must not add up to more than people wait for.

    Args:
        within: Seconds.
    """

    def __init__(self, within: float) -> None:
        self._within = within
        self._silent_at = float("-inf")

    @asynccontextmanager
    async def expected(self) -> AsyncIterator[None]:
        """Like `explained`, for a block that Redis does in a moment.

        Raises:
            StoreFull: See `explained`.
            StoreUnavailable: See `explained`; also if Redis is silent.
            CancelledError: If the task was cancelled inside the block.
        """
        now = asyncio.get_running_loop().time
        again = now() - self._silent_at < _SILENT_JUST_NOW
        try:
            async with asyncio.timeout(self._within * (_AGAIN if again else 1)):
                with explained():
                    yield
        except TimeoutError as error:
            self._silent_at = now()
            raise StoreUnavailable(SILENT) from error
        self.answered()

    def answered(self) -> None:
        """Give the whole time again."""
        self._silent_at = float("-inf")


class PromptNodes:
    """The servers, for what they do in a moment.

    Args:
        nodes: They; whoever made them closes them.
        promptness: How long they have.
    """

    def __init__(self, nodes: Nodes, promptness: Promptness) -> None:
        self._nodes = nodes
        self._promptness = promptness

    async def run(self, key: str, work: Work[_Result]) -> _Result:
        """See `Nodes.run`.

        Raises:
            StoreFull: See `explained`.
            StoreUnavailable: See `explained`; also if Redis is silent.
        """
        async with self._promptness.expected():
            return await self._nodes.run(key, work)
