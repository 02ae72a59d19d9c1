"""What was sent to a client and is not taken: it costs memory and a place, so it is not kept for ever.

A client that reads nothing costs itself nothing. What does not fit into the system's buffers waits
in the transport, and the answer's author, or the closing of the connection, waits with it.
"""

import asyncio
from collections.abc import Callable

_LEAST_BYTES = 16 * 1024
"""Taken in each period by whoever takes anything at all: less than a kilobyte a second."""


class Untaken:
    """Watches one transport, and cuts it once its client takes nothing.

    Args:
        transport: What is watched.
        seconds: How long its client may take nothing.
        cut: Called before it is cut.
    """

    def __init__(
        self, transport: asyncio.Transport, seconds: float, cut: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._seconds = seconds
        self._cut = cut
        self._before = 0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """Have the transport tell its protocol of whatever has to wait, perhaps at once."""
        # Also what waits behind a close is watched. Not 0: encrypted transports pause at this size, not
        # above it, and would never let anything be written.
        self._transport.set_write_buffer_limits(high=1)

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._transport.get_write_buffer_size()

    def begin(self) -> None:
        """Note that something waits from now on."""
        self.end()
        self._before = self.size
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._seconds, self._look)

    def end(self) -> None:
        """Note that nothing waits any more. Safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        if self.size <= self._before - _LEAST_BYTES:
            self.begin()
            return
        self._timer = None
        self._cut()
        self._transport.abort()
