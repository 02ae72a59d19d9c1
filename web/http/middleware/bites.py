"""What has come over all connections, parsed a bite at a time.

The event loop hands over whatever has arrived, on every connection, within one of its turns: hundreds
of clients who send together, or one who sends much that is dear to parse, would have all others wait
for the sum. So each has one bite of what it sent parsed, in the order in which they came, and a turn
of the loop takes so many bites and no more.
"""

import asyncio
from collections.abc import Callable

BITES_PER_TURN = 16
LONG_BITE = 64 * 1024
"""Bytes at most of one bite."""
_SHORT_BITE = 2 * 1024
_MOST_LINES = 128


class Bites:
    """The connections that have something to be parsed, the one that waits longest first.

    Args:
        per_turn: Bites in one turn of the event loop.
    """

    def __init__(self, per_turn: int = BITES_PER_TURN) -> None:
        self._per_turn = per_turn
        self._waiting: dict[Callable[[], None], None] = {}
        self._due: asyncio.Handle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, bite: Callable[[], None]) -> None:
        """Have `bite` called once, when it is its turn; if it waits already, that counts."""
        self._waiting[bite] = None
        if self._due is None:
            self._due = asyncio.get_running_loop().call_soon(self._turn)

    def remove(self, bite: Callable[[], None]) -> None:
        """Do not call `bite` any more. Safe to call twice."""
        self._waiting.pop(bite, None)

    def _turn(self) -> None:
        self._due = None
        loop = asyncio.get_running_loop()
        for bite in list(self._waiting)[: self._per_turn]:
            del self._waiting[bite]
            loop.call_soon(bite)  # not called here: one that fails must not fail the others
        if self._waiting:
            self._due = loop.call_soon(self._turn)


def take_bite(arrived: bytearray) -> bytes:
    """Take from the front of `arrived`, which is HTTP, what costs little to parse."""
    # Lines are what costs: each header is one, each chunk of a body two. The text between costs nothing.
    short = arrived.count(b"\n", 0, LONG_BITE) > _MOST_LINES
    size = _SHORT_BITE if short else LONG_BITE
    bite = bytes(arrived[:size])
    del arrived[:size]
    return bite
