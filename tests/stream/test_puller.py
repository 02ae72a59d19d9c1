"""The life of a puller: live, silent, tried again, taken over, at its end."""

import asyncio
import socket
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from stream.address.source_url import read_source
from stream.pull.messages import FrameReady, FramesSkipped, Place, SourceEnded, report_to_line
from stream.pull.process import PullSettings, Reader
from stream.pull.supervisor import Puller
from stream.registry import Registry
from stream.settings import StreamSettings
from tests.stream.fakes import FakeEngine, FakeStore, becomes, until
from tests.stream.pulling import SETTINGS, readers, remembered
from tests.stream.skipped_time import SkippingLoop
from tests.stream.videos import write_video


def test_silence_is_borne_for_twenty_seconds():
    assert PullSettings().silence == 20


async def tell(lines, beats):
    """Say what a reader does that looks every three seconds, so many signs of life in between."""
    now = asyncio.get_running_loop().time
    for number in range(10):
        shown = FrameReady(number, 48, 64, now(), now(), 1, sampled=True)
        lines.feed_data(report_to_line(shown))
        for beat in range(beats + 1):
            await asyncio.sleep(3 / (beats + 1))
            if beat < beats:
                lines.feed_data(report_to_line(FramesSkipped(now(), 10)))
    lines.feed_data(report_to_line(SourceEnded("That was all.", final=True)))


async def states_of_a_source_seldom_looked_at(beats):
    """Pull what is lost after a second and a half of silence; return its states and why it ended."""
    now = asyncio.get_running_loop().time
    settings = StreamSettings(rate=0.5, stalled_after=1.2)
    engine, store = FakeEngine(), FakeStore()
    registry = Registry(engine=engine, store=store, settings=settings, wall=now, monotonic=now)
    live = await registry.open("seldom")
    source = read_source("lavfi:testsrc", local=True)
    puller = Puller(source, live, settings=replace(SETTINGS, silence=1.5), monotonic=now)
    states = []
    with live.subscribe() as news:
        puller.start()
        async for event in news:
            if not remembered(event):
                states.append(event.status.state)
                if event.status.state in {"retrying", "ended"}:
                    break
        await puller.close()
    await registry.close()
    return states, event.status.reason


@pytest.mark.parametrize(
    ("beats", "states", "reason"),
    [
        (2, ["connecting", "live", "ended"], "That was all."),
        (0, ["connecting", "live", "stalled", "retrying"], "No picture came for 1.5 seconds."),
    ],
)
def test_a_source_that_is_seldom_looked_at_is_live_all_the_same(monkeypatch, beats, states, reason):
    telling = []

    async def start(_reader):
        lines = asyncio.StreamReader()
        telling.append(asyncio.create_task(tell(lines, beats)))
        return SimpleNamespace(stdout=lines)

    monkeypatch.setattr(Reader, "_start", start)
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        found, why = runner.run(states_of_a_source_seldom_looked_at(beats))
    assert list(dict.fromkeys(found)) == states
    assert why.startswith(reason)


async def test_a_device_is_watched_and_named_as_one(live, store, pull):
    with live.subscribe() as news:
        pull("lavfi:testsrc=rate=10:size=64x48", trusted=True)
        await until(remembered, news)
    assert live.status().source == "device"


async def test_a_file_plays_in_real_time_to_its_end(live, store, pull, tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=2.0)
    puller = pull(film, trusted=True)
    await puller.wait_over()
    await live.settle()
    assert live.status().reason == "The source is at its end."
    first, *_, last = await store.moments("cam")
    assert last.end - first.start == pytest.approx(1.8, abs=0.5)


async def test_another_source_of_the_same_name_takes_over(live, pull, tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=20)
    with live.subscribe() as news:
        puller = pull(film, trusted=True)
        await until(becomes("live"), news)
        live.open_feed("webrtc")
        await puller.wait_over()
    assert readers() == []
    assert live.status().state == "connecting"


@pytest.mark.parametrize("silent_at", ["its name", "its camera"])
async def test_a_source_that_is_taken_over_while_it_says_nothing_ends_at_once(
    live, pull, silent_at
):
    accepted = asyncio.Event()
    gate = threading.Event()
    loop = asyncio.get_running_loop()

    def resolver(_host, _port):
        if silent_at == "its name":
            loop.call_soon_threadsafe(accepted.set)
            gate.wait(60)
        return ["127.0.0.1"]

    settings = replace(SETTINGS, open_within=60.0, silence=60.0, resolver=resolver)

    async def accept(reader, writer):
        accepted.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        puller = pull(f"rtsp://cam.example:{port}/cam", settings)
        await accepted.wait()
        live.open_feed("webrtc")
        async with asyncio.timeout(60):
            await puller.wait_over()
    gate.set()
    assert readers() == []


async def test_a_source_waiting_for_its_next_try_ends_at_once_when_taken_over(live, pull):
    settings = replace(SETTINGS, first_retry=60.0, longest_retry=60.0)
    with live.subscribe() as news:
        puller = pull("rtsp://127.0.0.1:9/cam", settings)
        await until(becomes("retrying"), news)
        live.open_feed("webrtc")
        async with asyncio.timeout(60):
            await puller.wait_over()


class FaultyStore(FakeStore):
    """Fails in a way nobody foresaw, as often as it is told to."""

    faults = 0

    async def append(self, stream, tokens, thumbnail):
        if self.faults:
            self.faults -= 1
            raise RuntimeError("a mistake of ours")
        return await super().append(stream, tokens, thumbnail)


async def test_a_source_stays_with_a_stream_that_meets_an_internal_error(
    registry_of, pull, tmp_path
):
    store = FaultyStore()
    settings = StreamSettings(rate=4.0, close_within=30, retry_after=0.01)
    live = await registry_of(settings, store).open("cam")
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=20)
    store.faults = 2
    with live.subscribe() as news:
        puller = pull(film, live=live, trusted=True)
        await until(remembered, news)
    assert not puller.over
    assert (live.status().state, live.status().lost.failed) == ("live", 2)


async def test_a_server_that_accepts_and_stays_silent_is_given_up(live, pull):
    with socket.create_server(("127.0.0.1", 0)) as silent, live.subscribe() as news:
        settings = PullSettings(allowed=SETTINGS.allowed, open_within=0.3, first_retry=0.05)
        pull(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/cam", settings)
        await until(becomes("retrying", "did not answer within 0.3 seconds"), news)


async def test_a_name_that_is_known_no_more_is_asked_for_again(live, pull):
    # Known when the service asks, and not when the reader does: as between two segments of HLS.
    tries = asyncio.Semaphore(0)

    async def wait(_seconds):
        tries.release()

    settings = replace(SETTINGS, resolver=lambda *_: ["127.0.0.1"])
    pull("http://cam.invalid/live.m3u8", settings, wait=wait)
    async with asyncio.timeout(60):
        for _ in range(3):
            await tries.acquire()
            assert "The name cam.invalid is not known." in live.status().reason


async def test_a_source_inside_is_never_dialled(live, pull):
    with socket.create_server(("127.0.0.1", 0)) as inside, live.subscribe() as news:
        inside.settimeout(0.05)
        pull(f"rtsp://127.0.0.1:{inside.getsockname()[1]}/cam", PullSettings(first_retry=0.05))
        await until(becomes("retrying", "private network"), news)
        await until(becomes("retrying", "private network"), news)
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(inside.accept)
    assert readers() == []


async def test_the_operator_is_told_once_why_a_source_does_not_come(pull, tmp_path, caplog):
    calls = asyncio.Semaphore(0)

    def hang_up(_, writer):
        calls.release()
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server, asyncio.timeout(60):
        address = f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/cam"
        puller = pull(address, trusted=True)
        for _ in range(3):
            await calls.acquire()
        await puller.close()
    [message] = caplog.messages
    assert message.startswith(f"{address}: ")
    caplog.clear()
    puller = pull(tmp_path / "missing.mp4", trusted=True)
    await puller.wait_over()
    assert caplog.messages == [f"{tmp_path}/missing.mp4: There is no such file."]


async def test_segments_that_its_server_does_not_have_are_logged_ever_more_rarely(live, caplog):
    address = read_source("http://192.0.2.1/live.m3u8")
    puller = Puller(address, live, settings=SETTINGS, monotonic=live.now)
    feed = live.open_feed("url")
    told = (0, 1, 1, 2, 3, 4, 7, 8, 100, 0, 1)  # a reader that is started again counts anew
    for number, missing in enumerate(told):
        await puller._take(Place(segment=number, name="x.ts", missing=missing), None, feed)
    feed.close("over")
    said = [message.rpartition(": ")[2] for message in caplog.messages]
    assert said == ["1", "2", "4", "8", "100", "1"]
    assert caplog.messages[0] == (
        "http://192.0.2.1:80/live.m3u8: segments that its server does not have: 1"
    )
