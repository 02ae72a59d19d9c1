"""Tracks that come up in the middle: sound that begins later, a program that changes its numbers."""

import asyncio

import av
import numpy as np
import pytest

from stream.file.joined import left_out
from stream.file.pieces import programme
from stream.file.reader import VideoFile
from stream.file.whole_file import feed_whole_file
from stream.pull.decode import Picker
from stream.pull.messages import Place
from stream.pull.remote_film import RemoteFilm
from tests.stream.opening import PlayClock, look, open_source, order
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


OVER_HTTP = ["hevc.ts", "codec.m2ts", "moved.ts", "codec.flv"]


@pytest.mark.parametrize("name", OVER_HTTP)
async def test_over_http_what_another_encoder_sends_later_is_left_out_in_words(
    site, address, live, other_encoders, name, tmp_path
):
    before, after = other_encoders[name]
    site.file(f"/{name}", before + after + before)
    (tmp_path / name).write_bytes(before + after + before)
    film = RemoteFilm(order(f"{address}/{name}"), name)
    sampled = await feed_whole_file(film, live)
    assert sampled.of == pytest.approx(10, abs=1)
    said, of_file = sampled.left_out, await asyncio.to_thread(left_out, tmp_path / name)
    assert said.partition(", from byte")[0] == of_file.partition(", from byte")[0] != ""
    async with VideoFile(film) as file:
        assert len([1 async for _ in file.pictures()]) == pytest.approx(10, abs=1)
        assert file.left_out == sampled.left_out
    site.file(f"/{name}", before)
    assert (await feed_whole_file(film, live)).left_out == ""


@pytest.mark.parametrize("name", OVER_HTTP)
def test_a_stream_that_another_encoder_goes_on_with_ends_there(site, address, other_encoders, name):
    before, after = other_encoders[name]
    site.answers["/live"] = stream_of(before + after + before)
    picker, _ = look(order(f"{address}/live"))
    assert picker.seen == pytest.approx(10, abs=1)


def _playlist(site, segments, *, ended):
    """Serve segments of a second each as `/list.m3u8`."""
    for number, data in enumerate(segments):
        site.file(f"/{number}.ts", data, "video/mp2t")
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXT-X-MEDIA-SEQUENCE:0"]
    for number in range(len(segments)):
        lines += ["#EXT-X-DISCONTINUITY"] if number else []
        lines += ["#EXTINF:1,", f"{number}.ts"]
    lines += ["#EXT-X-ENDLIST"] if ended else []
    site.file("/list.m3u8", "\n".join([*lines, ""]).encode(), "application/vnd.apple.mpegurl")


@pytest.mark.parametrize("name", ["hevc.ts", "moved.ts"])
@pytest.mark.parametrize("ended", [True, False])
def test_of_segments_those_of_another_encoder_are_read_by_the_next_reader(
    site, address, other_encoders, name, ended
):
    before, after = other_encoders[name]
    _playlist(site, [before, before, after], ended=ended)
    after_first = Place(segment=0, name="0.ts")
    source = open_source(order(f"{address}/list.m3u8", after=after_first))
    try:
        clock = PlayClock()
        picker = Picker(source, 2.0, clock, clock.sleep)
        list(picker.pictures())
        assert (picker.seen, source.has_ended()) == (pytest.approx(10, abs=1), False)
        assert (source.place().segment, source.place().name) == (1, "1.ts")
    finally:
        source.close()
    assert sum(path == "/2.ts" for path, _ in site.asked) == 1


async def test_whoever_asks_about_a_playlist_is_told_that_another_encoder_goes_on_with_it(
    site, address, other_encoders
):
    before, after = other_encoders["codec.ts"]
    for segments, frames, said in (
        ([before, before, after, before], 20, "goes over to video of another size or encoding"),
        ([before, before, before], 30, ""),
    ):
        _playlist(site, segments, ended=True)
        async with VideoFile(RemoteFilm(order(f"{address}/list.m3u8"), "list")) as film:
            assert len([1 async for _ in film.pictures()]) == pytest.approx(frames, abs=1)
            assert said in film.left_out
            assert bool(said) == bool(film.left_out)


def test_a_change_inside_a_segment_is_not_read_again_and_again(site, address, other_encoders):
    before, after = other_encoders["codec.ts"]
    _playlist(site, [before + after, before], ended=True)
    source = open_source(order(f"{address}/list.m3u8"))
    try:
        clock = PlayClock()
        picker = Picker(source, 2.0, clock, clock.sleep)
        list(picker.pictures())
        assert source.place().name == "0.ts"
    finally:
        source.close()


async def test_of_a_joined_flash_video_over_http_the_first_part_is_read_and_that_is_said(
    site, address, other_encoders
):
    before, _ = other_encoders["codec.flv"]
    site.file("/joined.flv", 2 * before)
    async with VideoFile(RemoteFilm(order(f"{address}/joined.flv"), "joined")) as film:
        assert len([1 async for _ in film.pictures()]) == pytest.approx(10, abs=1)
        assert f"from byte {len(before)} on" in film.left_out
