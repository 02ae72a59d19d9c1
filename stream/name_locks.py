"""A lock for each name: what takes long about one stream keeps nobody from another.

A lock exists while someone holds it or waits for it, so names that came and went leave nothing.
"""

import asyncio
from weakref import WeakValueDictionary


class NameLocks:
    """Locks by name: `async with locks("door"): ...`."""

    def __init__(self) -> None:
        self._locks = WeakValueDictionary[str, asyncio.Lock]()

    def __call__(self, name: str) -> asyncio.Lock:
        """Return the lock of `name`."""
        return self._locks.setdefault(name, asyncio.Lock())

    def busy(self, name: str) -> bool:
        """Say whether someone holds the lock of `name`, or waits for it."""
        return name in self._locks
