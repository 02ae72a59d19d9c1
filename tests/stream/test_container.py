"""Nothing is taken away from FFmpeg while it reads: that ends the whole process."""

import asyncio
import os
import subprocess
import sys
import threading

import pytest

from stream.file.container import OneAtATime, open_in_thread
from tests.stream.videos import write_video

LEFT_OPEN = """
import gc, sys
from stream.file.container import open_input
from stream.file.first_bytes import playlist_options
gc.disable()
for _ in range(20):
    playlist = open(sys.argv[1], "rb")
    container = open_input(playlist, "hls", playlist_options(), io_open=lambda url, *_: open(url, "rb"))
    packets = container.demux(video=0)
    next(packets)
    del packets, container, playlist
    gc.collect()
print("collected")
"""


def test_what_nobody_closed_is_closed_before_it_is_collected(tmp_path):
    whole = {"hls_time": "1", "hls_list_size": "0"}
    options = {"g": "10"}
    playlist = write_video(
        tmp_path / "a.m3u8", 20.0, codec="libx264", options=options, container=whole
    )
    ended = subprocess.run(
        [sys.executable, "-c", LEFT_OPEN, str(playlist)],
        capture_output=True,
        text=True,
        # So that what is used after it was let go of is not there by chance.
        env=os.environ | {"PYTHONMALLOC": "malloc", "MALLOC_PERTURB_": "165"},
    )
    assert (ended.returncode, ended.stdout) == (0, "collected\n"), ended.stderr


class SlowFilm:
    """Takes until `go` to open."""

    def __init__(self):
        self.begun, self.go, self.closed = threading.Event(), threading.Event(), threading.Event()

    def open(self):
        self.begun.set()
        assert self.go.wait(60)
        return self

    def close(self):
        self.closed.set()


async def test_what_is_given_up_while_it_opens_is_closed_once_it_is_open():
    film = SlowFilm()
    opening = asyncio.create_task(open_in_thread(film.open, SlowFilm.close))
    assert await asyncio.to_thread(film.begun.wait, 60)
    opening.cancel()
    await asyncio.wait([opening])
    assert opening.cancelled()
    assert not film.closed.is_set()
    film.go.set()
    assert await asyncio.to_thread(film.closed.wait, 60)


async def test_closing_waits_for_the_step_under_way_also_if_it_is_given_up_itself():
    using, film = OneAtATime(), SlowFilm()
    reading = asyncio.create_task(using.do(film.open))
    assert await asyncio.to_thread(film.begun.wait, 60)
    reading.cancel()
    closing = asyncio.create_task(using.do_last(film.close))
    await asyncio.wait([closing], timeout=0.1)
    closing.cancel()
    await asyncio.wait([reading, closing])
    assert not film.closed.is_set()
    film.go.set()
    assert await asyncio.to_thread(film.closed.wait, 60)


async def test_nothing_is_read_of_what_is_closed():
    using, done = OneAtATime(), list[str]()
    await using.do_last(lambda: done.append("closed"))
    with pytest.raises(RuntimeError, match="closed"):
        await using.do(lambda: done.append("read"))
    assert done == ["closed"]
