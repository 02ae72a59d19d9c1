"""A file played as a WebRTC track."""

import asyncio
from itertools import pairwise

import pytest

from stream.webrtc.file_track import CLOCK, FileTrack
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
