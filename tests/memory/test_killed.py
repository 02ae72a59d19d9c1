"""`kill -9` of the service, of its Redis, of both, and in the middle of a fold: what was acknowledged is there."""

import asyncio
import itertools
import os
import signal
import sys
from dataclasses import replace

import pytest
import torch
from redis.asyncio import Redis

from memory.embedded.server import EmbeddedRedis
from memory.errors import StoreUnavailable
from memory.redis.store import RedisStore
from memory.retention import Retention, RetentionLimits
from model.types import ClipTokens
from tests.memory.conftest import ENCODER
from tests.memory.dying import die_after, dying
from tests.memory.test_embedded import ended

WRITER = """
import asyncio, itertools, sys
from pathlib import Path
import torch
from memory.embedded.server import EmbeddedRedis
from memory.redis.store import RedisStore
from memory.errors import StoreUnavailable
from model.types import ClipTokens

async def main():
    server = await EmbeddedRedis.start(Path(sys.argv[1]), megabytes=64)
    store = RedisStore.connect(server.url, "test-encoder")
    await store.begin("a", 1000.0)
    told = None
    for start in map(float, itertools.count()):
        while True:
            try:
                await store.append("a", ClipTokens(torch.full((4, 64), start), start, start), b"%d" % start)
                break
            except StoreUnavailable:
                await asyncio.sleep(0.01)
        if server.pid != told:  # of one that has answered, so that it is not the one that was killed
            told = server.pid
            print("redis", told, flush=True)
        print("acknowledged", int(start), flush=True)

asyncio.run(main())
"""


class Writer:
    """A process that remembers clips as fast as it can.

    Attributes:
        acknowledged: The starts of those that it was told are safe.
        redis: The process id of its Redis, or None from its kill until the next one has answered.
    """

    def __init__(self, process):
        self.process = process
        self.acknowledged = []
        self.redis = None

    async def starts(self):
        """Wait for its first word: to load what it needs takes minutes on a crowded machine."""
        assert self.heard(await self.process.stdout.readline()), "it ended"

    async def goes_on(self, clips):
        """Read what it says until the Redis that runs has acknowledged so many more."""
        async with asyncio.timeout(60):
            while self.redis is None:
                assert self.heard(await self.process.stdout.readline()), "it ended"
            enough = len(self.acknowledged) + clips
            while len(self.acknowledged) < enough:
                assert self.heard(await self.process.stdout.readline()), "it ended"

    def kill_redis(self):
        os.kill(self.redis, signal.SIGKILL)
        self.redis = None

    async def ends(self):
        rest, _ = await self.process.communicate()
        for line in rest.splitlines(keepends=True):
            self.heard(line)

    def heard(self, line):
        if not line.endswith(b"\n"):
            return False
        word, number = line.split()
        if word == b"redis":
            self.redis = int(number)
        else:
            self.acknowledged.append(float(number))
        return True


@pytest.mark.parametrize("kills", [["service"], ["redis", "both"]], ids=" then ".join)
async def test_what_was_acknowledged_is_there_after_kill_9_of(tmp_path, kills):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    writer = Writer(process)
    await writer.starts()
    for killed in kills:
        await writer.goes_on(30)
        last = writer.redis
        if killed == "both":
            process.send_signal(signal.SIGSTOP)  # or it could start another Redis in between
        if killed != "service":
            writer.kill_redis()
        if killed != "redis":
            process.kill()
    await writer.ends()
    await ended(last)
    async with await EmbeddedRedis.start(tmp_path, megabytes=64) as server:
        store = RedisStore.connect(server.url, ENCODER)
        clips = {clip.start: clip async for clip in store.clips("a")}
        assert set(writer.acknowledged) <= set(clips)
        assert all(torch.all(clip.values == start) for start, clip in clips.items())
        assert await store.thumbnail("a", 29.0) == b"29"
        record = await store.find("a")
        assert (record.began, record.clips) == (1000.0, len(clips))
        assert record.bytes == sum(kept.bytes for kept in await store.kept("a"))
        await store.close()


CLIPS = 12


def joined(one, other):
    return replace(one, end=other.end, frames=one.frames + other.frames)


def retention(store, size):
    return Retention(store, RetentionLimits(each=size // 3), frames=4, join=joined)


async def test_a_fold_that_is_killed_at_any_command_leaves_all_of_the_past_and_is_taken_up_again(
    embedded,
):
    store = RedisStore.connect(embedded.url, ENCODER)
    await store.begin("a", 1000.0)
    for start in map(float, range(0, 4 * CLIPS, 4)):
        await store.append("a", ClipTokens(torch.full((4, 64), start), start, start + 3), b"jpeg")
    size = (await store.find("a")).bytes
    async with (
        Redis.from_url(embedded.url, driver_info=None) as redis,
        dying(embedded.url) as doomed,
    ):
        before = [key for key in await redis.keys() if b"{a}" in key]
        for key in before:
            await redis.copy(key, b"before" + key)
        await retention(store, size).enforce(2000.0)
        folded = await redis.hgetall("flashback:{a}:tokens")
        assert len(folded) < CLIPS
        for commands in itertools.count():
            for key in before:
                await redis.copy(b"before" + key, key, replace=True)
            die_after(commands)
            try:
                await retention(RedisStore(doomed, ENCODER), size).enforce(2000.0)
                break
            except StoreUnavailable:
                kept = await store.kept("a")
            assert sum(clip.frames for clip in kept) == 4 * CLIPS, "nothing is lost"
            assert sum(clip.bytes for clip in kept) == (await store.find("a")).bytes
            await retention(store, size).enforce(2000.0)
            assert await redis.hgetall("flashback:{a}:tokens") == folded, "as if it had gone on"
        assert commands > 20
    await store.close()
