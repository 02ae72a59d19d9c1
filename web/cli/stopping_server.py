"""uvicorn, ended in good order: the first signal drains, the second does not wait for anything."""

import asyncio
import signal
import socket
from collections.abc import Coroutine
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from web.operations.drain import Drain

_LOOK_SECONDS = 0.1  # as uvicorn does: a signal handler can only set what somebody looks at


class StoppingServer(uvicorn.Server):
    """A server of `app` that drains before it stops.

    Args:
        config: How `app` is served.
        app: Ours, made by `create_app`.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app
        self._drain: Drain = app.state.drain
        self._asked = False
        self._gently = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop because of a signal: gently by SIGTERM, soon by Ctrl-C, at once by a second one."""
        super().handle_exit(sig, frame)  # keeps it, to end by it
        self.stop(gently=sig == signal.SIGTERM)

    def stop(self, *, gently: bool) -> None:
        """Begin to stop; called once more, do not wait for anything any more."""
        self.force_exit = self.force_exit or self._asked
        self._asked = self.should_exit = True
        self._gently = self._gently or gently
        self._drain.begin()

    async def main_loop(self) -> None:
        """Serve until the end is asked for, and until everything has been drained."""
        await super().main_loop()
        if self._gently:
            await self._unless_forced(self._drain.run(self._app.state.services))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close connections and services; forced, the connections alone."""
        closing = super().shutdown(sockets)
        await (closing if self.force_exit else self._unless_forced(closing))

    async def _unless_forced(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        while not task.done() and not self.force_exit:
            await asyncio.wait([task], timeout=_LOOK_SECONDS)
        if not task.done():
            task.cancel()
        await asyncio.gather(task, return_exceptions=self.force_exit)
