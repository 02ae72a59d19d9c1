"""The tools over streamable HTTP on loopback, with the bounds that the service has for its own clients.

What a client does not take, or a request that does not come, costs neither memory nor a place for long.
"""

import asyncio
import time

import uvicorn
from mcp.server import MCPServer

from web.http.middleware.connections import Connections
from web.http.middleware.rejections import Rejections
from web.http.middleware.serving import listen, server_config

_HOST = "127.0.0.1"
_MOST_SESSIONS = 256
"""Of clients that leave without ending theirs, each is kept for half an hour."""


def http_config(server: MCPServer, connections: Connections) -> uvicorn.Config:
    """Return how `server` is served at `/mcp`."""
    app = server.streamable_http_app(host=_HOST, max_sessions=_MOST_SESSIONS)
    return server_config(app, connections)


def run_http(server: MCPServer, port: int) -> None:
    """Serve on a port of loopback until stopped.

    Raises:
        Failed: If the port is in use.
    """
    with listen(_HOST, port) as listener:
        config = http_config(server, Connections(Rejections(time.monotonic)))
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
