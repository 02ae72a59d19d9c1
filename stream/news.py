"""News of a stream for whoever listens: the page, above all.

A slow reader loses the oldest news, never memory.
"""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Generic, TypeVar

from stream.mailbox import Closed, Mailbox

Item = TypeVar("Item")


class Broadcast(Generic[Item]):
    """Hands every item to every open subscription."""

    def __init__(self, waiting: int) -> None:
        """Start without readers; for each, `waiting` items may wait."""
        self._waiting = waiting
        self._boxes: set[Mailbox[Item]] = set()
        self._closed = False

    @property
    def readers(self) -> int:
        """How many subscriptions are open."""
        return len(self._boxes)

    def publish(self, item: Item) -> None:
        """Tell everyone. Never waits."""
        for box in self._boxes:
            box.put(item)

    def subscribe(self) -> "Subscription[Item]":
        """Return a subscription to what is published once it is entered."""
        return Subscription(self, Mailbox(self._waiting))

    def close(self) -> None:
        """End every subscription, also those opened later."""
        self._closed = True
        for box in self._boxes:
            box.close()

    def add(self, box: Mailbox[Item]) -> None:
        """Begin to deliver to `box`."""
        self._boxes.add(box)
        if self._closed:
            box.close()

    def remove(self, box: Mailbox[Item]) -> None:
        """Stop to deliver to `box`; one that is not there is fine."""
        self._boxes.discard(box)


class Subscription(Generic[Item]):
    """News of one stream for one reader; a slow reader loses the oldest news, never memory.

        with live.subscribe() as news:
            async for event in news: ...

    The iteration ends when the stream is closed.
    """

    def __init__(self, desk: Broadcast[Item], box: Mailbox[Item]) -> None:
        self._desk = desk
        self._box = box

    @property
    def lost(self) -> int:
        """How many items this reader was too slow for."""
        return self._box.lost

    async def next(self) -> Item:
        """Wait for the next item.

        Raises:
            Closed: If the stream is closed.
        """
        return await self._box.get()

    def __enter__(self) -> "Subscription[Item]":
        self._desk.add(self._box)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._desk.remove(self._box)

    async def __aiter__(self) -> AsyncIterator[Item]:
        while True:
            try:
                item = await self.next()
            except Closed:
                return
            yield item
