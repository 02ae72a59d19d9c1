"""Gives freed memory back to the machine: glibc keeps it in its arenas, scattered, until it is asked.

Loading a model leaves a quarter of a gigabyte of it, and frames, clips and histories that come and go in
a dozen threads add to it for an hour (`docs/experiments.md`, 2026-11-28). Elsewhere than on glibc
nothing is done.
"""

import asyncio
import ctypes
import sys
from collections.abc import Awaitable, Callable

_EVERY = 60.0
"""Seconds between two looks."""
_WORTH = 64 * 2**20
"""Bytes by which the process must have grown since it last gave back: what is used again costs a page
fault for every 4 KiB."""


class Heap:
    """Has freed memory given back, once after loading and whenever the process has grown.

    Args:
        held: Returns the bytes that the process holds.
        trim: Gives back what it can; None where nobody can.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        held: Callable[[], Awaitable[int]],
        trim: Callable[[], object] | None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._held = held
        self._trim = trim
        self._sleep = sleep

    async def run(self) -> None:
        """Go on until cancelled."""
        if self._trim is None:
            return
        left = -_WORTH
        while True:
            if await self._held() >= left + _WORTH:
                await asyncio.to_thread(self._trim)
                left = await self._held()
            await self._sleep(_EVERY)


def glibc_trim() -> Callable[[], object] | None:
    """Return what gives back all free pages of all arenas; None without glibc."""
    if sys.platform != "linux":
        return None
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return None if trim is None else lambda: trim(0)
