"""What speaks HTTP and WebSocket with one client: the server's own, with bounds on what it may cost.

What comes over a WebSocket is not read before its handshake was answered, and never unpacked. Whatever comes
is parsed in bites (`web/http/middleware/bites.py`), and read no faster than that.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import h11
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode

from web.http.middleware.bites import LONG_BITE, take_bite
from web.http.middleware.connections import Connections
from web.http.middleware.untaken import Untaken

_SLICE = 8 * 1024
"""Bytes of a WebSocket that are parsed in one go; beyond so many nothing more is read meanwhile."""
_FRAMES_PER_SLICE = 128
"""Frames in those; more are an attack: each costs as much time as a long one."""
_MOST_UNTAKEN = 1024 * 1024
"""Bytes that wait for a WebSocket's client while it goes on asking: pings are answered unasked."""

_OVER = {h11.MUST_CLOSE, h11.CLOSED, h11.ERROR}
"""How it stands with a client from whom nothing more may come."""

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


class _Flow(FlowControl):
    """Says when reading may go on: what was read already comes first."""

    def __init__(self, transport: asyncio.Transport, go_on: Callable[[], None]) -> None:
        super().__init__(transport)
        self._go_on = go_on

    def resume_reading(self) -> None:
        """Go on."""
        super().resume_reading()
        self._go_on()


class HttpConnection(_Untaking, H11Protocol):
    """A connection that speaks HTTP, until it asks for a WebSocket."""

    def __init__(self, *args: Any, connections: Connections, **more: Any) -> None:  # noqa: ANN401 - as uvicorn's
        super().__init__(*args, **more)
        self._all = connections
        self._late: asyncio.TimerHandle | None = None
        self._begun = False
        self._arrived = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or refuse it in words."""
        super().connection_made(cast("asyncio.Transport", transport))
        self.flow = _Flow(self.transport, self.handle_events)
        self._watch_what_waits()
        if self._all.enter(self):
            self._wait()
        else:
            self._refuse(503, "Service Unavailable", "Too many connections; try again soon.")
            self._all.rejections.add("a connection too many")

    def data_received(self, data: bytes) -> None:
        """Keep what came until it is its turn."""
        self._begun = True
        self._unset_keepalive_if_required()
        self._arrived += data
        self.handle_events()

    def eof_received(self) -> None:
        """Begin the request that came last: the connection is closed behind this."""
        self._bite()

    def handle_events(self) -> None:
        """Have what is there parsed when it is its turn."""
        self._pace()
        self._all.bites.add(self._bite)

    def on_response_complete(self) -> None:
        """Wait for the next request, which may be there already."""
        super().on_response_complete()
        self._stop_waiting()
        self._begun = bool(self._arrived or self.conn.trailing_data[0])
        if self.cycle.response_complete and not self.transport.is_closing():
            # Until the first byte of the next request the server's keep-alive limit holds.
            self._all.waits(self, waits=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go."""
        self._stop_waiting()
        self._untaken.end()
        self._all.bites.remove(self._bite)
        self._all.leave(self)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, unless there is an answer already."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            super().send_400_response(msg)
        else:
            self.transport.close()

    def _bite(self) -> None:
        """Parse a bite of what came, up to the end of one request, and see whether that is there now."""
        if self.conn.their_state in _OVER or self.transport.is_closing() or self._upgraded:
            self._arrived.clear()
            return
        if self._arrived and self._parses:
            self.conn.receive_data(take_bite(self._arrived))
        super().handle_events()
        self._look()
        if self._upgraded:
            return
        self._pace()
        if self._arrived and self._parses:
            self._all.bites.add(self._bite)

    @property
    def _parses(self) -> bool:
        """Whether more may be parsed: not while a request is answered, or its body is not taken."""
        return not self.flow.read_paused and self.conn.their_state in {h11.IDLE, h11.SEND_BODY}

    @property
    def _upgraded(self) -> bool:
        return self.transport.get_protocol() is not self

    def _pace(self) -> None:
        """Read on unless enough waits to be parsed."""
        if self.flow.read_paused or len(self._arrived) > (LONG_BITE if self._parses else 0):
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _look(self) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if self._upgraded or answering or self.transport.is_closing():
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
