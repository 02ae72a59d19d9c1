"""A port, and an HTTP server on it with bounds on what its clients may cost.

Whatever of ours speaks HTTP is served so: the service, and the tools of an assistant.
"""

import errno
import os
import socket
from functools import partial
from typing import Any, cast

import uvicorn

from web.errors import Failed
from web.http.middleware.connections import Connections
from web.http.middleware.http_connection import HttpConnection
from web.http.middleware.websocket_connection import WebSocketConnection

_GRACE_SECONDS = 3
_BACKLOG = 128
_HEAD_LIMIT = 32 * 1024
"""Bytes of a request before its body."""

_ADVICE = {
    errno.EADDRINUSE: "Stop what uses it, or choose another with --port.",
    errno.EACCES: "Ports below 1024 belong to the system; choose another with --port.",
    errno.EADDRNOTAVAIL: "This machine has no such address; choose another with --host.",
}


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there.

    Raises:
        Failed: If the port is in use, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        unknown = isinstance(error, socket.gaierror)  # its numbers are not the system's
        reason = os.strerror(error.errno) if error.errno and not unknown else "no such address"
        todo = _ADVICE.get(error.errno or 0, "Choose another address with --host or --port.")
        raise Failed(f"Cannot listen on {host}:{port}: {reason}. {todo}") from None
    return listener


def server_config(
    app: Any,  # noqa: ANN401 - an ASGI application, which each framework types in its own way
    connections: Connections,
    *,
    message_limit: int = 0,
) -> uvicorn.Config:
    """Return how `app` is served, with bounds on what `connections` may cost.

    Args:
        app: An ASGI application.
        connections: Its clients.
        message_limit: Bytes of one message over a WebSocket; 0 if it has none.
    """
    bounded = cast("Any", partial)  # the server wants a class, and only ever calls it
    return uvicorn.Config(
        app,
        http=bounded(HttpConnection, connections=connections),
        ws=bounded(WebSocketConnection, connections=connections) if message_limit else "none",
        log_level="warning",
        access_log=False,  # it would keep the tickets that stand in URLs
        server_header=False,
        backlog=_BACKLOG,
        h11_max_incomplete_event_size=_HEAD_LIMIT,
        ws_max_size=message_limit,
        ws_per_message_deflate=False,  # 16 KB of it may become 16 MB, before and behind the token
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
