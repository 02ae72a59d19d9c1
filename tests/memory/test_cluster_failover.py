"""A node of a cluster dies, and its replica takes its place: nothing is lost that the replica had."""

import asyncio
import contextlib
import itertools

import pytest

from memory.embedded.binary import find_server
from memory.errors import StoreUnavailable
from memory.redis.store import RedisStore
from tests.memory.test_cluster import THIRDS, Node, joined, on
from tests.memory.test_redis_store import ENCODER, clip
from tests.waiting import holds

SETTINGS = ("--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0")


@pytest.fixture
def nodes(tmp_path):
    """Three masters with the slots, and one node without: it is to be a replica of the first."""
    program = find_server()
    spans = [*(range(*span) for span in itertools.pairwise(THIRDS)), range(0)]
    made = [Node(program, tmp_path / str(n), span, *SETTINGS) for n, span in enumerate(spans)]
    joined(made, 4)
    yield made
    for node in made:
        node.end()


async def follows(replica, master):
    replica.client.execute_command("CLUSTER", "REPLICATE", master.id)
    await holds(
        lambda: replica.client.role()[:1] + replica.client.role()[3:4] == [b"slave", b"connected"]
    )


async def answered(call):
    """Ask until there is an answer: nodes that are starved take one another for dead for a while."""
    answers = []

    async def asked():
        with contextlib.suppress(StoreUnavailable):
            answers.append(await call())
        return bool(answers)

    await holds(asked)
    return answers[0]


async def test_no_clip_that_the_replica_of_a_killed_node_acknowledged_is_lost(nodes):
    first, second, _, replica = nodes
    await follows(replica, first)
    url = f"redis+cluster://127.0.0.1:{second.port},127.0.0.1:{first.port}"
    store = RedisStore.connect(url, ENCODER, replicas=1)
    stream, acknowledged = on(first), []

    async def write(enough, replicas):
        writer = RedisStore.connect(url, ENCODER, replicas=replicas)
        for start in map(float, itertools.count(len(acknowledged))):
            with contextlib.suppress(StoreUnavailable):
                await writer.append(stream, clip(start), b"picture")
                acknowledged.append(start)
            if len(acknowledged) == enough:
                break
        await writer.close()

    await answered(lambda: store.begin(stream, 1000.0))
    await write(5, replicas=1)
    first.end()
    async with asyncio.timeout(90):
        await write(8, replicas=0)  # the one that takes over has none of its own
    assert replica.client.role()[0] == b"master"
    moments = await answered(lambda: store.moments(stream, limit=10**6))
    remembered = {moment.start for moment in moments}
    assert set(acknowledged) <= remembered
    await store.close()
