"""Deleting on a disk that is full: a small one of its own, in memory, mounted for the test."""

import contextlib
import itertools
import os
import shutil
import signal
import subprocess

import pytest
import torch

from memory.embedded import reserve
from memory.embedded.reserve import Reserve
from memory.embedded.server import EmbeddedRedis
from memory.errors import StoreFull, StoreUnavailable
from memory.redis.store import RedisStore
from model.types import ClipTokens
from tests.end_to_end.needs import need
from tests.memory.conftest import ENCODER
from tests.waiting import holds

MEGABYTES = 24


@pytest.fixture
def disk(tmp_path):
    """A folder on a disk of 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ("-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=700", "tmpfs", str(folder))
    mounted = os.geteuid() == 0 and shutil.which("mount")
    mounted = mounted and subprocess.run(["mount", *options], check=False).returncode == 0
    need(mounted, "root, allowed to mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
async def server(disk):
    async with await EmbeddedRedis.start(disk / "redis", megabytes=64) as server:
        yield server


@pytest.fixture
async def store(server):
    store = RedisStore.connect(server.url, ENCODER, make_room=server.make_room)
    await store.begin("small", 1000.0)
    await store.append("small", clip(0.0), b"kept")
    await store.begin("large", 1000.0)
    yield store
    await store.close()


def clip(start, rows=2):
    return ClipTokens(torch.ones(rows, 256), start, start + 1.5)


async def fill(store):
    for start in map(float, itertools.count()):
        await store.append("large", clip(start, rows=4096), b"")


async def takes(store, start):
    with contextlib.suppress(StoreFull):
        await store.append("small", clip(start), b"new")
        return True
    return False


async def answers(store):
    with contextlib.suppress(StoreUnavailable):
        await store.check()
        return True
    return False


@pytest.mark.parametrize("way", ["stream", "range"])
async def test_deleting_makes_room_on_a_full_disk_and_outlives_a_kill(store, server, way):
    with pytest.raises(StoreFull, match="make room on the disk"):
        await fill(store)
    if way == "stream":
        await store.forget("large")
    else:
        assert await store.forget_range("large", 0.0, 1e6) > 1
    await store.compact()
    await holds(lambda: takes(store, 4.0), 20)
    os.kill(server.pid, signal.SIGKILL)
    await holds(lambda: answers(store), 20)
    large = await store.find("large")
    assert large is None if way == "stream" else large.clips == 0
    assert (await store.find("small")).clips == 2
    assert await store.thumbnail("small", 0.0) == b"kept"


async def test_without_a_reserve_a_full_disk_refuses_the_deletion_whole(store, server):
    with pytest.raises(StoreFull):
        await fill(store)
    before = await store.find("large")
    without = RedisStore.connect(server.url, ENCODER)
    with pytest.raises(StoreFull, match="make room on the disk"):
        await without.forget("large")
    assert await without.find("large") == before
    await without.close()


def test_the_reserve_takes_room_only_where_there_is_plenty_and_takes_it_up_again(disk):
    kept = Reserve(disk)
    assert kept.fill()
    assert kept.fill(), "it has it all"
    assert kept.give_up_piece()
    (disk / "pictures").write_bytes(b"\0" * (reserve.PIECE + 1))
    assert not kept.fill(), "it would fill the disk"
    pieces = 0
    while kept.give_up_piece():
        pieces += 1
    assert pieces == reserve.SIZE // reserve.PIECE - 1
    (disk / "pictures").unlink()
    assert kept.fill()
