import asyncio
import os
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from model.types import Finish, Question
from stream.errors import NoVideo
from stream.file.film import open_film
from stream.file.reader import VideoFile, feed_file
from stream.registry import Registry
from stream.settings import StreamSettings
from tests.stream.fakes import FakeEngine
from tests.stream.videos import write_video


@pytest.fixture
async def live(store):
    clock = asyncio.get_running_loop().time
    registry = Registry(
        engine=FakeEngine(),
        store=store,
        settings=StreamSettings(first_rate=2.0),
        wall=clock,
        monotonic=clock,
    )
    yield await registry.open("film")
    await registry.close()


async def test_a_file_is_seen_to_its_end_at_its_own_times(live, store, tmp_path):
    film = write_video(tmp_path / "film.mp4", seconds=20.0)
    seen = []
    await feed_file(film, live, progress=lambda at, length: seen.append((at, length)))
    await live.settle()
    moments = await store.moments("film")
    assert (moments[0].start, moments[-1].end) == (0.0, pytest.approx(19.5, abs=0.2))
    assert len(moments) == 10
    assert live.status().lost.total == 0
    assert seen[-1] == (pytest.approx(19.5, abs=0.2), pytest.approx(20.0, abs=0.2))
    pieces = [piece async for piece in live.ask(Question("What?"))]
    assert isinstance(pieces[-1], Finish)


async def test_the_last_seconds_keep_their_times(live, store, tmp_path):
    film = write_video(tmp_path / "film.mp4", seconds=20.0)
    await feed_file(film, live, last=6.0)
    await live.settle()
    moments = await store.moments("film")
    assert moments[0].start == pytest.approx(14.0, abs=0.2)


async def test_the_last_seconds_of_a_recording_that_was_cut_short_are_those_that_are_there(
    live, store, tmp_path
):
    film = write_video(tmp_path / "film.mkv", seconds=20.0)
    os.truncate(film, film.stat().st_size // 2)
    await feed_file(film, live, last=2.0)
    await live.settle()
    moments = await store.moments("film")
    assert 5 < moments[0].start < moments[-1].end < 15


async def test_the_first_seconds_of_a_file_that_is_shorter_are_its_last(live, store, tmp_path):
    film = write_video(tmp_path / "film.mkv", seconds=20.0)
    os.truncate(film, film.stat().st_size // 2)
    await feed_file(film, live, last=19.0)
    await live.settle()
    assert (await store.moments("film"))[0].start == 0.0


@pytest.mark.parametrize("name", ["12:30.mp4", "concat:a.mp4", "http:.mp4", "a?b#c 100%.mp4"])
async def test_a_file_may_have_any_name(live, store, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_video(Path("film.mp4")).rename(name)
    await feed_file(Path(name), live)
    await live.settle()
    assert await store.moments("film")


async def test_times_count_from_the_beginning_whatever_the_file_calls_it(live, store, tmp_path):
    film = write_video(tmp_path / "film.ts", seconds=4.0, container={"output_ts_offset": "90000"})
    await feed_file(film, live)
    await live.settle()
    moments = await store.moments("film")
    assert moments[0].start == pytest.approx(0.0, abs=0.2)
    assert len(moments) == 2


JOINED = {
    "film.ts": {"codec": "mpeg2video"},
    "film.vob": {"codec": "mpeg2video"},
    "film.flv": {"codec": "flv"},
    "film.webm": {"codec": "libvpx", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "film.mkv": {"codec": "libx264", "options": {"g": "10"}},
    "film.ogv": {"codec": "libvpx"},
    "film.ivf": {"codec": "libvpx", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "film.y4m": {"codec": "wrapped_avframe"},
    "film.wmv": {"codec": "wmv2"},
    "it's one, 12%;.mp4": {"codec": "mpeg4"},
    "film.mov": {"codec": "libx264"},
    "film.rm": {"codec": "rv10"},
}


def write_joined(path, codec, options=None):
    """Write a film of four seconds, red then blue, twice into one file."""
    write_video(path, seconds=4.0, codec=codec, options=options)
    path.write_bytes(2 * path.read_bytes())
    return path


async def times_of(path, last=None, wanted=None):
    async with VideoFile(path, wanted=wanted) as file:
        after = 0.0 if last is None else await file.last(last)
        return [time async for time, _ in file.pictures(after)]


@pytest.mark.parametrize("name", JOINED)
async def test_a_file_whose_clock_starts_again_is_seen_to_its_end(tmp_path, name):
    film = await asyncio.to_thread(write_joined, tmp_path / name, **JOINED[name])
    times = await times_of(film)
    assert len(times) == 80
    assert times == sorted(times)
    assert max(b - a for a, b in pairwise(times)) < 0.25
    assert times[-1] == pytest.approx(7.9, abs=0.25)


@pytest.mark.parametrize("name", JOINED)
async def test_the_last_seconds_of_a_joined_file_are_those_at_its_end(tmp_path, name):
    film = await asyncio.to_thread(write_joined, tmp_path / name, **JOINED[name])
    times = await times_of(film, last=2.0)
    assert times[0] == pytest.approx(5.9, abs=0.4)
    assert len(times) == pytest.approx(21, abs=4)


async def test_a_joined_file_is_remembered_whole(live, store, tmp_path):
    film = await asyncio.to_thread(write_joined, tmp_path / "film.ts", codec="mpeg2video")
    await feed_file(film, live)
    await live.settle()
    moments = await store.moments("film")
    assert moments[-1].end == pytest.approx(7.5, abs=0.3)
    assert len(moments) == 4


async def test_a_part_that_begins_an_hour_later_follows_at_once(tmp_path):
    late = {"output_ts_offset": "3600"}
    await asyncio.to_thread(write_video, tmp_path / "a.ts", 2.0, codec="mpeg2video", container=late)
    await asyncio.to_thread(write_video, tmp_path / "b.ts", 2.0, codec="mpeg2video")
    for names in (("a.ts", "b.ts"), ("b.ts", "a.ts")):
        both = tmp_path / "both.ts"
        both.write_bytes(b"".join((tmp_path / name).read_bytes() for name in names))
        times = await times_of(both)
        assert len(times) == 40
        assert times[-1] == pytest.approx(3.9, abs=0.3)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "options", "wanted"),
    [
        ("slow.mp4", "libx264", 1, {"bf": "3"}, 1.0),
        ("slow.avi", "mpeg4", 1, {"bf": "2"}, 1.0),
        ("film.mp4", "libx264", 10, {"bf": "3"}, 10.0),
    ],
)
async def test_where_few_pictures_come_none_is_left_out(
    tmp_path, name, codec, rate, options, wanted
):
    film = await asyncio.to_thread(
        write_video, tmp_path / name, 12 / rate, rate, codec=codec, options=options
    )
    assert len(await times_of(film, wanted=wanted)) == 12


async def test_where_many_come_those_that_none_is_built_on_are_left_out(films):
    times = await times_of(films["reordered"], wanted=1.0)
    assert len(times) < 100
    assert max(b - a for a, b in pairwise(times)) <= 0.5


@pytest.mark.parametrize(("rate", "name"), [(25, "raw.h264"), (10, "raw.h264"), (5, "raw.hevc")])
async def test_raw_video_has_the_times_of_all_of_its_pictures(tmp_path, rate, name):
    codec = {"raw.h264": "libx264", "raw.hevc": "libx265"}[name]
    options = {"bf": "3", "x265-params": "log-level=0"}
    film = await asyncio.to_thread(
        write_video, tmp_path / name, 2.0, rate, codec=codec, options=options
    )
    times = await times_of(film, wanted=1.0)
    assert times[-1] == pytest.approx(2 - 1 / rate, abs=0.05)
    assert (await times_of(film, last=1.0))[0] == pytest.approx(1.0 - 1 / rate, abs=0.1)


async def test_a_damaged_file_is_seen_as_far_as_it_goes(live, store, tmp_path):
    film = write_video(tmp_path / "film.ts", seconds=8.0, codec="mpeg2video")
    data = bytearray(film.read_bytes())
    data[len(data) // 3 : len(data) // 2] = b"\x55" * (len(data) // 2 - len(data) // 3)
    film.write_bytes(data)
    await feed_file(film, live)
    await live.settle()
    assert len(await store.moments("film")) >= 2


def test_what_is_no_file_is_named_for_what_it_is(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    for name, what in (("", "is a folder"), ("pipe.mp4", "is a pipe"), ("loop.mp4", "Too many")):
        with pytest.raises(NoVideo, match=what):
            open_film(tmp_path / name)
    with pytest.raises(NoVideo, match="/dev/zero is a device"):
        open_film(Path("/dev/zero"))
    with pytest.raises(
        NoVideo, match="Standard input is not read: write the video to a file first"
    ):
        open_film(Path("-"))


@pytest.mark.parametrize(("name", "content"), [("text.mp4", b"no film at all"), ("empty.mp4", b"")])
async def test_a_file_that_is_no_video_is_named(live, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NoVideo, match=name):
        await feed_file(path, live)


PACKED = {
    "zip": b"PK\x03\x04\x14\0",
    "gzip": b"\x1f\x8b\x08\0",
    "7z": b"7z\xbc\xaf\x27\x1c\0",
    "RAR": b"Rar!\x1a\x07\x01",
    "xz": b"\xfd7zXZ\0",
    "Zstandard": b"\x28\xb5\x2f\xfd\0",
    "tar": b"film.mp4".ljust(257, b"\0") + b"ustar\x0000",
}


@pytest.mark.parametrize("kind", PACKED)
def test_an_archive_is_called_one(tmp_path, kind):
    (tmp_path / "film").write_bytes(PACKED[kind].ljust(2000, b"\0"))
    with pytest.raises(NoVideo, match=f"is a {kind} archive, not video: unpack it first"):
        open_film(tmp_path / "film")


def test_what_moves_but_cannot_be_read_is_called_what_it_is(tmp_path):
    still, moving = (Image.new("RGB", (16, 16), colour) for colour in ("red", "blue"))
    moving.save(tmp_path / "moving.webp", save_all=True, append_images=[still])
    still.save(tmp_path / "still.webp", exif=Image.Exif())
    with pytest.raises(NoVideo, match="is an animated WebP, which is not read here: make it a GIF"):
        open_film(tmp_path / "moving.webp")
    open_film(tmp_path / "still.webp")[0].close()
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(NoVideo, match="is a PDF document"):
        open_film(tmp_path / "x.pdf")


async def test_a_missing_file_is_named(live, tmp_path):
    with pytest.raises(NoVideo, match="nowhere"):
        await feed_file(tmp_path / "nowhere.mp4", live)


async def test_a_file_says_how_long_it_is(tmp_path):
    film = write_video(tmp_path / "film.mp4", seconds=2.0, size=(96, 64))
    async with VideoFile(film) as file:
        assert file.length == pytest.approx(2.0, abs=0.1)


async def test_a_file_is_not_closed_while_a_thread_still_reads_it(tmp_path):
    reading, read_on, read = threading.Event(), threading.Event(), []

    class SlowFile(VideoFile):
        def _packets(self):
            reading.set()
            read_on.wait(60)
            read.extend(packet.size for packet in super()._packets())
            yield from ()

    film = write_video(tmp_path / "film.mp4")
    async with SlowFile(film) as file:
        looking = asyncio.create_task(anext(file.pictures()))
        await asyncio.to_thread(reading.wait, 60)
        looking.cancel()
        closing = asyncio.create_task(file.__aexit__())
        await asyncio.wait([looking])
        assert looking.cancelled()
        await asyncio.wait([closing], timeout=0.1)
        assert not closing.done()
        read_on.set()
        await closing
        assert sum(read) > 0
