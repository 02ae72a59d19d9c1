"""The embedded Redis: private, kept, restarted, and gone when its service is."""

import asyncio
import contextlib
import itertools
import logging
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
import torch
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from memory.embedded import child
from memory.embedded.binary import RedisBinary, find_server
from memory.embedded.lock import DirectoryLock
from memory.embedded.server import EmbeddedRedis, open_redis
from memory.errors import StoreFull, StoreUnavailable
from memory.redis import disk as redis_disk
from memory.redis.store import RedisStore
from model.types import ClipTokens

ENCODER = "test-encoder"
SERVICE = """
import asyncio, sys
from pathlib import Path
from memory.embedded.server import EmbeddedRedis
async def main():
    server = await EmbeddedRedis.start(Path(sys.argv[1]), megabytes=16)
    print(server.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""

SILENT_AT_FIRST = """#!{python}
import os, socket, sys
path = sys.argv[sys.argv.index("--unixsocket") + 1]
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(path)
    listener.listen()
    peer, _ = listener.accept()
    while peer.recv(4096):  # hears, says nothing, until it is given up on
        pass
os.execv("{server}", ["{server}", *sys.argv[1:]])
"""


def clip(start: float, rows: int = 2) -> ClipTokens:
    return ClipTokens(torch.ones(rows, 256), start, start + 1.5)


async def ended(pid: int) -> None:
    """Wait for the end of a process that may be anybody's child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(descriptor, event.set)
    try:
        async with asyncio.timeout(60):
            await event.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def fill(store: RedisStore) -> None:
    for index in itertools.count():
        await store.append("a", clip(float(index)), b"")


async def answers(store: RedisStore) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(StoreUnavailable):
                return await store.check()


async def test_what_was_remembered_is_there_after_a_restart_of_the_service(tmp_path):
    for start in (0.0, 4.0):
        async with await EmbeddedRedis.start(tmp_path / "redis", megabytes=16) as server:
            store = RedisStore.connect(server.url, ENCODER)
            record = await store.begin("a", now=100.0 + start)
            await store.append("a", clip(start), b"picture")
            await store.close()
    assert (record.began, record.clips) == (100.0, 1)


async def test_it_is_started_again_with_what_it_had(embedded, caplog):
    store = RedisStore.connect(embedded.url, ENCODER)
    await store.begin("a", 0.0)
    await store.append("a", clip(0.0), b"picture")
    first = embedded.pid
    os.kill(first, signal.SIGKILL)
    await ended(first)
    await answers(store)
    assert embedded.pid != first
    assert await store.thumbnail("a", 0.0) == b"picture"
    assert "the embedded Redis ended; it is started again" in caplog.text
    await store.close()


async def test_a_directory_that_is_removed_while_it_runs_is_said_and_stops_nothing(
    tmp_path, caplog
):
    directory = tmp_path / "redis"
    server = await EmbeddedRedis.start(directory, megabytes=16)
    said = asyncio.Event()
    watching = Heard("was removed", said)
    logging.getLogger("memory.embedded.server").addHandler(watching)
    try:
        await asyncio.to_thread(shutil.rmtree, directory)
        os.kill(server.pid, signal.SIGKILL)
        await said.wait()
    finally:
        logging.getLogger("memory.embedded.server").removeHandler(watching)
        await server.stop()
    assert "start Flashback again" in caplog.text


class Heard(logging.Handler):
    """Sets `event` once `words` are logged."""

    def __init__(self, words, event):
        super().__init__()
        self._words, self._event = words, event

    def emit(self, record):
        if self._words in record.getMessage():
            self._event.set()


async def test_what_a_killed_redis_left_half_written_is_removed(tmp_path):
    left = tmp_path / "temp-rewriteaof-123.aof"
    left.write_bytes(b"half of all that it held")
    async with await EmbeddedRedis.start(tmp_path, megabytes=16):
        assert not left.exists()


async def test_stop_leaves_no_process_no_socket_and_no_lock(tmp_path):
    server = await EmbeddedRedis.start(tmp_path, megabytes=16)
    await server.stop()
    await ended(server.pid)
    assert not (tmp_path / "redis.sock").exists()
    (await DirectoryLock.take(tmp_path, within=0)).release()


async def test_it_dies_when_its_service_is_killed_and_lets_the_directory_go(tmp_path):
    service = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVICE, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    pid = int(await service.stdout.readline())
    with pytest.raises(StoreUnavailable, match=f"process {service.pid}"):
        await DirectoryLock.take(tmp_path, within=0)
    service.kill()
    await service.wait()
    await ended(pid)
    async with await EmbeddedRedis.start(tmp_path, megabytes=16):
        pass  # at once: nobody has to clean up


async def test_the_lock_outlives_the_service_while_its_redis_lives(tmp_path):
    service = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVICE, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    pid = int(await service.stdout.readline())
    os.kill(pid, signal.SIGSTOP)  # it cannot end yet
    service.kill()
    await service.wait()
    try:
        with pytest.raises(StoreUnavailable):
            await DirectoryLock.take(tmp_path, within=0.1)
    finally:
        os.kill(pid, signal.SIGCONT)
    await ended(pid)
    (await DirectoryLock.take(tmp_path)).release()


async def watched_program():
    program = [
        sys.executable,
        "-c",
        "import os, time; print(os.getpid(), flush=True); time.sleep(99)",
    ]
    watcher = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", child.__file__, "watch", *program),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    pid = int(await watcher.stdout.readline())
    return watcher, pid


async def test_without_help_from_the_kernel_the_end_of_a_pipe_ends_it():
    watcher, pid = await watched_program()
    watcher.stdin.close()
    await ended(pid)
    assert await watcher.wait() == 128 + signal.SIGTERM


async def test_without_help_from_the_kernel_it_is_stopped_by_stopping_the_watcher():
    watcher, pid = await watched_program()
    watcher.terminate()
    await ended(pid)
    assert await watcher.wait() == 128 + signal.SIGTERM


async def test_only_this_user_can_read_what_it_keeps(tmp_path):
    directory = tmp_path / "redis"
    directory.mkdir(mode=0o755)
    async with await EmbeddedRedis.start(directory, megabytes=16):
        for path in (directory, *directory.iterdir()):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


async def test_it_listens_on_no_port(embedded):
    connections = psutil.Process(embedded.pid).net_connections(kind="inet")
    assert connections == []
    assert psutil.Process(embedded.pid).net_connections(kind="unix")


async def test_a_path_too_long_for_a_socket_is_no_obstacle(tmp_path):
    directory = tmp_path / ("long" * 30) / "redis"
    server = await EmbeddedRedis.start(directory, megabytes=16)
    store = RedisStore.connect(server.url, ENCODER)
    await store.check()
    await store.close()
    await server.stop()
    assert not Path(server.url.removeprefix("unix://")).parent.exists()


async def test_a_folder_that_a_killed_service_left_for_its_socket_is_gone_at_the_next_start(
    tmp_path, monkeypatch
):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    (temporary / "flashback-redis-of-someone").write_text("no folder")
    data = [tmp_path / (letter * 120) for letter in "abc"]
    service = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVICE, str(data[0])), stdout=asyncio.subprocess.PIPE
    )
    pid = int(await service.stdout.readline())
    [left] = temporary.glob("flashback-redis-*/redis.sock")
    async with await EmbeddedRedis.start(data[1], megabytes=16) as other:
        assert left.exists(), "its service lives"
        service.kill()
        await service.wait()
        await ended(pid)
        async with await EmbeddedRedis.start(data[2], megabytes=16):
            assert not left.parent.exists()
            async with Redis.from_url(other.url, driver_info=None) as client:
                assert await client.ping()
    assert [path.name for path in temporary.iterdir()] == ["flashback-redis-of-someone"]


@pytest.mark.parametrize(
    "name",
    [
        "proj #1",
        "a%20b",
        "what?",
        "a b",
        "a@b",
        'a"b',
        "a\\b",
        "tab\tand\nline",
        "käse",
        "[::1]",
        "--dir",
        os.fsdecode(b"caf\xe9"),
    ],
)
async def test_any_folder_can_hold_the_data(tmp_path, name):
    directory = tmp_path / name
    async with await EmbeddedRedis.start(directory, megabytes=16) as server:
        store = RedisStore.connect(server.url, ENCODER)
        await store.begin("yard", 1.0)
        await store.close()
    assert (directory / "appendonly.aof").exists() or (directory / "appendonlydir").exists()


async def test_a_start_that_fails_shows_the_servers_last_words(tmp_path):
    (tmp_path / "appendonly.aof").write_bytes(b"this is no append-only file\r\n")
    with pytest.raises(StoreUnavailable, match="Bad file format reading the append only file"):
        await EmbeddedRedis.start(tmp_path, megabytes=16)
    (await DirectoryLock.take(tmp_path, within=0)).release()


async def test_a_server_too_busy_to_answer_at_first_is_waited_for(tmp_path):
    real = await asyncio.to_thread(find_server)
    script = tmp_path / "silent-at-first"
    script.write_text(SILENT_AT_FIRST.format(python=sys.executable, server=str(real.path)))
    script.chmod(0o755)
    slow = RedisBinary(script, real.version, "PATH")
    async with await EmbeddedRedis.start(tmp_path / "redis", megabytes=16, server=slow) as server:
        store = RedisStore.connect(server.url, ENCODER)
        await store.check()
        await store.close()


async def test_data_of_a_newer_redis_is_not_overlooked_by_an_older_one(tmp_path):
    (tmp_path / "appendonlydir").mkdir()
    old = RedisBinary((await asyncio.to_thread(find_server)).path, (6, 2, 14), "PATH")
    with pytest.raises(StoreUnavailable, match="written by Redis 7 or newer"):
        await EmbeddedRedis.start(tmp_path, megabytes=16, server=old)


async def test_a_disk_that_fills_up_refuses_clips_until_there_is_room(embedded):
    store = RedisStore.connect(embedded.url, ENCODER)
    await store.begin("a", 0.0)
    await store.append("a", clip(0.0), b"")
    _, most = resource.prlimit(embedded.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(embedded.pid, resource.RLIMIT_FSIZE, (20_000, most))
    with pytest.raises(StoreFull, match="make room on the disk"):
        await asyncio.wait_for(fill(store), 60)
    assert (await store.streams())[0].clips >= 1
    await store.check()
    with pytest.raises(StoreFull, match="make room on the disk"):
        await store.begin("new", 0.0)
    resource.prlimit(embedded.pid, resource.RLIMIT_FSIZE, (most, most))
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(StoreFull):
                await store.append("a", clip(2e6), b"after")
                break
    assert await store.thumbnail("a", 2e6) == b"after"
    await store.close()


async def test_a_url_is_used_as_it_is(tmp_path):
    async with open_redis("redis://elsewhere:6379", tmp_path / "redis") as server:
        assert server.url == "redis://elsewhere:6379"
        assert not await server.make_room(), "its disk is not ours"
    assert not (tmp_path / "redis").exists()


async def test_without_a_url_there_is_an_embedded_one(tmp_path):
    async with open_redis("", tmp_path / "redis", megabytes=16) as server:
        store = RedisStore.connect(server.url, ENCODER)
        await store.check()
        await store.close()


async def test_where_a_full_disk_meets_a_kill_no_clip_is_lost_that_was_acknowledged(embedded):
    store = RedisStore.connect(embedded.url, ENCODER)
    await store.begin("a", 0.0)
    _, most = resource.prlimit(embedded.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(embedded.pid, resource.RLIMIT_FSIZE, (20_000, most))
    acknowledged = []

    async def write() -> None:
        for start in map(float, itertools.count()):
            await store.append("a", clip(start), b"")
            acknowledged.append(start)

    with pytest.raises(StoreFull, match="make room on the disk"):
        await asyncio.wait_for(write(), 60)
    killed = embedded.pid
    os.kill(killed, signal.SIGKILL)
    await ended(killed)
    await answers(store)
    remembered = [moment.start for moment in await store.moments("a")]
    assert len(acknowledged) > 1
    assert set(acknowledged) <= set(remembered)
    await store.close()


async def test_what_redis_holds_back_while_its_disk_is_busy_is_waited_for(monkeypatch):
    busy = {"aof_enabled": 1, "aof_pending_bio_fsync": 1, "aof_buffer_length": 300}
    written = busy | {"aof_buffer_length": 0}
    monkeypatch.setattr(redis_disk, "_LOOK_AGAIN", 0.0001)
    looks = [busy, busy, written]

    async def look():
        return looks.pop(0)

    await redis_disk.check_on_disk(busy, look)
    assert looks == []
    looks = [busy | {"aof_last_write_status": "err"}]
    with pytest.raises(StoreFull, match="make room on the disk"):
        await redis_disk.check_on_disk(busy, look)


async def test_what_redis_is_about_to_write_is_acknowledged_once_it_says_that_there_was_room():
    held = {"aof_enabled": 1, "aof_pending_bio_fsync": 0, "aof_buffer_length": 300}
    looks = [held]  # of others, who write all the time

    async def look():
        return looks.pop(0)

    await redis_disk.check_on_disk(held, look)
    assert looks == []
    looks = [held | {"aof_last_write_status": "err"}]
    with pytest.raises(StoreFull, match="make room on the disk"):
        await redis_disk.check_on_disk(held, look)


@pytest.mark.parametrize("says", [{}, {"aof_enabled": 0}, NoPermissionError("no INFO for you")])
async def test_a_redis_that_keeps_no_file_or_does_not_let_us_ask_is_taken_at_its_word(says):
    await redis_disk.check_on_disk(says, None)
