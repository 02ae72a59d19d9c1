"""The benchmarks' own senders and yardstick are real: pictures go in, pictures are counted."""

import asyncio

import av
import httpx
import pytest

from benchmarks.command.report import met, quantile
from benchmarks.harness.browsers import browsing
from benchmarks.harness.senders import PacketTrack
from benchmarks.harness.service import CannotMeasure, running, serving
from benchmarks.harness.video import make_video, repeat_video
from benchmarks.ingest import IngestRun, notes, sending
from benchmarks.join import join
from stream.webrtc.keyframes import is_keyframe


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "small.webm"
    return make_video(path, width=160, height=96, rate=10, seconds=10)


def test_the_video_has_a_keyframe_every_second(video):
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert len(packets) == 100
    assert [n for n, packet in enumerate(packets) if packet.is_keyframe] == list(range(0, 100, 10))
    assert (stream.codec_context.name, stream.width, stream.height) == ("vp8", 160, 96)


def test_a_video_can_be_repeated_for_any_time(video, tmp_path):
    path = repeat_video(video, tmp_path / "long.webm", seconds=25)
    with av.open(str(path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) == 300
    assert times == sorted(times)
    assert times[-1] == pytest.approx(29.9, abs=0.1)


def test_losses_that_grow_are_said():
    grows = IngestRun("16 cameras, 4 senders", 10.0, 20, 1.0, 300, lost=3, lost_late=2)
    stays = IngestRun("16 cameras, 4 senders", 10.0, 20, 1.0, 300, lost=3, lost_late=1)
    assert "MISSED" in notes([grows])[-2]
    assert "met" in notes([stays])[-2]


async def test_a_sender_that_is_asked_for_a_keyframe_goes_on_with_the_next(video):
    track = PacketTrack(video)
    first = bytes(await track.recv())
    track.jump()
    second = bytes(await track.recv())
    third = bytes(await track.recv())
    assert [is_keyframe("VP8", data) for data in (first, second, third)] == [True, True, False]
    assert first != second
    for _ in range(8):
        track.jump()
        await track.recv()
    track.jump()
    assert bytes(await track.recv()) == first, "after the last keyframe comes the first again"


@pytest.mark.slow
async def test_every_sender_is_a_peer_that_the_plain_loop_receives(video):
    async with (
        running("benchmarks.harness.plain_receiver", ready="/count") as service,
        sending(video, 2, service),
        asyncio.timeout(60),
    ):
        while (await service.get("/count"))["pictures"] < 10:
            assert service.memory_mib() > 0
        assert service.cpu_seconds() > 0
        assert service.peak_memory_mib() >= service.memory_mib() / 2


@pytest.mark.browser
async def test_a_real_browser_sends_from_the_page():
    async with serving("tiny") as service, browsing(service, 1), asyncio.timeout(60):
        while not (streams := (await service.get("/v1/streams"))["streams"])[0]["clips"]:
            assert streams[0]["source"] == "webrtc"


async def test_a_service_that_cannot_start_shows_what_it_said():
    with pytest.raises(CannotMeasure, match="No module named no_such_module"):
        async with running("no_such_module"):
            pass


def test_targets_are_compared_and_misses_said():
    plain = IngestRun("720p, plain loop", 10.0, 1, 0.3, 300)
    ours = IngestRun("720p, ours", 10.0, 1, 0.15, 300)
    assert any("MISSED (2.00)" in note for note in notes([plain, ours]))
    assert met("age below 500 ms", 12.0, 500).endswith("met (12).")
    assert "MISSED" in met("age below 500 ms", None, 500)


def test_quantiles_of_nothing_are_nothing():
    assert quantile([], 0.5) is None
    assert quantile([1.0, 3.0], 0.5) == 2.0


@pytest.mark.slow
async def test_a_sender_that_joins_is_answered_and_remembered(video):
    async with serving("tiny") as service, httpx.AsyncClient() as client, asyncio.timeout(60):
        answered_ms, seen_ms = await join(service, client, video, "yard")
    assert 0 < answered_ms < seen_ms
