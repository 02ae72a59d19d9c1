"""An event loop that never waits: where everyone sleeps it skips to the next who wakes.

Hours pass in milliseconds, always in the same order, so that a life can be lived again exactly as
it was. What would wait for ever is an error at once.
"""

import asyncio
import selectors


class Deadlock(AssertionError):
    """Everyone waits and no one will wake."""


class SkippingLoop(asyncio.SelectorEventLoop):
    """Time is what its own sleepers made it; threads are left out."""

    def __init__(self):
        self.now = 1000.0
        super().__init__(_Skipping(self))

    def time(self):
        return self.now

    def run_in_executor(self, executor, work, *args):
        async def run():
            return work(*args)

        return self.create_task(run())


class _Skipping(selectors.DefaultSelector):
    """Skips the time that a loop would have waited."""

    def __init__(self, loop):
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        happened = super().select(0)
        if not happened and timeout is None:
            raise Deadlock
        if not happened:
            self._loop.now += timeout
        return happened
