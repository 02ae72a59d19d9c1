"""What goes out over one WebSocket: whole events, one after another, as fast as the client takes them."""

import asyncio

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from web.realtime.server_events import ServerEvent


class Outbox:
    """Sends events; whoever has one waits until it is taken, so nothing is queued.

    Args:
        socket: To the client.
        timeout: Seconds after which a client that takes nothing is given up.
    """

    def __init__(self, socket: WebSocket, timeout: float) -> None:
        self._socket = socket
        self._timeout = timeout
        self._one_at_a_time = asyncio.Lock()

    async def send(self, event: ServerEvent) -> None:
        """Send `event` once all before it are taken.

        Raises:
            WebSocketDisconnect: If the client has left.
            TimeoutError: If it takes nothing.
        """
        async with asyncio.timeout(self._timeout), self._one_at_a_time:
            if self._socket.application_state is WebSocketState.DISCONNECTED:
                raise WebSocketDisconnect(1006)  # another of our tasks has found out
            await self._socket.send_text(event.model_dump_json())
