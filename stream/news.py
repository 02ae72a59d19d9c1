"""News of a stream for whoever listens: the page, above all.

A slow reader loses the oldest news, never memory.
"""

from collections.abc import AsyncIterator
from types import TracebackType

from stream.mailbox import Closed, Mailbox
from stream.status import StreamEvent

WAITING = 64


class NewsDesk:
    """Hands every event to every open subscription."""

    def __init__(self) -> None:
        self._boxes: set[Mailbox[StreamEvent]] = set()
        self._closed = False

    def publish(self, event: StreamEvent) -> None:
        """Tell everyone. Never waits."""
        for box in self._boxes:
            box.put(event)

    def subscribe(self) -> "Subscription":
        """Return a subscription to what is published once it is entered."""
        return Subscription(self)

    def close(self) -> None:
        """End every subscription, also those opened later."""
        self._closed = True
        for box in self._boxes:
            box.close()

    def enter(self, box: Mailbox[StreamEvent]) -> None:
        """Begin to deliver to `box`."""
        self._boxes.add(box)
        if self._closed:
            box.close()

    def leave(self, box: Mailbox[StreamEvent]) -> None:
        """Stop to deliver to `box`; one that is not there is fine."""
        self._boxes.discard(box)


class Subscription:
    """News of one stream for one reader; a slow reader loses the oldest news, never memory.

        with live.subscribe() as news:
            async for event in news: ...

    The iteration ends when the stream is closed.
    """

    def __init__(self, desk: NewsDesk) -> None:
        self._desk = desk
        self._box = Mailbox[StreamEvent](WAITING)

    @property
    def lost(self) -> int:
        """How many events this reader was too slow for."""
        return self._box.lost

    def __enter__(self) -> "Subscription":
        self._desk.enter(self._box)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._desk.leave(self._box)

    async def __aiter__(self) -> AsyncIterator[StreamEvent]:
        while True:
            try:
                event = await self._box.get()
            except Closed:
                return
            yield event
