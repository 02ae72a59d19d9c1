"""Tracks that come up in the middle: sound that begins later, a program that changes its numbers."""

import asyncio

import av
import numpy as np
import pytest

from stream.file.joined import left_out
from stream.file.pieces import programme
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


def _broadcast(path, codec="libx264", *, m2ts=False, **container):
    options = {f"mpegts_{name}": value for name, value in container.items()}
    options |= {"mpegts_m2ts_mode": "1"} if m2ts else {}
    film = write_video(path, 1.0, codec=codec, container=options, options={"bf": "0"})
    return film.read_bytes()


@pytest.fixture(scope="module")
def other_encoders(tmp_path_factory):
    """What may come behind a second of H.264, by container: another codec, program, or size."""
    folder = tmp_path_factory.mktemp("encoders")

    def film(name, codec, size=(96, 64)):
        path = folder / f"{codec}{size[0]}.{name}"
        return write_video(path, 1.0, codec=codec, size=size, options={"bf": "0"}).read_bytes()

    plain, bluray = folder / "plain.ts", folder / "bluray.m2ts"
    moved = {"start_pid": "0x300", "pmt_start_pid": "0x1100"}
    other_program = {"start_pid": "0x300", "service_id": "7"}
    return {
        "codec.ts": (_broadcast(plain), _broadcast(plain, "mpeg2video")),
        "hevc.ts": (_broadcast(plain), _broadcast(plain, "libx265")),
        "codec.m2ts": (_broadcast(bluray, m2ts=True), _broadcast(bluray, "libx265", m2ts=True)),
        "moved.ts": (_broadcast(plain), _broadcast(plain, **moved)),
        "program.ts": (_broadcast(plain), _broadcast(plain, **other_program)),
        "codec.flv": (film("flv", "libx264"), film("flv", "flv1")),
        "headless.flv": (film("flv", "libx264"), film("flv", "flv1")[FLV_HEADER:]),
        "codec.ivf": (film("ivf", "libvpx"), film("ivf", "libvpx-vp9")),
        "size.y4m": (film("y4m", "wrapped_avframe"), film("y4m", "wrapped_avframe", (48, 32))),
    }


CHANGES = [
    *("codec.ts", "hevc.ts", "codec.m2ts", "moved.ts", "program.ts"),
    *("codec.flv", "headless.flv", "codec.ivf", "size.y4m"),
]


@pytest.mark.parametrize("name", CHANGES)
async def test_what_another_encoder_sends_later_is_left_out_in_words(
    live, other_encoders, tmp_path, name
):
    before, after = other_encoders[name]
    path = tmp_path / name
    path.write_bytes(before + after + before)
    sampled = await feed_whole_file(path, live)
    assert sampled.of == pytest.approx(10, abs=1)
    assert "More of the file is not read: its last 0.1 MB" in sampled.left_out
    async with VideoFile(path) as file:
        assert len([1 async for _ in file.pictures()]) == pytest.approx(10, abs=1)
    picker, _ = await asyncio.to_thread(look, order(str(path)))
    assert picker.seen == pytest.approx(10, abs=1)


@pytest.mark.parametrize("name", CHANGES)
def test_of_one_encoder_nothing_is_left_out(other_encoders, tmp_path, name):
    before, _ = other_encoders[name]
    path = tmp_path / name
    path.write_bytes(3 * before)
    assert left_out(path) == ""


def test_a_damaged_table_changes_nothing(tmp_path):
    path = tmp_path / "damaged.ts"
    plain = _broadcast(path)
    table = plain.index(b"\x1b\xe1\x00")  # H.264, in packets 0x100
    path.write_bytes(plain + plain[:table] + b"\x02" + plain[table + 1 :])
    assert left_out(path) == ""


def test_in_a_large_broadcast_the_change_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(programme, "_WINDOW", 20 * 188)
    path = tmp_path / "large.ts"
    plain, other = _broadcast(path), _broadcast(path, "mpeg2video")
    for parts in (1, 40, 79):
        path.write_bytes(parts * plain + (80 - parts) * other)
        with path.open("rb") as file:
            read = programme.read_to(file, path.stat().st_size)
        assert 0 <= read - parts * len(plain) < 4 * 188
    path.write_bytes(80 * plain)
    assert left_out(path) == ""
