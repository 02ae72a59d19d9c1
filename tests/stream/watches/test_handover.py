"""The owner of a stream dies, and another process on the same Redis goes on with its watches."""

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from memory.embedded.server import EmbeddedRedis
from memory.redis.store import RedisStore
from stream.watches.condition import Clause, Condition
from stream.watches.trigger import LONGEST_PAUSE
from stream.watches.watcher import TOLD_WITHIN
from tests.stream.watches.test_watcher import a_watch, working
from tests.web.forked import Command

GONE = Condition(negative=(Clause(("dog",)),), hold_s=40.0, after_seen=True)


@pytest.fixture
async def redis(tmp_path):
    async with await EmbeddedRedis.start(tmp_path / "redis", megabytes=64) as server:
        yield server.url


@asynccontextmanager
async def process(url):
    """A service of its own on that Redis; `die` keeps it from writing anything more."""
    async with AsyncExitStack() as stack:
        store = RedisStore.connect(url, "eye")
        stack.push_async_callback(store.close)
        work = await stack.enter_async_context(working(store.documents()))

        async def save(*, everything=False):
            """Write nothing."""

        work.die = lambda: setattr(work.watcher._keeper, "save", save)
        yield work


async def test_how_long_a_thing_has_been_gone_outlives_the_process_that_saw_it(redis):
    async with process(redis) as one:
        await one.watcher.save(a_watch(condition=GONE))
        await one.show(1, 1, 0, 0, 0, 0, 0, 0)
        await one.watcher._keeper.save()
        one.die()
    async with process(redis) as other:
        await other.watcher.loaded()
        other.now = one.now + LONGEST_PAUSE - 4.0
        await other.show(*[0] * 8)
        told = await other.alerts.next()
        assert (told.open, told.start) == (True, 1011)
        assert told.fired - told.start >= GONE.hold_s
        assert [event.id for event in await other.watcher.book.events(9)] == [told.id]


async def test_what_the_dead_process_told_goes_on_and_ends_as_the_same_event(redis):
    async with process(redis) as one, process(redis) as other:
        await one.watcher.save(a_watch(refractory_s=0))
        await other.watcher.refresh()
        await one.show(0, 1, 1)
        fired = await one.alerts.next()
        await one.watcher._keeper.save()
        one.die()
        other.now = one.now
        await other.show(1, 1, 0, 0, 0, 0)
        over = await other.alerts.next()
        assert (over.id, over.open) == (fired.id, False)
        await other.watcher.refresh()
        assert other.watcher.counters("w").fired == 1
        assert [event.id for event in await other.watcher.book.events(9)] == [fired.id]


ROOT = Path(__file__).parents[3]


async def killed(url, when):
    """Have a process of its own watch until `when`, and kill it there."""
    module = "tests.stream.watches.doomed"
    doomed = await Command.start([url, when], dict(os.environ), ROOT, apart=False, module=module)
    try:
        async with asyncio.timeout(60):
            said = await doomed.stdout.readline()
    finally:
        doomed.kill()
        rest, _ = await doomed.communicate()
    assert said.decode().strip() == {"told": "told", "untold": "verifying"}[when], rest.decode()


async def test_what_a_killed_process_has_told_is_told_by_no_other_again_until_it_is_over(redis):
    await killed(redis, "told")
    async with process(redis) as other:
        await other.watcher.loaded()
        [fired] = await other.watcher.book.events(9)
        other.now = 1012.0
        await other.show(1, 1, 1)
        assert [event.id for event in await other.watcher.book.events(9)] == [fired.id]
        await other.show(0, 0, 0, 0)
        over = await other.alerts.next()
        assert (over.id, over.open, over.end) == (fired.id, False, 1027)
        assert other.watcher.counters("w").fired == 1


async def test_what_a_killed_process_had_not_told_yet_is_told_once_by_another(redis):
    await killed(redis, "untold")
    async with process(redis) as other:
        await other.watcher.loaded()
        assert await other.watcher.book.events(9) == []
        other.now = 1012.0 + TOLD_WITHIN + 1
        for _ in range(2):
            await other.watcher.tell_inherited()
            await other.watcher.settle()
        told = await other.alerts.next()
        assert (told.open, told.verdict) == (True, "confirmed")
        assert [event.id for event in await other.watcher.book.events(9)] == [told.id]
        assert other.delivered == [("w", told.id)]
        assert other.watcher.counters("w").fired == 1
