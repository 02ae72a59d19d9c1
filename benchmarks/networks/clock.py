"""How much time is left, for what must end by itself."""

import time
from collections.abc import Callable


class Countdown:
    """Counts down.

    Args:
        seconds: From now on.
        now: Tells the time.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._end = now() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; below zero when it is over."""
        return self._end - self._now()

    def within(self, seconds: float) -> "Countdown":
        """Return a clock for a part of what is left."""
        return Countdown(min(seconds, self.left), self._now)
