"""How a fast sender hands items to a slow receiver: the newest win.

Live video cannot wait. When a receiver falls behind, the oldest item is the one worth losing, and
every loss is counted so that it can be seen.
"""

import asyncio
from collections import deque
from types import TracebackType
from typing import Generic, TypeVar

from stream.errors import StreamClosed

_Item = TypeVar("_Item")


class Mailbox(Generic[_Item]):
    """Holds at most `capacity` items for one receiver.

        async for item in mailbox: ...

    The item taken last counts as unfinished until the next one is asked for.

    Attributes:
        lost: How many items never came to their end: they made room for newer ones, or the
            mailbox was abandoned with them.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"a mailbox needs room for one item, got {capacity=}")
        self.lost = 0
        self._items: deque[_Item] = deque(maxlen=capacity)
        self._in_hand: list[_Item] = []
        self._given = 0
        self._in_hand_number = 0
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self._finished = asyncio.Event()
        self._closed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    @property
    def full(self) -> bool:
        """Whether the next `put` loses an item."""
        return len(self._items) == self._items.maxlen

    @property
    def unfinished(self) -> list[_Item]:
        """What is in the receiver's hand, or waits, oldest first."""
        return [*self._in_hand, *self._items]

    @property
    def closed(self) -> bool:
        """Whether the sender is done."""
        return self._closed.is_set()

    def put(self, item: _Item) -> None:
        """Add `item`, losing the oldest one if there is no room. Never waits.

        What is put into a closed mailbox is lost.
        """
        if self.closed:
            self.lost += 1
            return
        self.lost += self.full
        self._items.append(item)
        self._given += 1
        self._changed.set()
        self._tell_finished()  # what was lost is

    async def get(self) -> _Item:
        """Wait for the oldest item and take it; the one taken before is finished.

        Raises:
            StreamClosed: If the mailbox is closed and empty.
        """
        self.drop()
        while not self._items:
            if self.closed:
                raise StreamClosed("nothing more comes", code="mailbox_closed")
            self._changed.clear()
            await self._changed.wait()
        self._taken.set()
        self._in_hand_number = self._given - len(self._items)
        self._in_hand = [self._items.popleft()]
        return self._in_hand[0]

    def __aiter__(self) -> "Mailbox[_Item]":
        return self

    async def __anext__(self) -> _Item:
        try:
            return await self.get()
        except StreamClosed:
            raise StopAsyncIteration from None

    def drop(self) -> int:
        """Finish the item taken last, whatever came of it, and return how many that was: 0 or 1."""
        dropped = len(self._in_hand)
        self._in_hand.clear()
        self._tell_finished()
        return dropped

    def put_back(self) -> None:
        """Let the item taken last be the next again; it is lost if newer ones fill the mailbox."""
        if self.full:
            self.lost += len(self._in_hand)
        else:
            self._items.extendleft(self._in_hand)
        self.drop()

    async def join(self) -> None:
        """Wait until no item is unfinished of those given so far; what comes later is not waited for."""
        given = self._given
        while self._oldest_unfinished < given:
            await self._finished.wait()

    @property
    def _oldest_unfinished(self) -> int:
        """How many items were given before the oldest one that is unfinished."""
        return self._in_hand_number if self._in_hand else self._given - len(self._items)

    def _tell_finished(self) -> None:
        """Wake whoever waits for items to be finished, to look again."""
        self._finished.set()
        self._finished = asyncio.Event()

    async def room(self) -> None:
        """Wait until `put` would lose nothing: for a sender that can wait, such as a file."""
        while self.full and not self.closed:
            self._taken.clear()
            await self._taken.wait()

    def close(self) -> None:
        """Let the receiver empty the mailbox, then stop it. Safe to call twice."""
        self._closed.set()
        self._changed.set()
        self._taken.set()

    async def wait_closed(self) -> None:
        """Wait until the sender is done."""
        await self._closed.wait()

    def abandon(self) -> int:
        """Close, and lose what is unfinished: nobody will take it. Return how much that was."""
        self.close()
        unfinished = len(self.unfinished)
        self.lost += unfinished
        self._items.clear()
        self.drop()
        return unfinished


class Broadcast(Generic[_Item]):
    """Hands every item to every open subscription."""

    def __init__(self, waiting: int) -> None:
        """Start without readers; for each, `waiting` items may wait."""
        self._waiting = waiting
        self._boxes: set[Mailbox[_Item]] = set()
        self._closed = False

    @property
    def readers(self) -> int:
        """How many subscriptions are open."""
        return len(self._boxes)

    def publish(self, item: _Item) -> None:
        """Tell everyone. Never waits."""
        for box in self._boxes:
            box.put(item)

    def subscribe(self) -> "Subscription[_Item]":
        """Return a subscription to what is published once it is entered."""
        return Subscription(self, Mailbox(self._waiting))

    def close(self) -> None:
        """End every subscription, also those opened later."""
        self._closed = True
        for box in self._boxes:
            box.close()

    def add(self, box: Mailbox[_Item]) -> None:
        """Begin to deliver to `box`."""
        self._boxes.add(box)
        if self._closed:
            box.close()

    def remove(self, box: Mailbox[_Item]) -> None:
        """Stop to deliver to `box`; one that is not there is fine."""
        self._boxes.discard(box)


class Subscription(Generic[_Item]):
    """News of one stream for one reader; a slow reader loses the oldest news, never memory.

        with live.subscribe() as news:
            async for event in news: ...

    The iteration ends when the stream is closed.
    """

    def __init__(self, broadcast: Broadcast[_Item], box: Mailbox[_Item]) -> None:
        self._broadcast = broadcast
        self._box = box

    @property
    def lost(self) -> int:
        """How many items this reader was too slow for."""
        return self._box.lost

    async def next(self) -> _Item:
        """Wait for the next item.

        Raises:
            StreamClosed: If the stream is closed.
        """
        return await self._box.get()

    def __enter__(self) -> "Subscription[_Item]":
        self._broadcast.add(self._box)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._broadcast.remove(self._box)

    def __aiter__(self) -> Mailbox[_Item]:
        return aiter(self._box)
