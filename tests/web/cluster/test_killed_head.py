"""The head of Ray is killed under a host: it goes on, and once the head is back all is as before.

Skipped where the extra `ray` is missing. What of Ray is on the host's own machine lives on, as where the
head has a machine of its own.
"""

import asyncio
import contextlib

import httpx
import psutil
import pytest

from memory.embedded.binary import find_server
from memory.embedded.server import EmbeddedRedis
from memory.redis.store import RedisStore
from model.engine.local import LocalEngine
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from tests.end_to_end.conftest import flashback
from tests.model.test_engine_conformance import clip, remember
from tests.waiting import holds
from tests.web.cluster.rays import need_ray, ray_head

pytestmark = pytest.mark.timeout(400)
PATIENCE = 120
ASKED = {
    "model": "tiny@door",
    "max_tokens": 4,
    "messages": [{"role": "user", "content": "What do you see?"}],
}


@pytest.fixture
async def memory_of_ray(tmp_path, unused_tcp_port_factory):
    """A Redis for the head of Ray alone; yields its address."""
    port = unused_tcp_port_factory()
    program = await asyncio.to_thread(find_server)
    process = await asyncio.create_subprocess_exec(
        *(str(program.path), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)),
        stdout=asyncio.subprocess.DEVNULL,
    )

    async def listens():
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
        return False

    await holds(listens)
    yield f"127.0.0.1:{port}"
    process.kill()
    await process.wait()


@pytest.fixture
async def redis(tmp_path):
    """A Redis that remembers three clips of the stream `door`."""
    engine = LocalEngine(VideoChat(tiny()))
    async with await EmbeddedRedis.start(tmp_path / "redis", megabytes=64) as running:
        store = RedisStore.connect(running.url, engine.encoder)
        await remember(store, [(await engine.encode(clip(n))).tokens for n in range(3)], "door")
        await engine.close()
        await store.close()
        yield running


def replicas(ray):
    """Return the processes of all replicas on this Ray."""
    token = ray.variables["RAY_AUTH_TOKEN"]
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[:1] == ["ray::ReplicaActor"] and (
                process.environ().get("RAY_AUTH_TOKEN") == token
            ):
                found.append(process)
    return found


async def test_a_host_goes_on_without_the_head_and_gets_its_replicas_back_from_the_next(
    memory_of_ray, redis, unused_tcp_port_factory
):
    need_ray()
    port = unused_tcp_port_factory()
    async with ray_head(
        unused_tcp_port_factory(), watched=False, RAY_REDIS_ADDRESS=memory_of_ray
    ) as ray:
        variables = {
            **ray.variables,
            "FLASHBACK_REDIS_URL": redis.url,
            "FLASHBACK_CLUSTER_URL": f"http://127.0.0.1:{port}",
        }
        arguments = ("serve", "--cluster", "--model", "tiny", "--port", str(port))
        async with (
            flashback(*arguments, forked=False, **variables) as host,
            httpx.AsyncClient(base_url=host.url, timeout=PATIENCE) as client,
        ):

            async def answers():
                answer = await client.post("/v1/chat/completions", json=ASKED)
                return answer.status_code == 200

            async def hear(words):
                async with asyncio.timeout(PATIENCE):
                    while words not in (line := (await host.process.stdout.readline()).decode()):
                        assert line, "it ended"

            assert await answers()
            ray.kill_gcs()
            await hear("the head of Ray has not answered")
            assert (await client.get("/ready")).status_code == 200
            assert await answers()

            await ray.start_gcs()
            await hear("the head of Ray answers again")
            killed = replicas(ray)
            assert len(killed) == 2
            for process in killed:
                process.kill()
            await holds(lambda: len(set(replicas(ray)) - set(killed)) == 2, PATIENCE)
            await holds(answers, PATIENCE)
