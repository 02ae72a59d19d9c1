"""Looks up names without holding anybody up.

The system's resolver cannot be interrupted: of a name whose servers are silent it gives up after
half a minute. In the threads that all of the service shares a few such names would stop every
stream, so each lookup has a thread of its own; how many there are is bounded.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from stream.errors import BadSource

Resolver = Callable[[str, int], Sequence[str]]

_MOST_LOOKUPS = 64
"""More than sources and tests that a service takes by default."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question to a resolver.

    Attributes:
        resolver: Who is asked; blocks, and gives nothing for a name nobody knows.
        host: The name.
        port: Goes with it.
    """

    resolver: Resolver
    host: str
    port: int


class Lookups:
    """The lookups that are running.

    One that was given up goes on in its thread until the system lets go of it, and keeps its place
    so long. Who asks the same again meanwhile waits for that one, so a source holds one place at
    most. Without a free place nobody waits: the lookup fails at once. For one event loop at a time.
    """

    def __init__(self, most: int = _MOST_LOOKUPS) -> None:
        """Have at most `most` of them."""
        self._most = most
        # Put in by the event loop alone; threads only take theirs out.
        self._running: dict[Lookup, Future[Sequence[str]]] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._running)

    async def find(self, lookup: Lookup, within: float) -> Sequence[str]:
        """Return the answer to `lookup`.

        Raises:
            BadSource: If it takes longer than `within` seconds, or too many are running.
        """
        answer = self._running.get(lookup) or self._begin(lookup)
        try:
            async with asyncio.timeout(within):
                return await asyncio.wrap_future(answer)
        except TimeoutError:
            raise BadSource(
                f"The name {lookup.host} was not found within {within:g} seconds: this machine's "
                "name server does not answer."
            ) from None

    def _begin(self, lookup: Lookup) -> Future[Sequence[str]]:
        if len(self._running) >= self._most:
            raise BadSource(
                "Too many names are being looked up: this machine's name server is slow."
            )
        answer: Future[Sequence[str]] = Future()
        answer.set_running_or_notify_cancel()  # who gives up cancels nothing
        # Not of a pool, which the interpreter would wait for at its end.
        thread = threading.Thread(target=self._run, args=(lookup, answer), daemon=True)
        self._running[lookup] = answer
        try:
            thread.start()
        except RuntimeError:
            del self._running[lookup]
            raise BadSource("No name can be looked up: this machine has no threads left.") from None
        return answer

    def _run(self, lookup: Lookup, answer: Future[Sequence[str]]) -> None:
        found: Sequence[str] = ()
        try:
            found = lookup.resolver(lookup.host, lookup.port)
        finally:
            self._running.pop(lookup, None)
            answer.set_result(found)
