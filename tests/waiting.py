"""Waiting for what tells nobody when it changes."""

import asyncio
import inspect

LOOK_SECONDS = 0.01


async def holds(condition, seconds=60.0):
    """Wait until `condition`, a function or a coroutine function, holds; fail after so many seconds.

    For what has no event to wait for. Between two looks the processor is free for what is waited for.
    """
    async with asyncio.timeout(seconds):
        while not await _value(condition()):  # noqa: ASYNC110 - the one place that looks again and again
            await asyncio.sleep(LOOK_SECONDS)


async def _value(found):
    return await found if inspect.isawaitable(found) else found
