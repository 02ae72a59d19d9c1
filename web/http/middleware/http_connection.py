"""What speaks HTTP with one client: the server's own, with bounds on what it may cost.

Whatever comes is parsed in bites (`web/http/middleware/bites.py`), and read no faster than that.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import h11
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol

from web.http.middleware.bites import LONG_BITE, take_bite
from web.http.middleware.connections import Connections, Untaking

_OVER = {h11.MUST_CLOSE, h11.CLOSED, h11.ERROR}
"""How it stands with a client from whom nothing more may come."""

_ANSWER = (
    "HTTP/1.1 {status}\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
    "Retry-After: 5\r\nContent-Length: {length}\r\n\r\n{body}"
)
_BODY = '{{"type":"about:blank","title":"{title}","status":{code},"detail":"{detail}"}}'


class _Flow(FlowControl):
    """Says when reading may go on: what was read already comes first."""

    def __init__(self, transport: asyncio.Transport, go_on: Callable[[], None]) -> None:
        super().__init__(transport)
        self._go_on = go_on

    def resume_reading(self) -> None:
        """Go on."""
        super().resume_reading()
        self._go_on()


class HttpConnection(Untaking, H11Protocol):
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
