"""Waiting for what tells nobody when it changes."""

import asyncio

LOOK_SECONDS = 0.01


async def holds(condition, seconds=5.0):
    """Wait until `condition` holds; fail after so many seconds.

    For what has no event to wait for. Between two looks the processor is free for what is waited for.
    """
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - this is the one place that looks again and again
            await asyncio.sleep(LOOK_SECONDS)
