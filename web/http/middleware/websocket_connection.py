"""What speaks WebSocket with one client: the server's own, with bounds on what it may cost.

What comes is not read before its handshake was answered, and never unpacked. It is parsed in bites
(`web/http/middleware/bites.py`), and read no faster than that.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode

from web.http.middleware.bites import LONG_BITE
from web.http.middleware.connections import Connections, Untaking
from web.http.middleware.http_connection import HttpConnection

_SLICE = 8 * 1024
"""Bytes that are parsed in one go; beyond so many nothing more is read meanwhile."""
_FRAMES_PER_SLICE = 128
"""Frames in those; more are an attack: each costs as much time as a long one."""
_MOST_UNTAKEN = 1024 * 1024
"""Bytes that wait for a client while it goes on asking: pings are answered unasked."""


class WebSocketConnection(Untaking, WebSocketsSansIOProtocol):
    """A connection that speaks WebSocket, from its handshake on."""

    def __init__(self, *args: Any, connections: Connections, **more: Any) -> None:  # noqa: ANN401 - as uvicorn's
        super().__init__(*args, **more)
        self._all = connections
        self._arrived = bytearray()
        self._frames = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the place of the connection that asked for the WebSocket."""
        super().connection_made(transport)
        self._all.hand_over(cast("HttpConnection", self.transport.get_protocol()), self)
        self._watch_what_waits()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go."""
        self._untaken.end()
        self._all.bites.remove(self._bite)
        self._all.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Keep what came until it is its turn."""
        if not self.handshake_initiated:
            self._shake_hands(data)
            return
        self._arrived += data
        self._go_on()

    def eof_received(self) -> None:
        """Read what came last: the connection is closed behind this."""
        if self.handshake_complete:
            self._bite()

    def handle_events(self) -> None:
        """Pass on what was parsed."""
        self._frames += len(self.conn.events)
        if len(self.conn.events) > _FRAMES_PER_SLICE and self.handshake_complete:
            self._all.rejections.add("a flood of WebSocket frames")
            self.conn.fail(CloseCode.POLICY_VIOLATION, "too many frames")
            self.handle_parser_exception()
        else:
            super().handle_events()

    async def receive(self) -> Any:  # noqa: ANN401 - as uvicorn's
        """Return the next message; between two of them others have their turn, however many there are."""
        await asyncio.sleep(0)
        message = await super().receive()
        self._go_on()
        return message

    def _go_on(self) -> None:
        self._pace()
        if self._arrived:
            self._all.bites.add(self._bite)

    def _bite(self) -> None:
        """Parse as much of what came as costs little, up to a message that nobody has taken yet."""
        self._frames, left = 0, LONG_BITE
        while self._arrived and left > 0 and self._frames <= _FRAMES_PER_SLICE:
            if self.transport.is_closing():
                self._arrived.clear()
                return
            if self.read_paused:
                return
            if self._untaken.size > _MOST_UNTAKEN:
                self._all.rejections.add("a WebSocket that asks and takes no answer")
                self.transport.abort()
                return
            part = bytes(self._arrived[:_SLICE])
            del self._arrived[:_SLICE]
            left -= len(part)
            super().data_received(part)
        self._go_on()

    def _pace(self) -> None:
        """Read on unless a message waits to be taken, or enough to be parsed."""
        if not self.handshake_complete or self.transport.is_closing():
            return
        if self.read_paused or len(self._arrived) > _SLICE:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def keepalive_timeout(self) -> None:
        """Give up whoever answers no ping, but not while it is we who do not read the answer."""
        if self.read_paused and self.ping_timeout is not None:
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
        else:
            super().keepalive_timeout()

    async def send(self, message: Any) -> None:  # noqa: ANN401 - as uvicorn's
        """Send; what the client says is read once it was let in.

        Raises:
            ClientDisconnected: If the connection is being closed.
        """
        await self.writable.wait()
        if self.close_sent and message["type"] == "websocket.send":
            raise ClientDisconnected
        await super().send(message)
        if message["type"] in {"websocket.accept", "websocket.close"}:
            self._go_on()

    def _shake_hands(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None:
            # Refused before our code saw it; what was to be said stands in the buffer.
            self._all.rejections.add("a WebSocket handshake that cannot be read")
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
        elif not self.handshake_complete:
            self.transport.pause_reading()
