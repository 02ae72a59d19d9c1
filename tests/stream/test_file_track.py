"""A file played as a WebRTC track."""

import asyncio
from itertools import pairwise

import pytest

from stream.webrtc.file_track import CLOCK, FileTrack
from tests.stream.skipped_time import SkippingLoop
from tests.stream.videos import write_video


@pytest.mark.parametrize(("name", "codec"), [("joined.ts", "mpeg2video"), ("joined.flv", "flv")])
async def test_joined_files_play_on_and_again_from_the_beginning(tmp_path, name, codec):
    film = await asyncio.to_thread(write_video, tmp_path / name, seconds=1.0, codec=codec)
    film.write_bytes(2 * film.read_bytes())
    track = await FileTrack.open(film, repeat=True)
    stamps = await asyncio.to_thread(lambda: [track._next().pts for _ in range(60)])
    await track.close()
    steps = [(b - a) / CLOCK for a, b in pairwise(stamps)]
    assert steps == pytest.approx([0.1] * 59, abs=0.06)


async def when_each_comes(film, count):
    now = asyncio.get_running_loop().time
    track = await FileTrack.open(film, repeat=True)
    times = []
    for _ in range(count):
        await track.recv()
        times.append(now())
    await track.close()
    return times


def test_a_repeating_file_keeps_the_pace(tmp_path, no_blocking_calls):
    no_blocking_calls.deactivate()  # a loop that skips time has no threads
    film = write_video(tmp_path / "short.mp4", seconds=0.5)
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        times = runner.run(when_each_comes(film, 30))
    assert [b - a for a, b in pairwise(times)] == pytest.approx([0.1] * 29, abs=0.001)
