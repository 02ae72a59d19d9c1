"""The log of a cluster: what a replica says stands in its host's, under the id that the client has.

Skipped where the extra `ray` is missing.
"""

import asyncio
import json

import httpx
import pytest
from redis.asyncio import Redis

from memory.embedded.server import EmbeddedRedis
from memory.redis.layout import StreamKeys
from memory.redis.store import RedisStore
from model.engine.local import LocalEngine
from model.video_chat import VideoChat
from model.zoo.tiny import tiny
from tests.end_to_end.conftest import flashback
from tests.model.test_engine_conformance import clip, remember
from tests.web.cluster.rays import need_ray

pytestmark = pytest.mark.timeout(300)
STREAM = "door"
ASKED = {
    "model": f"tiny@{STREAM}",
    "max_tokens": 4,
    "messages": [{"role": "user", "content": "What do you see?"}],
}


@pytest.fixture
async def redis(tmp_path):
    """A Redis that remembers three clips of a stream, one of which is damaged."""
    engine = LocalEngine(VideoChat(tiny()))
    async with await EmbeddedRedis.start(tmp_path / "redis", megabytes=64) as running:
        store = RedisStore.connect(running.url, engine.encoder)
        encoded = [(await engine.encode(clip(number))).tokens for number in range(3)]
        await remember(store, encoded, STREAM)
        await engine.close()
        await store.close()
        tokens = StreamKeys.of(STREAM).tokens
        async with Redis.from_url(running.url) as client:
            [first, *_] = await client.hkeys(tokens)
            await client.hset(tokens, first, b"damaged")
        yield running


async def test_what_a_replica_logs_for_a_question_has_the_id_that_the_client_was_given(
    redis, unused_tcp_port
):
    need_ray()
    variables = {"FLASHBACK_REDIS_URL": redis.url, "FLASHBACK_LOG": "json"}
    arguments = ("serve", "--cluster", "--model", "tiny", "--port", str(unused_tcp_port))
    async with flashback(*arguments, forked=False, **variables) as host:
        async with httpx.AsyncClient(base_url=host.url, timeout=60) as client:
            given = {"X-Request-Id": "from-nginx-17"}
            answer = await client.post("/v1/chat/completions", json=ASKED, headers=given)
        assert answer.status_code == 200, answer.text
        async with asyncio.timeout(60):
            while True:
                said = (await host.process.stdout.readline()).decode()
                assert said, "it says it before it ends"
                # Whatever comes besides is JSON, too: a collector reads it line by line.
                line = json.loads(said)
                if "is passed over" in line["message"] and "replica" in line:
                    break
    assert line["request"] == answer.headers["X-Request-Id"] == "from-nginx-17"
    assert line["replica"].startswith("answerer-")
    assert (line["level"], line["logger"]) == ("warning", "memory.redis.clips")
