"""The store on three Redis servers and a Sentinel: the master is killed, and another takes its place."""

import asyncio
import contextlib
import itertools

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from memory.embedded.binary import find_server
from memory.errors import StoreUnavailable
from memory.redis.store import RedisStore
from tests.memory.test_failover import Node, always
from tests.memory.test_redis_store import ENCODER, clip
from tests.ports import ReservedPort
from tests.waiting import holds

RIGHTS = "+@read +@write +@transaction +@connection +info +wait"
USER = ("--user", "flashback", "on", ">s3cret", "~flashback:*", *RIGHTS.split())
CONFIGURATION = """
bind 127.0.0.1
port {port}
dir {folder}
sentinel monitor yard 127.0.0.1 {master} 1
sentinel down-after-milliseconds yard 1000
sentinel failover-timeout yard 20000
"""


@contextlib.asynccontextmanager
async def watching(master, folder, replicas):
    """Run a Sentinel that watches the Redis at port `master`, until the end of the block; yield its port."""
    reserved = ReservedPort()
    port = reserved.number
    file = folder / "sentinel.conf"
    text = CONFIGURATION.format(port=port, folder=folder, master=master)
    await asyncio.to_thread(file.write_text, text)
    program = await asyncio.to_thread(find_server)
    process = await asyncio.create_subprocess_exec(
        *(str(program.path), str(file), "--sentinel"), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with Redis(port=port, driver_info=None) as sentinel:
            await holds(lambda: knows(sentinel, replicas), 60)
        yield port
    finally:
        process.kill()
        await process.wait()
        reserved.close()


async def knows(sentinel, replicas):
    with contextlib.suppress(RedisError):
        return len(await sentinel.execute_command("SENTINEL", "REPLICAS", "yard")) == replicas
    return False


async def test_no_clip_that_replicas_acknowledged_is_lost_when_the_master_is_killed(tmp_path):
    async with Node(*USER) as master, Node(*USER) as second, Node(*USER) as third:
        for node in (second, third):
            await node.client.replicaof("127.0.0.1", master.port)
        await master.copied(replicas=2)
        async with watching(master.port, tmp_path, replicas=2) as port:
            dead = "127.0.0.1:1"
            url = f"redis+sentinel://flashback:s3cret@{dead},127.0.0.1:{port}/yard"
            store = RedisStore.connect(url, ENCODER, replicas=1)
            await store.begin("a", 1000.0)
            acknowledged = []

            async def write():
                for start in map(float, itertools.count()):
                    with contextlib.suppress(StoreUnavailable):
                        await store.append("a", clip(start), b"picture")
                        acknowledged.append(start)

            writing = asyncio.create_task(write())
            await holds(lambda: len(acknowledged) > 5, 60)
            await master.kill()
            before = len(acknowledged)
            await holds(lambda: len(acknowledged) > before + 5, 60)
            writing.cancel()
            await asyncio.wait([writing])
            roles = [(await node.client.role())[0] for node in (second, third)]
            assert sorted(roles) == [b"master", b"slave"]
            remembered = {moment.start for moment in await store.moments("a", limit=10**6)}
            assert set(acknowledged) <= remembered
            await store.close()


async def test_what_too_few_replicas_have_is_not_said_to_be_remembered():
    async with Node() as master:
        store = RedisStore.connect(f"redis://127.0.0.1:{master.port}", ENCODER, replicas=1)
        await store.begin("a", 1000.0)
        with pytest.raises(StoreUnavailable, match="Only 0 of 1 replicas"):
            await store.append("a", clip(0.0), b"")
        await store.close()


async def test_sentinels_that_know_no_such_master_are_said_to_do_so():
    async with always("*-1\r\n") as port:
        store = RedisStore.connect(f"redis+sentinel://127.0.0.1:{port}/yard", ENCODER)
        with pytest.raises(StoreUnavailable, match="No Redis Sentinel says where the master is"):
            await store.check()
        await store.close()
