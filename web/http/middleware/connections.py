"""The TCP connections of the HTTP server, of whom nobody has shown a token yet.

A connection costs a file descriptor, and everybody may open as many as they like. So there is a
bound, and a time in which a request has to come; at the bound the one that has waited longest for
a request gives way: who has something to say gets in, however many there are that only sit, or do not take their answers.
What speaks with one client is in `http_connection.py` and `websocket_connection.py` beside this file.
"""

import asyncio
from collections.abc import Iterator
from typing import Protocol

from web.http.middleware.bites import Bites
from web.http.middleware.rejections import Rejections
from web.http.middleware.untaken import Untaken

_REQUEST_SECONDS = 10.0
_TAKE_SECONDS = 20.0  # longer than a conversation waits, which can say why it ends
MOST_CONNECTIONS = 512


class Cuttable(Protocol):
    """A connection that can be cut."""

    transport: asyncio.Transport


class Connections:
    """All open connections.

    Args:
        rejections: Counts those that were cut.
        most: How many there may be.
        seconds: How long a request may take to arrive.
        take_seconds: How long a client may leave an answer untaken.
    """

    def __init__(
        self,
        rejections: Rejections,
        *,
        most: int = MOST_CONNECTIONS,
        seconds: float = _REQUEST_SECONDS,
        take_seconds: float = _TAKE_SECONDS,
    ) -> None:
        self.rejections = rejections
        self.seconds = seconds
        self.take_seconds = take_seconds
        self.bites = Bites()
        self._most = most
        self._open: set[Cuttable] = set()
        # The one that waits longest first: for a request, or for its answer to be taken.
        self._waiting: dict[Cuttable, None] = {}
        self._untaken: dict[Cuttable, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Cuttable]:
        return iter(self._open)

    def enter(self, connection: Cuttable) -> bool:
        """Count `connection`; False if there is no room, and nobody who only waits."""
        if len(self._open) >= self._most and not self._make_room():
            return False
        self._open.add(connection)
        return True

    def leave(self, connection: Cuttable) -> None:
        """Stop counting `connection`. Safe to call twice."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)
        self._untaken.pop(connection, None)

    def hand_over(self, before: Cuttable, after: Cuttable) -> None:
        """Count `after` in the place of `before`."""
        self.leave(before)
        self._open.add(after)

    def waits(self, connection: Cuttable, *, waits: bool) -> None:
        """Note whether `connection` is without a request, so that it may be cut."""
        self._waiting.pop(connection, None)
        if waits and connection in self._open:
            self._waiting[connection] = None

    def takes_nothing(self, connection: Cuttable, *, nothing: bool) -> None:
        """Note whether `connection` has an answer that its client does not take."""
        self._untaken.pop(connection, None)
        if nothing and connection in self._open:
            self._untaken[connection] = None

    def watch(self, transport: asyncio.Transport) -> Untaken:
        """Return what cuts `connection` once its client takes nothing."""
        return Untaken(
            transport,
            self.take_seconds,
            lambda: self.rejections.add("a connection that takes no answer"),
        )

    def _make_room(self) -> bool:
        for connections, what in (
            (self._waiting, "without a request"),
            (self._untaken, "that takes no answer"),
        ):
            for oldest in connections:
                self.leave(oldest)
                oldest.transport.abort()
                self.rejections.add(f"a connection {what}, for a newer one")
                return True
        return False


class Untaking(asyncio.Protocol):
    """A connection whose client is not waited for for ever."""

    transport: asyncio.Transport
    _all: "Connections"
    _untaken: Untaken

    def pause_writing(self) -> None:
        """Have what is said wait, but not for ever."""
        super().pause_writing()
        self._untaken.begin()
        self._all.takes_nothing(self, nothing=True)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        self._untaken.end()
        self._all.takes_nothing(self, nothing=False)

    def _watch_what_waits(self) -> None:
        self._untaken = self._all.watch(self.transport)
        self._untaken.watch()
