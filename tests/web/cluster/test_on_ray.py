"""The engine over real Ray processes: it keeps to what every engine keeps to, and outlives a replica.

Skipped where the extra `ray` is missing. Ray and three replicas are started once for the module.
"""

import asyncio
import importlib.util
import signal
import time
from contextlib import aclosing, asynccontextmanager
from itertools import count

import pytest
import pytest_asyncio

from memory.embedded.server import EmbeddedRedis
from memory.redis.store import RedisStore
from model.engine.contract import Past
from model.errors import EngineBusy, ModelError
from model.types import Finish, Question
from tests.end_to_end.needs import need
from tests.model.test_engine_conformance import *  # noqa: F403 - run here, too, with our fixtures
from tests.model.test_engine_conformance import clip, remember
from tests.waiting import holds
from web.cluster.engine import ClusterEngine
from web.cluster.members import Members
from web.cluster.messages import facts_of
from web.cluster.ring import ranked
from web.errors import ReplicaLost
from web.settings import Settings

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]
STREAMS = ("a", "b", "x", "other", "never seen")

del test_a_network_that_fails_says_so_with_a_code_and_goes_on  # noqa: F821 - has an engine of its own


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory):
    need(importlib.util.find_spec("ray"), "Ray: pip install 'flashback[ray]'")
    from web.cluster.opening import open_cluster

    terminated = []
    before = signal.signal(signal.SIGTERM, lambda number, _: terminated.append(number))
    settings = Settings.from_env(
        {}, cluster=True, model="tiny", cluster_answerers=2, finish_seconds=0
    )
    async with (
        await EmbeddedRedis.start(tmp_path_factory.mktemp("redis"), megabytes=64) as redis,
        open_cluster(settings, redis.url) as cluster,
    ):
        cluster.redis_url, cluster.settings = redis.url, settings
        cluster.terminated = terminated
        yield cluster
    signal.signal(signal.SIGTERM, before)


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


class Town:
    """Streams that are fed, and people who ask about them.

    Attributes:
        acknowledged: How many clips of each stream are remembered.
    """

    def __init__(self, engine, kept, streams):
        self.acknowledged = dict.fromkeys(streams, 0)
        self._engine = engine
        self._kept = kept

    async def moment(self):
        """Every stream shows one clip more, while somebody asks about what is remembered of it."""
        await asyncio.gather(*(self._clip(s) for s in self.acknowledged), *self._questions())

    async def until(self, done):
        """Go on, a moment a second, until the task `done` is."""
        while not done.done():
            await self.moment()
            await asyncio.wait([done], timeout=1.0)
        return await done

    async def _clip(self, stream):
        tokens = (await self._engine.encode(clip(self.acknowledged[stream]))).tokens
        if not self.acknowledged[stream]:
            await self._kept.resume(stream, 0.0)
        remembered = await self._kept.append(stream, tokens, b"")
        self.acknowledged[stream] += 1
        await self._engine.learn(stream, remembered, tokens.start - 1 if tokens.start else None)

    def _questions(self):
        return [self._ask(stream, least) for stream, least in self.acknowledged.items() if least]

    async def _ask(self, stream, least):
        past, question = Past(stream, self._kept), Question("What?", tokens=2)
        _, finish = await heard(self._engine.answer(past, question))
        assert finish.usage.clips >= least, "what was acknowledged is answered from"


@asynccontextmanager
async def another_host(running, host, counts, town):
    """Replicas of another host on the same Ray, that come and go while `town` goes on."""
    from web.cluster.opening import _order
    from web.cluster.ray_replicas import RayReplicas

    order = _order(running.settings, running.redis_url)
    there = RayReplicas(Members(), host)
    await town.until(asyncio.ensure_future(there.start(order, counts)))
    names = {f"{kind}-{host}-0" for kind in counts}
    await town.until(asyncio.ensure_future(holds(lambda: names <= known(running), 120)))
    try:
        yield
    finally:
        await town.until(asyncio.ensure_future(there.close(60)))
        await town.until(asyncio.ensure_future(holds(lambda: not names & known(running), 120)))


def known(host):
    """Return the names of all replicas that a host knows."""
    return {*host._members.names("encoder"), *host._members.names("answerer")}


async def test_replicas_come_and_are_replaced_while_streams_run_and_people_ask(
    running, engine, kept
):
    answerers = [*running._members.names("answerer"), "answerer-second-0", "answerer-third-0"]
    # One stream for each answerer that there will be, most of which move when one comes or goes.
    streams = [
        next(s for n in count() if ranked(s := f"cam-{n}", answerers)[0] == first)
        for first in answerers
    ]
    town = Town(engine, kept, streams)
    moved = streams[2]
    long = Question("What do you see?", tokens=24)
    async with another_host(running, "second", {"encoder": 1, "answerer": 1}, town):
        assert running._members.answerer(moved)[0] == "answerer-second-0"
        await town.moment()
        past = Past(moved, kept, spans=((0.0, 4.0),))
        whole = await heard(engine.answer(past, long))
        running_answer = engine.answer(past, long)
        first = await anext(running_answer)
    # The host that had the stream is gone, with an answer in its middle.
    said, finish = await heard(running_answer)
    assert (first.text + said, finish) == whole
    assert await heard(engine.answer(past, long)) == whole
    async with another_host(running, "third", {"answerer": 1}, town):
        assert running._members.answerer(streams[3])[0] == "answerer-third-0"
        await town.moment()
        assert await heard(engine.answer(past, long)) == whole
    for stream, clips in town.acknowledged.items():
        assert len([one async for one in kept.clips(stream)]) == clips
        _, finish = await heard(engine.answer(Past(stream, kept), Question("What?", tokens=2)))
        assert finish.usage.clips == clips


async def test_what_ray_says_is_told_as_what_it_means_here(running):
    from ray import exceptions

    from web.cluster.ray_link import _our_errors

    for said, meant in (
        (exceptions.ActorUnavailableError("away", None), ReplicaLost),
        (exceptions.ActorUnschedulableError("its machine is gone"), ReplicaLost),
        (exceptions.OutOfMemoryError("killed"), ReplicaLost),
        (exceptions.PendingCallsLimitExceeded("512"), EngineBusy),
        (exceptions.OutOfDiskError("no room for a clip"), ModelError),
    ):
        with pytest.raises(meant), _our_errors():
            raise said


async def test_sigterm_stays_ours_so_that_a_host_has_its_time_to_drain(running):
    signal.raise_signal(signal.SIGTERM)
    assert running.terminated == [signal.SIGTERM]
    # Ray's own handler would have set an alarm that aborts us in three seconds.
    assert not 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 3
