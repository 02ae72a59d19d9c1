"""What speaks HTTP and WebSocket with one client: the server's own, with bounds on what it may cost.

What comes over a WebSocket is not read before its handshake was answered, and never unpacked.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode

from web.http.middleware.connections import Connections
from web.http.middleware.untaken import Untaken

_SLICE = 8 * 1024
"""Bytes of a WebSocket that are parsed in one go."""
_FRAMES_PER_SLICE = 128
"""Frames in those; more are an attack: each costs as much time as a long one."""
_MOST_UNTAKEN = 1024 * 1024
"""Bytes that wait for a WebSocket's client while it goes on asking: pings are answered unasked."""

_ANSWER = (
    "HTTP/1.1 {status}\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
    "Retry-After: 5\r\nContent-Length: {length}\r\n\r\n{body}"
)
_BODY = '{{"type":"about:blank","title":"{title}","status":{code},"detail":"{detail}"}}'


class _Untaking(asyncio.Protocol):
    """A connection whose client is not waited for for ever."""

    transport: asyncio.Transport
    _all: Connections
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


class HttpConnection(_Untaking, H11Protocol):
    """A connection that speaks HTTP, until it asks for a WebSocket."""

    def __init__(self, *args: Any, connections: Connections, **more: Any) -> None:  # noqa: ANN401 - as uvicorn's
        super().__init__(*args, **more)
        self._all = connections
        self._late: asyncio.TimerHandle | None = None
        self._begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or refuse it in words."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._watch_what_waits()
        if self._all.enter(self):
            self._wait()
        else:
            self._refuse(503, "Service Unavailable", "Too many connections; try again soon.")
            self._all.rejections.add("a connection too many")

    def data_received(self, data: bytes) -> None:
        """Read on, and see whether a request is there now."""
        self._begun = True
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Wait for the next request, which may be there already."""
        super().on_response_complete()
        self._stop_waiting()
        self._begun = False
        if self.cycle.response_complete and not self.transport.is_closing():
            # Until the first byte of the next request the server's keep-alive limit holds.
            self._all.waits(self, waits=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go."""
        self._stop_waiting()
        self._untaken.end()
        self._all.leave(self)
        super().connection_lost(exc)

    def _look(self) -> None:
        upgraded = self.transport.get_protocol() is not self
        answering = self.cycle is not None and not self.cycle.response_complete
        if upgraded or answering or self.transport.is_closing():
            self._stop_waiting()
        else:
            self._wait()

    def _wait(self) -> None:
        self._all.waits(self, waits=True)
        if self._late is None:
            self._late = self.loop.call_later(self._all.seconds, self._too_late)

    def _stop_waiting(self) -> None:
        self._all.waits(self, waits=False)
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        if self.transport.is_closing():
            return
        self._all.rejections.add("a request that did not come in time")
        if self._begun:  # browsers open connections that they may need, and expect no word of them
            seconds = f"{self._all.seconds:g} seconds"
            self._refuse(408, "Request Timeout", f"The request did not arrive within {seconds}.")
        self.transport.close()

    def _refuse(self, code: int, title: str, detail: str) -> None:
        body = _BODY.format(title=title, code=code, detail=detail)
        answer = _ANSWER.format(status=f"{code} {title}", length=len(body), body=body)
        self.transport.write(answer.encode())
        self.transport.close()


class WebSocketConnection(_Untaking, WebSocketsSansIOProtocol):
    """A connection that speaks WebSocket, from its handshake on."""

    def __init__(self, *args: Any, connections: Connections, **more: Any) -> None:  # noqa: ANN401 - as uvicorn's
        super().__init__(*args, **more)
        self._all = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the place of the connection that asked for the WebSocket."""
        super().connection_made(transport)
        self._all.hand_over(cast("HttpConnection", self.transport.get_protocol()), self)
        self._watch_what_waits()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go."""
        self._untaken.end()
        self._all.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse `data`, but never so many frames of it that the event loop stands still."""
        if self.handshake_initiated:
            if self._untaken.size > _MOST_UNTAKEN:
                self._all.rejections.add("a WebSocket that asks and takes no answer")
                self.transport.abort()
                return
            for start in range(0, len(data), _SLICE):
                if self.transport.is_closing():
                    return
                super().data_received(data[start : start + _SLICE])
        else:
            self._shake_hands(data)

    def handle_events(self) -> None:
        """Pass on what was parsed."""
        if len(self.conn.events) > _FRAMES_PER_SLICE and self.handshake_complete:
            self._all.rejections.add("a flood of WebSocket frames")
            self.conn.fail(CloseCode.POLICY_VIOLATION, "too many frames")
            self.handle_parser_exception()
        else:
            super().handle_events()

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
        if message["type"] == "websocket.accept":
            self.transport.resume_reading()

    def _shake_hands(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None:
            # Refused before our code saw it; what was to be said stands in the buffer.
            self._all.rejections.add("a WebSocket handshake that cannot be read")
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
        elif not self.handshake_complete:
            self.transport.pause_reading()
