"""Tracks that come up in the middle: sound that begins later, a program that changes its numbers."""

import asyncio

import av
import numpy as np
import pytest

from stream.file.reader import VideoFile
from stream.file.whole_file import feed_whole_file
from tests.stream.opening import look, order
from tests.stream.test_endings import stream_of
from tests.stream.videos import write_video

FLV_HEADER = 13
OTHER_NUMBERS = {"mpegts_start_pid": "0x300"}
OTHER_TABLE = OTHER_NUMBERS | {"mpegts_pmt_start_pid": "0x1100"}


def write_with_sound(path, seconds=2.0):
    with av.open(str(path), "w") as file:
        film = file.add_stream("libx264", rate=10, options={"bf": "0"})
        film.width, film.height, film.pix_fmt = 96, 64, "yuv420p"
        sound = file.add_stream("aac", rate=8000)
        sound.layout = "mono"
        for _ in range(round(seconds * 10)):
            pixels = np.zeros((64, 96, 3), np.uint8)
            file.mux(film.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            heard = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.float32), "fltp", "mono")
            heard.sample_rate = 8000
            file.mux(sound.encode(heard))
        file.mux(film.encode())
        file.mux(sound.encode())
    return path


@pytest.fixture(scope="module")
def changing(tmp_path_factory):
    """Four seconds, in whose middle something comes up, by what that is."""
    folder = tmp_path_factory.mktemp("changing")

    def part(name, container=None):
        options = {"bf": "0"}
        film = write_video(
            folder / name, 2.0, codec="libx264", container=container, options=options
        )
        return film.read_bytes()

    silent, heard = part("a.flv"), write_with_sound(folder / "b.flv").read_bytes()
    plain = part("a.ts")
    return {
        "sound.flv": silent + heard[FLV_HEADER:],
        "numbers.ts": plain + part("b.ts", OTHER_NUMBERS),
        "table.ts": plain + part("c.ts", OTHER_TABLE),
    }


@pytest.mark.parametrize(
    ("name", "frames"), [("sound.flv", 40), ("numbers.ts", 40), ("table.ts", 20)]
)
async def test_a_file_in_whose_middle_a_track_comes_up_is_read(
    live, changing, tmp_path, name, frames
):
    path = tmp_path / name
    path.write_bytes(changing[name])
    assert (await feed_whole_file(path, live)).of == pytest.approx(frames, abs=1)
    async with VideoFile(path) as file:
        assert len([1 async for _ in file.pictures()]) == pytest.approx(frames, abs=1)
    picker, _ = await asyncio.to_thread(look, order(str(path)))
    assert picker.seen == pytest.approx(frames, abs=1)


@pytest.mark.parametrize(("name", "frames"), [("sound.flv", 40), ("numbers.ts", 40)])
@pytest.mark.parametrize("live", [True, False])
def test_a_stream_in_whose_middle_a_track_comes_up_goes_on(
    site, address, changing, name, frames, live
):
    if live:
        site.answers[f"/{name}"] = stream_of(changing[name])
    else:
        site.file(f"/{name}", changing[name])
    picker, picked = look(order(f"{address}/{name}"))
    assert picker.seen == pytest.approx(frames, abs=1)
    assert len(picked) in {7, 8, 9}
