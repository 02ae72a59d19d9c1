"""The process that reads a source: what it does, how it fails, and that it never stays behind."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
import textwrap
from collections import deque
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from stream.address.source_url import read_source
from stream.pull.messages import FrameReady
from stream.pull.process import Reader, make_order
from stream.pull.worker import _MEMORY_LIMIT
from tests.stream.fakes import becomes, until
from tests.stream.pulling import IMPATIENT, SETTINGS, readers, remembered, start
from tests.stream.videos import write_video

REPOSITORY = Path(__file__).parents[2]


async def test_a_picture_is_scaled_down_in_the_reader(tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", 1.0, size=(1280, 720))
    source = read_source(str(film), local=True)
    reader = Reader(await make_order(source, SETTINGS, trusted=True))
    try:
        async with aclosing(reader.reports(20)) as reports:
            shown = [report async for report in reports if isinstance(report, FrameReady)]
        assert {(one.height, one.width) for one in shown} == {(360, 640)}
        assert reader.picture(shown[-1]).shape == (360, 640, 3)
    finally:
        await reader.close()


async def test_a_reader_whose_closing_is_cancelled_is_gone_nevertheless(tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", 20.0)
    order = await make_order(read_source(str(film), local=True), SETTINGS, trusted=True)
    service = psutil.Process()
    before = service.num_fds()
    reader = Reader(order)
    async with aclosing(reader.reports(20)) as reports:
        await anext(reports)
        [process] = readers()
        closing = asyncio.create_task(reader.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        assert closing.cancelled()
        assert not process.is_running()
    assert service.num_fds() == before


async def test_a_puller_closed_while_its_feed_ends_leaves_no_process_behind(live, pull, tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", 20.0)
    with live.subscribe() as news:
        puller = pull(film, trusted=True)
        await until(becomes("live"), news)
        [process] = readers()
        puller._feed.close("Another source takes over.")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await puller.close()
    assert not process.is_running()


async def test_the_reader_follows_the_rate_that_is_wanted(rtsp_server, live, pull):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url("jpeg"))
        await until(remembered, news)
        now = asyncio.get_running_loop().time
        arrivals = deque(maxlen=11)
        with live.watch() as pictures:
            # Ten at the rate of memory would take two seconds and a half.
            while len(arrivals) < 11 or arrivals[-1] - arrivals[0] > 2.0:
                await pictures.next()
                arrivals.append(now())


async def test_a_reader_that_hangs_is_killed_and_started_anew(rtsp_server, live, pull):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url("jpeg"), IMPATIENT)
        await until(becomes("live"), news)
        [hung] = readers()
        hung.send_signal(signal.SIGSTOP)
        await until(becomes("retrying", "No picture came for 2 seconds"), news)
        await until(becomes("live"), news)
        assert not hung.is_running()


async def test_a_reader_that_crashes_is_started_anew(rtsp_server, live, pull):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url("jpeg"))
        await until(becomes("live"), news)
        readers()[0].kill()
        await until(becomes("retrying", "ended unexpectedly"), news)
        await until(becomes("live"), news)


@pytest.mark.parametrize("says", ["nonsense", '["Shown", 1]', "x" * 100_000])
async def test_a_reader_that_talks_nonsense_is_started_anew(
    live, pull, tmp_path, monkeypatch, says
):
    script = tmp_path / "reader"
    script.write_text(f"#!/bin/sh\nread order\necho '{says}'\nread more\n")
    script.chmod(0o755)
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=20)
    with monkeypatch.context() as patch, live.subscribe() as news:
        patch.setattr(sys, "executable", str(script))
        pull(film, trusted=True)
        await until(becomes("retrying", "it talks nonsense"), news)
        patch.undo()
        await until(becomes("live"), news)


@pytest.mark.parametrize("lack", ["memory", "processes"])
async def test_a_machine_that_has_nothing_left_is_said_and_waited_for(
    live, pull, tmp_path, monkeypatch, lack
):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=20)

    def fail(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch, live.subscribe() as news:
        if lack == "memory":
            patch.setattr(os, "memfd_create", fail)
        else:
            patch.setattr(sys, "executable", str(tmp_path / "nothing"))
        pull(film, trusted=True)
        name = "EMFILE" if lack == "memory" else "ENOENT"
        await until(becomes("retrying", "can start no reader for the source: it is out"), news)
        assert f"({name})" in live.status().reason
        patch.undo()
        await until(becomes("live"), news)


async def test_closing_leaves_no_process_behind(live, pull, tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=20)
    with live.subscribe() as news:
        puller = pull(film, trusted=True)
        await until(becomes("live"), news)
        [reader] = readers()
        await puller.close()
    assert not reader.is_running()
    assert live.status().reason == "The source was removed."


async def test_a_reader_may_take_so_much_memory_and_no_more(live, pull, tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=20)
    with live.subscribe() as news:
        puller = pull(film, trusted=True)
        await until(becomes("live"), news)
        [reader] = readers()
        bounds = reader.rlimit(psutil.RLIMIT_AS)
        await puller.close()
    assert bounds == (_MEMORY_LIMIT, _MEMORY_LIMIT)
    assert 0 < _MEMORY_LIMIT < 2**33


async def test_the_process_does_not_outlive_its_parent(tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=60)
    script = textwrap.dedent(f"""
        import subprocess, sys
        from stream.pull.frame_ring import PictureRing
        from stream.pull.messages import ReaderConfig

        ring = PictureRing.make(640)
        order = ReaderConfig("file", "", 0, {str(film)!r}, "", ring.descriptor, trusted=True)
        reader = subprocess.Popen(
            [sys.executable, "-m", "stream.pull.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[ring.descriptor],
        )
        reader.stdin.write(order.to_line())
        reader.stdin.flush()
        reader.stdout.readline()
        sys.stdout.write(str(reader.pid) + chr(10))
        sys.stdout.flush()
        reader.wait()
    """)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    child = psutil.Process(int(await parent.stdout.readline()))
    assert child.is_running()
    parent.kill()
    await parent.communicate()
    await asyncio.to_thread(psutil.wait_procs, [child], 60)
    assert not child.is_running()


async def test_the_password_is_not_on_the_command_line_nor_in_the_environment(
    rtsp_server, live, pull
):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url("private", "admin:pa%3Ass@"))
        await until(becomes("live"), news)
        [reader] = readers()
        for text in (*reader.cmdline(), *reader.environ().values()):
            assert "pa:ss" not in text
            assert "pa%3Ass" not in text
