"""Runs the service in this process until it is told to stop, and leaves nothing behind.

The port is taken before anything slow begins, so that one in use is said at once.
"""

import asyncio
import errno
import gc
import logging
import resource
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from fastapi import FastAPI

from web.access.tokens import TokenFile
from web.app import create_app
from web.cli.stopping_server import StoppingServer
from web.composition.opening import open_services
from web.errors import BadValue, Failed
from web.http.middleware.connections import MOST_CONNECTIONS, Connections
from web.http.middleware.rejections import Rejections, ServerComplaints
from web.http.middleware.serving import listen, server_config
from web.operations.heap import Heap, glibc_trim
from web.operations.log_lines import log_as_json
from web.operations.pulse import Pulse
from web.realtime.connection import RECEIVE_LIMIT
from web.settings import Settings

_FILES_WANTED = 16_384

_Companion = Callable[[str], Awaitable[None]]


def take_port(settings: Settings) -> socket.socket:
    """Return a socket that listens where the settings say.

    Raises:
        Failed: If the port is in use, or the address is not this machine's.
    """
    return listen(settings.host, settings.port)


def _address_of(listener: socket.socket) -> str:
    """Return the URL under which this machine reaches `listener`."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(
    settings: Settings,
    listener: socket.socket,
    companion: _Companion,
    progress: Callable[[str], None],
) -> None:
    """Serve on `listener` until a signal; once ready, run `companion` with our address.

    Args:
        settings: What was set from outside.
        listener: Where to serve, see `take_port`.
        companion: Runs beside the server once it is ready; ended with it.
        progress: Told in words what is being done until then.

    Raises:
        Failed: If the model, the memory or the companion fails, or no token can be read.
    """
    try:
        await asyncio.to_thread(TokenFile(settings.tokens_at).read)
    except BadValue as error:
        raise Failed(str(error)) from None
    failures: list[Exception] = []
    server: StoppingServer

    def fail(error: Exception) -> None:
        failures.append(error)
        server.should_exit = True

    opening = partial(open_services, settings, progress=progress)
    app = create_app(settings, opening, on_failure=fail)
    most = most_connections(settings.max_connections, raise_file_limit())
    rejections: Rejections = app.state.rejections
    connections = Connections(rejections, most=most)
    config = server_config(app, connections, message_limit=RECEIVE_LIMIT)
    if settings.log == "json":
        log_as_json()  # after uvicorn has set up its own
    server = StoppingServer(config, app)
    logging.getLogger("uvicorn.error").addFilter(ServerComplaints(rejections))
    asyncio.get_running_loop().set_exception_handler(partial(tell_once, rejections))
    accompanying = asyncio.create_task(_accompany(app, companion, _address_of(listener)))
    accompanying.add_done_callback(lambda task: _tell(task, fail))
    try:
        await server.serve(sockets=[listener])
    finally:
        accompanying.cancel()
        await asyncio.wait([accompanying])
    if failures:
        raise Failed(_in_words(failures[0])) from failures[0]


def raise_file_limit() -> int:
    """Let this process open as many files as the system allows, in reason; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_WANTED if hard == resource.RLIM_INFINITY else min(_FILES_WANTED, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _FILES_WANTED if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def most_connections(websockets: int, files: int) -> int:
    """Return how many connections there may be, so that `files` suffice for all else, too."""
    return min(max(MOST_CONNECTIONS, 2 * websockets), files // 2)


def tell_once(
    rejections: Rejections, loop: asyncio.AbstractEventLoop, context: dict[str, Any]
) -> None:
    """Log what goes wrong in the event loop; for want of files, not once for every connection."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
        rejections.add("a connection for which there is no file descriptor left")
    else:
        loop.default_exception_handler(context)


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"Cannot use {error.filename}: {error.strerror}."
    return str(error)


async def _accompany(app: FastAPI, companion: _Companion, address: str) -> None:
    opened: asyncio.Event = app.state.opened
    await opened.wait()
    spare_what_is_loaded()
    pulse: Pulse = app.state.pulse
    giving_back = asyncio.create_task(Heap(pulse.rss_bytes, glibc_trim()).run())
    try:
        await companion(address)
        await giving_back
    finally:
        giving_back.cancel()


def spare_what_is_loaded() -> None:
    """Leave what is there by now, libraries and model, out of all collections of garbage to come.

    A collection looks at every object that there is, on whatever thread has made the one too many, and
    nothing else runs meanwhile: over what a start leaves, that takes a sixth of a second.
    """
    gc.collect()
    gc.freeze()


def _tell(task: asyncio.Task[None], fail: Callable[[Exception], None]) -> None:
    if not task.cancelled() and isinstance(error := task.exception(), Exception):
        fail(error)
