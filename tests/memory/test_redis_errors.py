"""What becomes of a cancellation that the Redis client loses."""

import asyncio
import time

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from memory.redis.errors import explained
from memory.redis.store import RedisStore


async def swallowing(error=None):
    """Do as `asyncio.wait_for` of Python 3.11 does when the result is there already."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        if error is not None:
            raise error from None


@pytest.mark.parametrize("error", [None, RedisConnectionError("lost")])
async def test_a_cancellation_that_the_client_swallows_cancels_nevertheless(error):
    async def call():
        with explained():
            await swallowing(error)

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_that_was_cancelled_before_may_still_call():
    async def clean_up():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            with explained():
                await asyncio.sleep(0)
            return "done"

    task = asyncio.create_task(clean_up())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "done"


async def test_whoever_is_cancelled_in_a_pause_of_the_loop_ends(embedded):
    store = RedisStore.connect(embedded.url, "test-encoder")

    async def look_for_ever():
        while True:
            assert await store.find("nowhere") is None

    tasks = [asyncio.create_task(look_for_ever()) for _ in range(20)]
    for turns in range(20):
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(0.002)  # noqa: ASYNC251 - the pause in which answers and cancellation meet
        tasks[turns].cancel()
    _, endless = await asyncio.wait(tasks, timeout=60)
    for task in endless:
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
    await store.close()
    assert not endless
