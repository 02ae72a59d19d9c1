"""Whoever is cancelled leaves no connection behind, and is cancelled indeed."""

import asyncio

import pytest
from redis.asyncio import Redis

from memory.redis.store import RedisStore
from memory.servers.cancelling import Pool
from tests.waiting import holds


async def check_and_close(embedded):
    store = RedisStore.connect(embedded.url, "test-encoder")
    try:
        await store.check()
    finally:
        await store.close()


async def wait_for_the_start(embedded):
    await embedded._answered()


@pytest.mark.parametrize("work", [check_and_close, wait_for_the_start])
async def test_at_whatever_step_it_is_cancelled_every_connection_is_closed(embedded, work):
    async with Redis.from_url(embedded.url, driver_info=None) as admin:

        async def no_other_is_left():
            return len(await admin.client_list()) == 1

        for steps in range(60):
            task = asyncio.create_task(work(embedded))
            for _ in range(steps):
                await asyncio.sleep(0)
            if not task.done():
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await holds(no_other_is_left)


async def test_a_connection_comes_back_to_its_pool_though_its_user_is_cancelled(embedded):
    pool = Pool.from_url(embedded.url, driver_info=None)
    connection = await pool.get_connection()
    async with pool._condition:  # somebody else's moment
        release = asyncio.create_task(pool.release(connection))
        await asyncio.sleep(0)
        release.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await release
    assert await pool.get_connection() is connection
    await connection.disconnect()
