"""The questions that wait to be read: a person before a watch.

Two queues with a bound each, so that watches never fill the one in which people stand. A question in
the background starts only when no person's question waits at all, not even one whose history must
be brought up to date first, and few of them are written at once: most places are kept for people.
"""

from collections import deque
from collections.abc import Callable, Iterator

from model.engine.generation import MAX_CONCURRENT, Generator, Request
from model.errors import EngineBusy

MAX_WAITING_QUESTIONS = 32
MAX_WAITING_BACKGROUND = 32
MAX_CONCURRENT_BACKGROUND = MAX_CONCURRENT // 4
"""Answers in the background written at once."""


class Questions:
    """What waits to be read; its caller holds a lock."""

    def __init__(self) -> None:
        self._people: deque[Request] = deque()
        self._background: deque[Request] = deque()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._people) + len(self._background)

    def __iter__(self) -> Iterator[Request]:
        """Yield what waits, in the order in which it is to be served."""
        yield from self._people
        yield from self._background

    def add(self, request: Request) -> None:
        """Let `request` wait.

        Raises:
            EngineBusy: If too many of its kind wait already.
        """
        background = request.question.background
        queue = self._background if background else self._people
        if len(queue) >= (MAX_WAITING_BACKGROUND if background else MAX_WAITING_QUESTIONS):
            raise EngineBusy(f"{len(queue)} questions wait for the language model")
        queue.append(request)

    def discard(self, request: Request) -> None:
        """Let `request` wait no longer, if it does."""
        for queue in (self._people, self._background):
            if request in queue:
                queue.remove(request)

    def take(self, generator: Generator, ready: Callable[[Request], bool]) -> Request | None:
        """Return the question to read now, which waits no longer; None if there is none.

        Args:
            generator: Which writes the answers, if it has room.
            ready: Whether the history of a question's stream holds what it asks about.
        """
        if len(generator) >= MAX_CONCURRENT:
            return None
        queue = self._people or self._background
        if queue is self._background and generator.background >= MAX_CONCURRENT_BACKGROUND:
            return None
        request = next(filter(ready, queue), None)
        if request is not None:
            queue.remove(request)
        return request

    def clear(self) -> list[Request]:
        """Return all that waited; nothing does any more."""
        waiting = list(self)
        self._people.clear()
        self._background.clear()
        return waiting
