"""Ends that are seen through: a cancellation that comes meanwhile is passed on afterwards.

What lets go of a process waits a moment for it. Cancelled in that moment, by whoever closes the
stream at the same time, it would leave pipes open and tasks nobody waits for.
"""

import asyncio
from collections.abc import Collection
from typing import Any


async def wait_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Wait until all `tasks` are done, whatever came of them.

    Raises:
        CancelledError: If this was cancelled meanwhile; all are done then, too.
    """
    cancelled: asyncio.CancelledError | None = None
    while not all(task.done() for task in tasks):
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
