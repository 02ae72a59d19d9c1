"""The engine over real Ray processes: it keeps to what every engine keeps to, and outlives a replica.

Skipped where the extra `ray` is missing. Ray and three replicas are started once for the module.
"""

import asyncio
import importlib.util
import time
from contextlib import aclosing

import pytest
import pytest_asyncio

from memory.embedded.server import EmbeddedRedis
from memory.redis.store import RedisStore
from model.engine.contract import Past
from model.types import Finish, Question
from tests.end_to_end.needs import need
from tests.model.test_engine_conformance import *  # noqa: F403 - run here, too, with our fixtures
from tests.model.test_engine_conformance import clip, remember
from tests.waiting import holds
from web.cluster.engine import ClusterEngine
from web.cluster.messages import facts_of
from web.settings import Settings

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]
STREAMS = ("a", "b", "x", "other", "never seen")

del test_a_network_that_fails_says_so_with_a_code_and_goes_on  # noqa: F821 - has an engine of its own


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory):
    need(importlib.util.find_spec("ray"), "Ray: pip install 'flashback[ray]'")
    from web.cluster.opening import open_cluster

    settings = Settings.from_env(
        {}, cluster=True, model="tiny", cluster_answerers=2, finish_seconds=0
    )
    async with (
        await EmbeddedRedis.start(tmp_path_factory.mktemp("redis"), megabytes=64) as redis,
        open_cluster(settings, redis.url) as cluster,
    ):
        cluster.redis_url = redis.url
        yield cluster


@pytest_asyncio.fixture(loop_scope="module")
async def engine(running):
    """One host's engine; the replicas outlive it."""
    made = ClusterEngine(running._members, await facts_of(running), time.monotonic)
    await asyncio.gather(*(made.forget(stream) for stream in STREAMS))
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def faithful(engine):
    return engine


@pytest_asyncio.fixture(loop_scope="module")
async def kept(running, engine):
    """The memory that the host and the replicas share."""
    store = RedisStore.connect(running.redis_url, engine.encoder)
    engine.share(store)
    yield store
    await store.close()


async def heard(answer, then=None):
    """Return the text and end of an answer; do `then` after its first piece."""
    said, finish = "", None
    async with aclosing(answer) as pieces:
        async for piece in pieces:
            if isinstance(piece, Finish):
                finish = piece
            else:
                said += piece.text
            if then is not None:
                await then()
                then = None
    return said, finish


async def test_an_answer_goes_on_when_its_answerer_is_killed_and_the_answerer_comes_back(
    running, engine, kept
):
    import ray

    encoded = [(await engine.encode(clip(number))).tokens for number in range(3)]
    await remember(kept, encoded, "killed")
    past, question = Past("killed", kept), Question("What do you see?", tokens=24)
    whole = await heard(engine.answer(past, question))
    members = running._members
    [name, _] = members.answerer("killed")

    async def kill():
        handle = await asyncio.to_thread(ray.get_actor, name)
        await asyncio.to_thread(ray.kill, handle, no_restart=False)

    assert await heard(engine.answer(past, question), then=kill) == whole
    assert whole[1].usage.clips == 3
    await holds(lambda: name in members.names("answerer"), 120)
    assert await heard(engine.answer(past, question)) == whole
