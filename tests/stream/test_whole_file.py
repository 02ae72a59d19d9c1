"""A whole file looked at as the paper samples videos: what is seen of it, and at what cost."""

import asyncio
import os
import sys
import threading
from contextlib import suppress
from itertools import pairwise

import av
import numpy as np
import pytest
from PIL import Image

from model.types import Question
from stream.errors import NoVideo
from stream.file.film import open_film
from stream.file.frames import chosen_frames
from stream.file.index import read_index
from stream.file.sampling import frames_wanted, middles
from stream.file.whole_file import feed_whole_file
from stream.settings import StreamSettings
from tests.stream.videos import write_video

COLOURS = [(20 * n, 120, 255 - 20 * n) for n in range(12)]


@pytest.fixture
def registry(registry_of):
    # Slower than some files are sampled: what lies far apart is in one clip nevertheless.
    return registry_of(StreamSettings(rate=1.0, longest_gap=0.01))


def index_of(path):
    container, video = open_film(path)
    with container:
        *_, index = read_index(container, video)
    return index


def seen(path, count):
    """Return times and mean colours of `count` frames of a file, and how many were decoded."""
    index = index_of(path)
    container, video = open_film(path)
    step = None if index.timed else index.step
    with container:
        runs = index.runs(middles(index.frames, count))
        steps = list(chosen_frames(container, video, runs, step))
        shown = [one for one in steps if one is not None]
        colours = [frame.to_ndarray(format="rgb24").mean(axis=(0, 1)) for _, frame in shown]
    return [time for time, _ in shown], colours, runs


@pytest.mark.parametrize(
    ("frames", "seconds", "most", "wanted"),
    [
        (150, 6, 512, 64),
        (1000, 40, 512, 64),
        (3500, 140, 512, 136),
        (15_000, 600, 512, 512),
        (90_000, 3600, 512, 512),
        (90_000, 3600, 10_000, 3600),
        (90_000, 3599, 10_000, 3592),
        (90_000, 3600, 30, 24),
        (30, 6, 512, 30),
        (100, 1000, 512, 100),
        (0, 0, 512, 0),
    ],
)
def test_short_files_are_seen_densely_and_long_ones_sparsely(frames, seconds, most, wanted):
    assert frames_wanted(frames, seconds, most) == wanted


def test_a_rate_that_was_set_is_kept_to_between_the_fewest_and_the_most():
    assert frames_wanted(120, 12.0, 512, rate=10) == 120
    assert frames_wanted(90_000, 3600, 512, rate=0.1) == 360
    with pytest.raises(ValueError, match="most=7"):
        frames_wanted(100, 10, 7)


def test_each_frame_is_the_middle_one_of_its_interval():
    assert middles(12, 4) == [1, 4, 7, 10]
    assert middles(7, 7) == list(range(7))
    assert middles(1189, 64)[:3] == [8, 27, 45]
    assert len(set(middles(90_000, 512))) == 512


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("b.mp4", "libx264", {"g": "50", "bf": "3"}),
        ("open.mkv", "libx264", {"g": "12", "bf": "2", "x264-params": "open-gop=1"}),
        ("one.mp4", "libx264", {"g": "999", "bf": "0"}),
        ("b.ts", "mpeg2video", {"g": "12", "bf": "2"}),
        ("b.avi", "mpeg4", {"bf": "2", "g": "20"}),
        ("vp8.webm", "libvpx", {"g": "30"}),
        ("jpeg.avi", "mjpeg", {}),
        ("raw.h264", "libx264", {"g": "30", "bf": "2"}),
    ],
)
@pytest.mark.parametrize("count", [5, 12, 64, 120])
def test_the_frames_that_are_seen_are_those_that_were_chosen(tmp_path, name, codec, options, count):
    film = write_video(tmp_path / name, seconds=12.0, codec=codec, options=options, colours=COLOURS)
    times, colours, _ = seen(film, count)
    begins = 0.1 if name == "b.avi" else 0.0  # AVI knows when a frame is decoded alone
    assert times == pytest.approx([n / 10 + begins for n in middles(120, count)], abs=0.002)
    for number, colour in zip(middles(120, count), colours, strict=True):
        assert colour == pytest.approx(COLOURS[number // 10], abs=12)


@pytest.mark.parametrize(
    ("codec", "options"),
    [("libx264", {"bf": "2"}), ("mpeg4", {"bf": "2"}), ("libsvtav1", {"preset": "10"})],
)
def test_slides_of_which_each_is_a_frame_are_all_seen(tmp_path, codec, options):
    film = write_video(
        tmp_path / "slides.mkv", 12.0, rate=1, codec=codec, options=options, colours=COLOURS
    )
    times, colours, _ = seen(film, 12)
    assert times == list(range(12))
    assert np.array(colours) == pytest.approx(np.array(COLOURS), abs=12)
    if sys.platform == "linux":
        assert os.sched_getscheduler(0) != os.SCHED_FIFO, "all others would wait for these tests"


def test_an_animated_avif_is_a_film_and_not_its_first_picture(tmp_path):
    first, *more = (Image.new("RGB", (64, 64), colour) for colour in COLOURS)
    path = tmp_path / "animated.avif"
    first.save(path, save_all=True, append_images=more, duration=500)
    times, colours, _ = seen(path, 12)
    assert times == pytest.approx([n / 2 for n in range(12)])
    assert np.array(colours) == pytest.approx(np.array(COLOURS), abs=20)


def test_no_more_is_decoded_than_from_the_nearest_keyframe(tmp_path):
    film = write_video(
        tmp_path / "film.mp4", 20.0, codec="libx264", options={"g": "10", "keyint_min": "10"}
    )
    _, _, runs = seen(film, 8)
    assert len(runs) == 8
    assert sum(run.last - run.first + 1 for run in runs) <= 8 * 10
    _, _, [whole] = seen(film, 200)
    assert (whole.first, whole.last) == (0, 199)


@pytest.mark.parametrize(
    "kind", ["ts", "mpg", "webm", "flv", "ivf", "y4m", "asf", "mp4", "mov", "3gp", "nut", "avi"]
)
def test_a_file_whose_clock_starts_again_goes_on(tmp_path, kind):
    codecs = {
        "mpg": "mpeg2video",
        "webm": "libvpx",
        "ivf": "libvpx",
        "asf": "mpeg4",
        "avi": "mpeg4",
    }
    codec = (codecs | {"y4m": "wrapped_avframe"}).get(kind, "libx264")
    container = {"webm": {"live": "1"}}.get(kind, {})
    part = tmp_path / f"part.{kind}"
    rate = 25 if kind == "mpg" else 10
    write_video(part, 4.0, rate, codec=codec, colours=COLOURS[:4], container=container)
    film = tmp_path / f"joined.{kind}"
    film.write_bytes(part.read_bytes() * 2)
    index = index_of(film)
    assert index.length == pytest.approx(8.0, abs=0.3)
    times, colours, _ = seen(film, 8)
    assert times == pytest.approx([n + 0.5 for n in range(8)], abs=0.3)
    assert np.array(colours) == pytest.approx(np.array(COLOURS[:4] * 2), abs=15)


@pytest.mark.parametrize("kind", ["mkv", "live.mkv", "webm", "ts", "mp4", "flv", "avi"])
def test_no_frame_is_lost_where_three_parts_of_reordered_frames_meet(tmp_path, kind):
    codec = "libvpx" if kind == "webm" else "mpeg4" if kind == "avi" else "libx264"
    container = {"live": "1"} if kind == "live.mkv" else {}
    film = write_video(tmp_path / f"film.{kind}", 2.0, codec=codec, container=container)
    film.write_bytes(film.read_bytes() * 3)
    index = index_of(film)
    assert (index.frames, index.length) == (60, pytest.approx(6.0, abs=0.1))


@pytest.mark.parametrize("kind", ["ts", "m2ts", "mkv", "flv", "mp4", "m3u8"])
@pytest.mark.parametrize(("count", "seconds", "rate"), [(2, 1.0, 10), (3, 1.0, 2), (5, 0.4, 10)])
def test_parts_of_a_second_that_all_begin_at_the_same_time_are_all_seen(
    tmp_path, kind, count, seconds, rate
):
    part = "part.ts" if kind == "m3u8" else f"part.{kind}"
    data = write_video(tmp_path / part, seconds, rate, codec="libx264").read_bytes()
    film = tmp_path / f"film.{kind}"
    film.write_bytes(data * count)
    if kind == "m3u8":
        segments = f"#EXT-X-DISCONTINUITY\n#EXTINF:{seconds},\n{part}\n" * count
        film.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{segments}#EXT-X-ENDLIST\n")
    index = index_of(film)
    assert index.frames == round(count * seconds * rate)
    assert index.length == pytest.approx(count * seconds, abs=0.3)


def test_a_clock_that_leaps_ahead_in_a_broadcast_is_no_gap(tmp_path):
    late = write_video(
        tmp_path / "late.ts", 4.0, codec="mpeg2video", container={"output_ts_offset": "3600"}
    )
    early = write_video(tmp_path / "early.ts", 4.0, codec="mpeg2video")
    for order in ((late, early), (early, late)):
        film = tmp_path / "joined.ts"
        film.write_bytes(b"".join(part.read_bytes() for part in order))
        times, _, _ = seen(film, 8)
        assert times == pytest.approx([n + 0.5 for n in range(8)], abs=0.3)


def test_what_comes_behind_a_gap_of_nothing_in_a_broadcast_is_seen(tmp_path):
    film = write_video(tmp_path / "film.ts", 10.0, codec="libx264", options={"g": "10"})
    data = film.read_bytes()
    middle = len(data) // 188 // 2 * 188
    film.write_bytes(data[:middle] + bytes(3_000_000) + data[middle:] + bytes(3_000_000))
    index = index_of(film)
    assert (index.frames, index.length) == (100, pytest.approx(10.0, abs=0.1))


async def test_a_question_names_the_length_of_the_file_and_the_frames_seen(live, store, tmp_path):
    film = write_video(tmp_path / "film.mp4", seconds=12.0)
    told, read = [], []
    sampled = await feed_whole_file(
        film,
        live,
        watching=lambda at, of: told.append((at, of)),
        indexing=lambda *at: read.append(at),
    )
    await live.settle()
    assert (sampled.frames, sampled.of) == (64, 120)
    assert sampled.length == pytest.approx(12.0)
    assert read[-1] == (pytest.approx(12.0), pytest.approx(12.0))
    assert told[-1] == (pytest.approx(11.9, abs=0.2), pytest.approx(12.0))
    moments = await store.moments("cam")
    assert len(moments) == 16, "four frames a clip, however far apart"
    assert all(before.end < after.start for before, after in pairwise(moments))
    assert live.status().lost.total == 0
    assert [piece async for piece in live.ask(Question("What?"))]


async def test_a_file_of_few_frames_is_seen_whole_and_nothing_is_counted_twice(
    live, store, tmp_path
):
    film = write_video(tmp_path / "film.mp4", seconds=1.4)
    sampled = await feed_whole_file(film, live)
    await live.settle()
    clips = [tokens async for tokens in store.clips("cam")]
    assert sampled.frames == 14
    assert len(clips) == 4
    assert clips[-1].end == pytest.approx(1.3)


async def test_the_encoder_gets_frames_of_its_own_size(live, engine, tmp_path):
    film = write_video(tmp_path / "film.mp4", seconds=1.0, size=(96, 64), top=(250, 250, 250))
    await feed_whole_file(film, live)
    await live.settle()
    pixels = engine.encoded[0].pixels
    assert pixels.shape == (4, engine.image_size, engine.image_size, 3)
    assert pixels[:, :12].float().mean() > 200
    assert pixels[:, -12:].float().mean() < 150


async def test_a_damaged_file_is_seen_as_far_as_it_goes(live, store, tmp_path):
    film = write_video(tmp_path / "film.ts", seconds=8.0, codec="mpeg2video")
    data = bytearray(film.read_bytes())
    data[len(data) // 3 : len(data) // 2] = b"\x55" * (len(data) // 2 - len(data) // 3)
    film.write_bytes(data)
    sampled = await feed_whole_file(film, live)
    assert 20 <= sampled.frames <= 64


async def test_a_file_without_a_frame_shows_nothing(live, tmp_path):
    path = tmp_path / "empty.mp4"
    path.write_bytes(b"")
    with pytest.raises(NoVideo, match="it is empty"):
        await feed_whole_file(path, live)


@pytest.mark.parametrize("when", ["indexing", "watching"])
async def test_stopping_waits_for_the_step_under_way_and_no_longer(live, tmp_path, when):
    film = write_video(tmp_path / "film.mp4", seconds=120.0)
    begun = asyncio.Event()
    reading = asyncio.create_task(feed_whole_file(film, live, **{when: lambda *_: begun.set()}))
    await begun.wait()
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    assert reading.cancelled()
    assert live.status().state != "live"
    assert not [t for t in threading.enumerate() if t.name.startswith("ffmpeg")]


def test_frames_that_an_edit_list_leaves_out_are_not_seen(tmp_path):
    film = write_video(
        tmp_path / "film.mp4",
        4.0,
        codec="libx264",
        options={"g": "40", "bf": "0"},
        colours=COLOURS[:4],
    )
    cut = tmp_path / "cut.mp4"
    with av.open(str(film)) as source, av.open(str(cut), "w") as file:
        stream = file.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.pts -= round(1.5 / packet.time_base)
                packet.dts -= round(1.5 / packet.time_base)
                packet.stream = stream
                file.mux(packet)
    index = index_of(cut)
    assert index.length == pytest.approx(2.5, abs=0.15)
    times, _, _ = seen(cut, 5)
    assert times[0] >= 0
    assert len(times) == 5


async def test_a_part_of_a_file_is_looked_at_as_if_it_were_the_whole(registry, engine, tmp_path):
    path = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=10, rate=10)
    live = await registry.open("part")
    sampled = await feed_whole_file(path, live, part=(4.0, 6.0))
    await live.settle()
    times = [time for clip in engine.encoded for time in (clip.start, clip.end)]
    assert (min(times), max(times)) == (4.0, 6.0)
    assert (sampled.length, sampled.of) == (2.0, 21)
