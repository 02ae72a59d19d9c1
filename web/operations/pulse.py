"""How the service itself is doing: whether its event loop keeps turning, how much memory it holds."""

import asyncio
from collections import deque
from collections.abc import Callable

import psutil

_PERIOD = 0.1
_KEPT = 600  # the longest pause is that of the last minute


class Pulse:
    """Measures how late the event loop wakes a task that only sleeps.

    Args:
        monotonic: Seconds that never go back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._late: deque[float] = deque(maxlen=_KEPT)
        self._longest = 0.0

    @property
    def pause_ms(self) -> float:
        """The longest pause of the event loop in the last minute, in milliseconds."""
        return round(max(self._late, default=0.0) * 1000, 1)

    @property
    def longest_pause_ms(self) -> float:
        """The longest pause since the start, in milliseconds."""
        return round(self._longest * 1000, 1)

    async def rss_bytes(self) -> int:
        """Return the memory that this process holds."""
        # In a thread: reading /proc takes long when the machine is short of memory.
        return await asyncio.to_thread(_rss)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            began = self._monotonic()
            await asyncio.sleep(_PERIOD)
            late = max(0.0, self._monotonic() - began - _PERIOD)
            self._late.append(late)
            self._longest = max(self._longest, late)


def _rss() -> int:
    return int(psutil.Process().memory_info().rss)
