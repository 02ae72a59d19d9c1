"""How a running service comes to its end without cutting anybody off: draining.

    /ready says 503          at once, so that a load balancer sends nobody new
    drain_seconds            everything is still taken, until the balancer has noticed
    finish_seconds           nothing new is taken; answers that are being written end
    then                     WebSockets are closed with 1012, senders hung up on, their last clips written

That is what `kill` and orchestrators mean by SIGTERM. Ctrl-C, by somebody who sits there and waits,
goes straight to the last step.
"""

import asyncio
import contextlib

from web.services import Services

STOPPING = "The service is stopping; try again in a moment, when it or another one is there."


class Drain:
    """The way to the end, and how far along it the service is.

    Args:
        open_seconds: How long everything is taken as before.
        finish_seconds: How long answers may take then to end.

    Attributes:
        begun: Whether the end was asked for.
    """

    def __init__(self, open_seconds: float, finish_seconds: float) -> None:
        self.begun = False
        self._open_seconds = open_seconds
        self._finish_seconds = finish_seconds

    def begin(self) -> None:
        """Have `/ready` say that the service stops; safe to call from a signal handler."""
        self.begun = True

    async def run(self, here: Services | None) -> None:
        """Wait until `here` may be closed; a service that is not open yet may be at once."""
        self.begin()
        if here is None:
            return
        await asyncio.sleep(self._open_seconds)
        for quota in (here.talking, here.feeding, here.viewing, here.asking):
            quota.close(STOPPING)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._finish_seconds):
                await here.asking.wait_empty()
