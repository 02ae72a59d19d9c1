"""The store on a cluster of three nodes: streams lie on all of them, and one moves while it is written."""

import asyncio
import contextlib
import itertools
import subprocess

import pytest
import redis
from redis.crc import key_slot

from memory.documents import Entry
from memory.embedded.binary import find_server
from memory.errors import StoreUnavailable, StreamForgotten
from memory.redis.store import RedisStore
from memory.store import Moment
from tests.memory.test_redis_store import ENCODER, clip
from tests.ports import ReservedPort
from tests.waiting import holds
from web.doctor.storage import check_running_redis

SLOTS = 16384
THIRDS = (0, SLOTS // 3, 2 * SLOTS // 3, SLOTS)
LARGEST_PORT = 55_000  # the nodes speak among themselves 10,000 above it


class Node:
    """A node of a cluster, in a process of its own.

    Attributes:
        port: Of loopback.
        slots: Those that it has at first.
        client: Asks it.
    """

    def __init__(self, program, folder, slots, *settings):
        self._reserved = reserved_ports()
        self.port = self._reserved[0].number
        self.slots = slots
        folder.mkdir()
        self._process = subprocess.Popen(
            [
                *(str(program.path), "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--dir", str(folder), "--save", "", "--cluster-enabled", "yes"),
                *settings,
            ],
            stdout=subprocess.DEVNULL,
        )
        self.client = redis.Redis(port=self.port)

    @property
    def id(self):
        return self.client.execute_command("CLUSTER", "MYID").decode()

    def says_ok(self, nodes=3):
        with contextlib.suppress(redis.ConnectionError):
            said = self.client.execute_command("CLUSTER", "INFO")
            return b"cluster_state:ok" in said and b"cluster_known_nodes:%d" % nodes in said
        return False

    def end(self):
        self.client.close()
        self._process.kill()
        self._process.wait()
        for port in self._reserved:
            port.close()


def reserved_ports():
    """Return a port for clients and the one for other nodes."""
    while True:
        one = ReservedPort()
        if one.number <= LARGEST_PORT:
            with contextlib.suppress(OSError):
                return one, ReservedPort(one.number + 10_000)
        one.close()


def joined(masters, count):
    """Make one cluster of nodes; return once each of `masters` knows `count` of them."""
    for number, node in enumerate(masters):
        asyncio.run(holds(lambda node=node: responds(node)))
        node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        if node.slots:
            node.client.execute_command("CLUSTER", "ADDSLOTS", *node.slots)
        node.client.execute_command("CLUSTER", "MEET", "127.0.0.1", masters[0].port)
    for node in masters:
        asyncio.run(holds(lambda node=node: node.says_ok(count)))


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    folder, program = tmp_path_factory.mktemp("cluster"), find_server()
    made = [
        Node(program, folder / str(number), range(*span))
        for number, span in enumerate(itertools.pairwise(THIRDS))
    ]
    joined(made, len(made))
    yield made
    for node in made:
        node.end()


def responds(node):
    with contextlib.suppress(redis.ConnectionError):
        return node.client.ping()
    return False


@pytest.fixture
async def store(nodes):
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes[:2])
    store = RedisStore.connect(f"redis+cluster://{hosts}", ENCODER)
    yield store
    for record in await store.streams():
        await store.forget(record.name)
    await store.close()


def on(node):
    """Return the name of a stream that lies on `node` at first."""
    return next(
        name
        for name in map(str, itertools.count())
        if key_slot(f"flashback:{{{name}}}:record".encode()) in node.slots
    )


async def test_streams_and_documents_lie_on_every_node_and_are_one_memory(store, nodes):
    names = [on(node) for node in nodes]
    for name in names:
        await store.begin(name, 1000.0)
        for start in (0.0, 4.0, 8.0):
            await store.append(name, clip(start), b"picture")
        await store.replace(name, Moment(0.0, 4.0), [clip(0.0)], generation=0, form="int4")
        assert await store.forget_range(name, 8.0, 9.0) == 1
        assert await store.thumbnail(name, 0.0) == b"picture"
    assert [(r.name, r.clips) for r in await store.streams()] == [(n, 1) for n in sorted(names)]
    for node, name in zip(nodes, names, strict=True):
        keys = await asyncio.to_thread(node.client.keys, "*{" + name + "}*")
        assert len(keys) == 4
    documents = store.documents()
    for kind in ("one", "two", "three", "four"):
        await documents.put(kind, Entry("key", 1.0, {"kind": kind}), keep=2)
        assert (await documents.get(kind, "key")).document == {"kind": kind}
    await store.compact()
    for name in names:
        await store.forget(name)
        with pytest.raises(StreamForgotten):
            await store.append(name, clip(12.0), b"")
    assert await store.streams() == []


async def test_nothing_is_lost_of_a_stream_that_moves_to_another_node_while_it_is_written(
    store, nodes
):
    source, target, other = nodes
    name = on(source)
    await store.begin(name, 1000.0)
    acknowledged = []

    async def write():
        for start in map(float, itertools.count()):
            await store.append(name, clip(start), b"picture")
            acknowledged.append(start)

    async def more():
        enough = len(acknowledged) + 5
        await holds(lambda: writing.done() or len(acknowledged) >= enough)
        assert not writing.done(), writing.exception()

    writing = asyncio.create_task(write())
    await more()
    await asyncio.to_thread(move, name, source, target, other)
    await more()
    writing.cancel()
    await asyncio.wait([writing])
    remembered = [moment.start for moment in await store.moments(name, limit=10**6)]
    assert set(acknowledged) <= set(remembered)
    assert [tokens.start async for tokens in store.clips(name)] == remembered
    assert len(await asyncio.to_thread(target.client.keys, "*{" + name + "}*")) == 4
    assert await asyncio.to_thread(source.client.keys, "*{" + name + "}*") == []


def move(name, source, target, other):
    """Move a stream's slot as `redis-cli --cluster reshard` does: key by key, then said to all."""
    slot = key_slot(f"flashback:{{{name}}}:record".encode())
    target.client.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
    source.client.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
    while keys := source.client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1):
        source.client.migrate("127.0.0.1", target.port, keys, 0, 20_000)
    for node in (target, source, other):
        node.client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", target.id)


async def test_a_stream_that_stays_on_the_way_is_said_to_be_moving(store, nodes, monkeypatch):
    monkeypatch.setattr("memory.servers.cluster._ENOUGH", 0.0)
    slot = key_slot(b"flashback:{half-moved}:record")
    source, target, _ = sorted(nodes, key=lambda node: slot not in node.slots)
    run = source.client.execute_command
    await asyncio.to_thread(run, "CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
    try:
        with pytest.raises(StoreUnavailable, match="moving this stream from one node to another"):
            await store.begin("half-moved", 1000.0)
    finally:
        await asyncio.to_thread(run, "CLUSTER", "SETSLOT", slot, "STABLE")
    await store.begin("half-moved", 1000.0)


async def test_a_node_of_a_cluster_that_is_named_as_a_single_server_is_said_to_be_one(nodes):
    single = RedisStore.connect(f"redis://127.0.0.1:{nodes[0].port}", ENCODER)

    async def begin_on_all():
        for node in nodes:
            await single.begin(on(node), 0.0)

    with pytest.raises(StoreUnavailable, match=r"write redis\+cluster:// in the Redis URL"):
        await begin_on_all()
    await single.close()


def test_the_doctor_looks_at_every_node(nodes):
    url = f"redis+cluster://127.0.0.1:{nodes[1].port}"
    assert "running elsewhere" in check_running_redis(url).found
    nodes[2].client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert "allkeys-lru" in check_running_redis(url).cost
    finally:
        nodes[2].client.config_set("maxmemory-policy", "noeviction")


async def test_the_other_nodes_are_asked_when_those_that_were_named_are_away(nodes):
    url = f"redis+cluster://127.0.0.1:1,127.0.0.1:{nodes[2].port}"
    store = RedisStore.connect(url, ENCODER)
    await store.check()
    assert len(await store._nodes.servers()) == 3
    await store.close()
    gone = RedisStore.connect("redis+cluster://127.0.0.1:1,127.0.0.1:2", ENCODER)
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        await gone.check()
    await gone.close()
