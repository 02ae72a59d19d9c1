"""A name that moves from one Redis to another, as in a failover: what is open stays with the old one."""

import asyncio
import contextlib
import tempfile

import pytest
from redis.asyncio import Redis

from memory.embedded.binary import find_server
from memory.errors import StoreUnavailable
from memory.redis.store import RedisStore
from memory.store import Moment
from tests.memory.loopback import LoopbackRedis
from tests.memory.test_redis_store import ENCODER, clip
from tests.ports import ReservedPort

REFUSALS = {
    "READONLY You can't write against a read only replica.": "is a read-only replica",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.": "has lost its",
    "LOADING Redis is loading the dataset in memory": "still reading its data from disk",
}


class NameThatMoves(LoopbackRedis):
    """Forwards new connections to where `target` (a port of loopback) is; open ones stay."""

    def __init__(self, target):
        super().__init__()
        self.target = target
        self._open = []
        self._closed = asyncio.Condition()

    async def left(self, target):
        """Wait until no connection leads to `target` any more."""
        async with asyncio.timeout(60), self._closed:
            await self._closed.wait_for(lambda: target not in self._open)

    async def serve(self, reader, writer):
        target = self.target
        self._open.append(target)
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", target)
            ways = [(reader, to_writer), (to_reader, writer)]
            pumps = [asyncio.create_task(pump(*way)) for way in ways]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in pumps:
                    task.cancel()
                await closed(to_writer)
        finally:
            await closed(writer)
            async with self._closed:
                self._open.remove(target)
                self._closed.notify_all()


async def closed(writer):
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def pump(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


class Node:
    """A Redis with a port, without a file; `options` are more of its own."""

    def __init__(self, *options):
        self._options = options

    async def __aenter__(self):
        # A replica keeps what it is sent in a file, in the folder where it runs.
        self._folder = tempfile.TemporaryDirectory()
        self._reserved = ReservedPort()
        self.port = self._reserved.number
        program = await asyncio.to_thread(find_server)
        self._process = await asyncio.create_subprocess_exec(
            *(str(program.path), "--port", str(self.port), "--save", "", "--bind", "127.0.0.1"),
            *("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"),
            *self._options,
            cwd=self._folder.name,
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            await self._process.stdout.readuntil(b"Ready to accept connections")
        self.client = Redis(host="127.0.0.1", port=self.port, driver_info=None)
        return self

    async def __aexit__(self, *_):
        await self.client.aclose()
        await self.kill()
        self._reserved.close()
        self._folder.cleanup()

    async def kill(self):
        """End it as `kill -9` does."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()

    async def copied(self, replicas=1):
        """Wait until replicas have everything that was written here."""
        # The server waits for what was written over the same connection: so for all before it.
        await self.client.delete("nothing")
        assert await self.client.wait(replicas, 20_000) == replicas


@contextlib.asynccontextmanager
async def always(answer):
    """Serve something that answers every command with the error `answer`; yield its port."""

    serving = set()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                for part in data.split(b"*")[1:]:
                    writer.write(
                        b"%1\r\n$5\r\nproto\r\n:3\r\n" if b"HELLO" in part else answer.encode()
                    )
        await closed(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.gather(*serving)


async def test_writing_goes_on_at_once_and_nothing_is_lost_when_the_master_moves():
    async with Node() as old, Node() as new, NameThatMoves(old.port) as name:
        await new.client.replicaof("127.0.0.1", old.port)
        await old.copied()
        store = RedisStore.connect(name.url, ENCODER)
        await store.begin("a", 1000.0)
        await store.append("a", clip(0.0), b"")
        await asyncio.gather(*(store.moments("a") for _ in range(8)))  # several connections
        await old.copied()
        await new.client.replicaof("NO", "ONE")
        name.target = new.port
        await old.client.replicaof("127.0.0.1", new.port)
        await store.append("a", clip(4.0), b"")
        await name.left(old.port)
        assert await store.moments("a") == [Moment(0.0, 1.5), Moment(4.0, 5.5)]
        await store.forget("a")
        assert await store.streams() == []
        assert await new.client.keys() == [b"flashback:{a}:deleted"]
        await store.close()


@pytest.mark.parametrize("said", REFUSALS)
async def test_a_node_that_is_not_the_master_is_left_with_every_connection(said, embedded_port):
    async with always(f"-{said}\r\n") as demoted, NameThatMoves(demoted) as name:
        store = RedisStore.connect(name.url, ENCODER)
        asked = [store.moments("a"), store.find("a"), store.begin("a", 0.0), store.forget("a")]
        failed = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(error) for error in failed} == {StoreUnavailable}
        assert all(REFUSALS[said] in str(error) for error in failed)
        name.target = embedded_port
        assert (await store.begin("a", 5.0)).began == 5.0
        await name.left(demoted)
        await store.close()


@pytest.fixture
async def embedded_port():
    async with Node() as node:
        yield node.port
