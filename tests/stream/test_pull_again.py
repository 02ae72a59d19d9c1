"""What is pulled anew goes on where it was: nothing is lost for good, nothing seen twice."""

import asyncio
import time
from dataclasses import replace

import pytest

from stream.pull.decode import Picker
from stream.pull.errors import CannotOpen
from stream.pull.io.open import is_at_end
from stream.pull.messages import Place, SourceEnded
from tests.stream.conftest import RtspServer
from tests.stream.fakes import becomes, until
from tests.stream.http_server import send_file
from tests.stream.opening import open_source, order
from tests.stream.pulling import SETTINGS, readers, remembered, start
from tests.stream.test_endings import late_keyframe, stream_of
from tests.stream.videos import write_video
from tests.waiting import holds

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


async def test_a_live_stream_that_breaks_is_asked_for_again(site, address, live, pull, tmp_path):
    film = await asyncio.to_thread(
        write_video, tmp_path / "a.mp4", 1.0, codec="libx264", container=FRAGMENTED
    )
    site.answers["/live.mp4"] = stream_of(film.read_bytes())
    with live.subscribe() as news:
        puller = pull(f"{address}/live.mp4")
        for breaks in (1, 2):
            await until(becomes("live"), news)
            await until(becomes("retrying", "The source stopped sending."), news)
            assert puller.breaks == breaks


async def test_a_film_whose_reader_dies_goes_on_where_it_was(live, pull, tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", 4.0)
    with live.subscribe() as news:
        puller = pull(film, trusted=True)
        await until(lambda e: remembered(e) and e.moment.end > 1, news)
        readers()[0].kill()
        await puller.wait_over()
    await live.settle()
    assert live.status().reason == "The source is at its end."
    assert 25 <= live.status().frames <= 50, "of 40 pictures few again"
    assert puller.breaks == 0


async def test_a_film_that_is_another_one_now_begins_at_its_beginning(
    site, address, live, pull, tmp_path
):
    long = await asyncio.to_thread(write_video, tmp_path / "long.mp4", 60.0)
    short = await asyncio.to_thread(write_video, tmp_path / "short.mp4", 1.0)
    films = iter([long.read_bytes()])

    def answer(handler):
        send_file(handler, now[0], "video/mp4")

    now = [next(films)]
    site.answers["/film.mp4"] = answer
    with live.subscribe() as news:
        puller = pull(f"{address}/film.mp4")
        await until(lambda e: remembered(e) and e.moment.end > 2, news)
        now[0] = short.read_bytes()
        readers()[0].kill()
        await until(becomes("retrying"), news)
        await puller.wait_over()
    assert live.status().reason == "The source is at its end."


async def test_of_a_playlist_that_is_not_written_any_more_nothing_is_seen_twice(
    site, address, live, pull, tmp_path
):
    film = await asyncio.to_thread(
        write_video, tmp_path / "7.ts", 2.5, codec="libx264", options={"g": "10", "bf": "0"}
    )
    site.file("/7.ts", film.read_bytes(), "video/mp2t")
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2.5,\n7.ts\n"
    site.file("/live.m3u8", text.encode(), "application/vnd.apple.mpegurl")
    with live.subscribe() as news:
        pull(f"{address}/live.m3u8", replace(SETTINGS, open_within=2.0))
        await until(becomes("live"), news)
        await holds(lambda: live.status().frames >= 20)
        asked = list(site.asked)
        readers()[0].kill()
        await until(becomes("retrying", "ended unexpectedly"), news)
        seen = live.status().frames
        await until(becomes("retrying", "is not written any more"), news)
    assert live.status().frames == seen <= 25
    assert "/7.ts" in [path for path, _ in asked]
    assert "/7.ts" not in [path for path, _ in site.asked[len(asked) :]]


async def test_video_without_a_keyframe_yet_is_waited_for_and_that_is_said(
    site, address, live, pull, tmp_path
):
    data = await asyncio.to_thread(late_keyframe, tmp_path, 5.0)
    site.answers["/cam.ts"] = stream_of(data, "video/mp2t")
    with live.subscribe() as news:
        pull(f"{address}/cam.ts")
        await until(becomes("connecting", "keyframe"), news)
        await until(becomes("live"), news)


@pytest.fixture
def recording(tmp_path):
    """An RTSP server that plays four seconds and says so."""
    film = write_video(tmp_path / "film.mp4", 4.0, codec="libx264", options={"g": "5"})
    server = RtspServer(film)
    yield server
    server.close()


async def test_a_recording_over_rtsp_is_at_its_end_and_not_played_again(recording, live, pull):
    await start(recording)
    puller = pull(recording.url("film"))
    async with asyncio.timeout(60):
        await puller.wait_over()
    await live.settle()
    status = live.status()
    assert (status.state, status.reason) == ("ended", "The source is at its end.")
    assert 30 <= status.frames <= 42


async def test_a_recording_over_rtsp_goes_on_where_it_was_after_a_break(recording):
    await start(recording)
    wanted = order(recording.url("film"), after=Place(position=1.5))
    source = await asyncio.to_thread(open_source, wanted)
    try:
        assert source.finite
        picker = Picker(source, 4.0, time.monotonic, time.sleep, after=1.5)
        await asyncio.to_thread(lambda: list(picker.pictures()))
    finally:
        source.close()
    assert picker.seen <= 30
    assert is_at_end(picker.position, source.lasts)


async def test_a_recording_over_rtsp_of_which_all_was_seen_is_not_played_again(recording):
    await start(recording)
    wanted = order(recording.url("film"), after=Place(position=3.9))
    with pytest.raises(CannotOpen) as failure:
        await asyncio.to_thread(open_source, wanted)
    assert failure.value.over == SourceEnded("The source is at its end.", final=True)


async def test_a_camera_over_rtsp_has_no_end(recording):
    await start(recording)
    source = await asyncio.to_thread(open_source, order(recording.url("live")))
    source.close()
    assert (source.finite, source.lasts) == (False, None)
