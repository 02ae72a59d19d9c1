import asyncio
import errno
import itertools
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from stream.live import LiveSettings
from stream.probe import probe
from stream.pull_order import Shown
from stream.pull_reader import PullSettings, Reader, make_order
from stream.puller import Puller
from stream.registry import Registry
from stream.rtsp_relay import RtspRelay, read_head
from stream.source_url import BadSource, read_networks, read_source
from stream.status import Remembered
from tests.stream.certificates import Certified
from tests.stream.fakes import FakeEngine, FakeStore, becomes, until
from tests.stream.videos import write_video

REPOSITORY = Path(__file__).parents[2]
SETTINGS = PullSettings(
    allowed=read_networks(["127.0.0.0/8"]),
    open_within=8.0,
    silence=2.0,
    first_retry=0.05,
    longest_retry=0.2,
)


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
async def registry_of(engine, store):
    registries = []

    def make(settings, store=store):
        registry = Registry(
            engine=engine,
            store=store,
            settings=settings,
            wall=time.time,
            monotonic=time.monotonic,
        )
        registries.append(registry)
        return registry

    yield make
    for registry in registries:
        await registry.close()


@pytest.fixture
def registry(registry_of):
    return registry_of(LiveSettings(rate=4.0, close_within=0.5))


@pytest.fixture
async def live(registry):
    return await registry.open("cam")


@pytest.fixture
async def pull(live):
    pullers = []

    def start(url, settings=SETTINGS, live=live, **options):
        source = read_source(str(url), local=True)
        puller = Puller(source, live, settings=settings, monotonic=time.monotonic, **options)
        pullers.append(puller)
        puller.start()
        return puller

    yield start
    for puller in pullers:
        await puller.close()


def readers():
    """Return the reader processes of this test."""
    children = psutil.Process().children(recursive=True)
    return [c for c in children if "stream.pull_process" in c.cmdline()]


async def start(server, **size):
    await asyncio.to_thread(server.start, **size)


def remembered(event):
    return isinstance(event, Remembered)


@pytest.mark.parametrize("path", ["live", "jpeg", "film"])
async def test_a_camera_is_remembered(rtsp_server, live, pull, path):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url(path))
        await until(remembered, news)
    status = live.status()
    assert (status.state, status.source) == ("live", "url")
    assert status.frames > status.sampled
    assert status.frame_age < 1.0


async def test_a_camera_whose_plug_is_pulled_comes_back_by_itself(rtsp_server, live, store, pull):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url("live"))
        await until(remembered, news)
        rtsp_server.kill()
        away = await until(becomes("retrying"), news)
        assert "The next try is in" in away.status.reason
        await until(becomes("retrying", "nobody answers"), news)
        await start(rtsp_server, width=96, height=64)
        await until(becomes("live"), news)
        await until(remembered, news)
    moments = await store.moments("cam")
    assert all(a.end < b.start for a, b in itertools.pairwise(moments))


async def test_a_camera_over_udp_is_for_sources_the_operator_named(rtsp_server, live, pull):
    await start(rtsp_server)
    udp = replace(SETTINGS, transport="udp")
    with live.subscribe() as news:
        for settings, trusted in ((SETTINGS, True), (udp, False)):
            puller = pull(rtsp_server.url("udp"), settings, trusted=trusted)
            await until(becomes("retrying"), news)
            await puller.close()
        pull(rtsp_server.url("udp"), udp, trusted=True)
        await until(remembered, news)


async def test_a_camera_may_change_its_picture_size(rtsp_server, live, pull):
    await start(rtsp_server)
    with live.watch() as pictures:
        pull(rtsp_server.url("resized"))
        widths = set()
        while widths != {160, 320}:
            widths.add((await pictures.next()).shape[1])
    assert live.status().state == "live"
    assert len(readers()) == 1


class Proxy:
    """Passes RTSP connections on, and cuts the first one in the middle of a picture."""

    def __init__(self, port):
        self._port = port
        self._passing = set()
        self.cut = 0

    @asynccontextmanager
    async def serve(self):
        async with await asyncio.start_server(self._pass, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]
        await asyncio.wait(self._passing)

    async def _pass(self, reader, writer):
        self._passing.add(asyncio.current_task())
        answers, requests = await asyncio.open_connection("127.0.0.1", self._port)
        asking = asyncio.create_task(self._pass_requests(reader, requests))
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._pass_answers(answers, writer)
        writer.close()
        await asking

    async def _pass_requests(self, reader, requests):
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                requests.write(data)
        requests.close()

    async def _pass_answers(self, answers, writer):
        packets = 0
        while True:
            whole = await answers.readexactly(1)
            if whole == b"$":  # RFC 2326, section 10.12
                whole += await answers.readexactly(3)
                whole += await answers.readexactly(int.from_bytes(whole[2:]))
                packets += whole[1] == 0
            else:
                whole += await answers.readuntil(b"\r\n\r\n")
                whole += await answers.readexactly(read_head(whole)[1])
            if packets == 40 and not self.cut:
                self.cut = len(whole) // 2
                writer.write(whole[: self.cut])
                return
            writer.write(whole)
            await writer.drain()


async def test_a_camera_that_dies_in_the_middle_of_a_picture_comes_back(
    rtsp_server, live, store, pull
):
    await start(rtsp_server)
    proxy = Proxy(rtsp_server.port)
    async with proxy.serve() as port:
        with live.subscribe() as news:
            puller = pull(f"rtsp://127.0.0.1:{port}/live")
            await until(becomes("retrying"), news)
            assert proxy.cut > 4
            await until(becomes("live"), news)
            await until(remembered, news)
            await puller.close()


async def test_a_camera_that_hangs_with_its_connection_open_is_noticed(rtsp_server, live, pull):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url("live"))
        await until(becomes("live"), news)
        rtsp_server.hang()
        await until(becomes("retrying", "No picture came for 2 seconds"), news)
        rtsp_server.kill()
        await start(rtsp_server)
        await until(becomes("live"), news)


def test_silence_is_borne_for_twenty_seconds():
    assert PullSettings().silence == 20


async def test_a_camera_that_is_away_for_a_minute_comes_back(rtsp_server, live, pull):
    waits = []

    async def wait(seconds):
        waits.append(seconds)
        if sum(waits) > 60:
            await start(rtsp_server)

    with live.subscribe() as news:
        pull(rtsp_server.url("live"), PullSettings(allowed=SETTINGS.allowed), wait=wait)
        await until(becomes("live"), news)
    assert 60 < sum(waits) < 90
    assert max(waits) <= 30
    assert all(0.5 <= wait / 2**i <= 1 for i, wait in enumerate(waits[:5]))


async def test_a_picture_is_scaled_down_in_the_reader(tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", 1.0, size=(1280, 720))
    source = read_source(str(film), local=True)
    reader = Reader(await make_order(source, SETTINGS, trusted=True))
    try:
        async with aclosing(reader.reports(20)) as reports:
            shown = [report async for report in reports if isinstance(report, Shown)]
        assert {(one.height, one.width) for one in shown} == {(360, 640)}
        assert reader.picture(shown[-1]).shape == (360, 640, 3)
    finally:
        await reader.close()


async def test_a_source_that_is_seldom_looked_at_is_live_all_the_same(store, registry_of, pull):
    # Looked at every second and a half; without a sign of life it would be lost before.
    seldom = await registry_of(LiveSettings(rate=0.7, stalled_after=1.2)).open("seldom")
    with seldom.subscribe() as news:
        pull("lavfi:testsrc=rate=10:size=64x48", replace(SETTINGS, silence=1.2), live=seldom)
        await until(becomes("live"), news)
        states = set()
        async for event in news:
            if not remembered(event):
                states.add(event.status.state)
            elif event.moment.end > 6:
                break
    assert states <= {"live"}
    status = seldom.status()
    assert status.frames > 40
    assert status.sampled < 20


async def test_a_wrong_password_is_said_without_repeating_it(rtsp_server, live, pull):
    await start(rtsp_server)
    with live.subscribe() as news:
        puller = pull(rtsp_server.url("private", "admin:wr0ng@"))
        refused = await until(becomes("retrying", "refuses the user name"), news)
        assert "wr0ng" not in refused.status.reason
        assert "wr0ng" not in puller.source.shown
        await puller.close()
        pull(rtsp_server.url("private", "admin:pa%3Ass@"))
        await until(becomes("live"), news)


async def test_an_encrypted_camera_is_read_once_its_certificate_is_believed(
    rtsp_server, live, pull, tmp_path
):
    camera = Certified(tmp_path, "camera", address="192.168.1.64")
    await start(rtsp_server, certificate=camera.both)
    url = rtsp_server.url("private", "admin:pa%3Ass@", scheme="rtsps")
    with live.subscribe() as news:
        stranger = pull(url)
        await until(becomes("retrying", "signed by nobody this machine trusts"), news)
        await stranger.close()
        pull(url, replace(SETTINGS, certificates=camera.certificate))
        await until(remembered, news)


async def test_whoever_named_the_source_its_certificate_is_checked(
    rtsp_server, live, pull, tmp_path
):
    await start(rtsp_server, certificate=Certified(tmp_path, "camera").both)
    with live.subscribe() as news:
        pull(rtsp_server.url("live", scheme="rtsps"), trusted=True)
        await until(becomes("retrying", "signed by nobody this machine trusts"), news)


class Tap(RtspRelay):
    """Passes an RTSP connection on and notes the time stamp of every packet of video."""

    def __init__(self, server):
        self.stamps = []
        super().__init__(socket.create_connection(("127.0.0.1", server.port), 5))

    def _pass_answer(self, answers, client):
        start = answers.peek()[:12]
        if start[:2] == b"$\x00":  # RTP on channel 0: RFC 2326, section 10.12
            self.stamps.append(int.from_bytes(start[8:]))
        return super()._pass_answer(answers, client)


def stopped(stamps):
    return len(set(stamps[-20:])) == 1


def jumped_back(stamps):
    return any(0 < a - b < 2**31 for a, b in itertools.pairwise(stamps))


def wrapped(stamps):
    return any(a - b > 2**31 for a, b in itertools.pairwise(stamps))


@pytest.mark.parametrize(
    ("path", "misbehaved"), [("stopped", stopped), ("back", jumped_back), ("wrapped", wrapped)]
)
async def test_a_camera_whose_clock_misbehaves_is_seen_on_as_its_pictures_arrive(
    rtsp_server, live, store, pull, path, misbehaved
):
    await start(rtsp_server)
    tap = await asyncio.to_thread(Tap, rtsp_server)
    now = asyncio.get_running_loop().time
    with live.subscribe() as news:
        pull(f"rtsp://127.0.0.1:{tap.port}/{path}")
        first = await until(remembered, news)
        began = now() - first.moment.end
        last = await until(lambda e: remembered(e) and e.moment.end > 7, news)
        assert last.moment.end == pytest.approx(now() - began, abs=1.0)
    tap.close()
    assert misbehaved(tap.stamps)
    moments = await store.moments("cam")
    assert all(0 < b.start - a.end < 0.9 for a, b in itertools.pairwise(moments))


async def test_a_server_that_accepts_and_stays_silent_is_given_up(live, pull):
    with socket.create_server(("127.0.0.1", 0)) as silent, live.subscribe() as news:
        settings = PullSettings(allowed=SETTINGS.allowed, open_within=0.3, first_retry=0.05)
        pull(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/cam", settings)
        await until(becomes("retrying", "did not answer within 0.3 seconds"), news)


async def test_a_reader_that_hangs_is_killed_and_started_anew(rtsp_server, live, pull):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url("jpeg"))
        await until(becomes("live"), news)
        [hung] = readers()
        hung.send_signal(signal.SIGSTOP)
        await until(becomes("retrying", "No picture came for 2 seconds"), news)
        await until(becomes("live"), news)
        assert not hung.is_running()


async def test_a_reader_that_crashes_is_started_anew(rtsp_server, live, pull):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url("jpeg"))
        await until(becomes("live"), news)
        readers()[0].kill()
        await until(becomes("retrying", "ended unexpectedly"), news)
        await until(becomes("live"), news)


async def test_closing_leaves_no_process_behind(live, pull, tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=20)
    with live.subscribe() as news:
        puller = pull(film, trusted=True)
        await until(becomes("live"), news)
        [reader] = readers()
        await puller.close()
    assert not reader.is_running()
    assert live.status().reason == "The source was removed."


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
    settings = replace(SETTINGS, open_within=60.0, silence=60.0)
    accepted = asyncio.Event()
    gate = threading.Event()
    loop = asyncio.get_running_loop()

    def resolver(_host, _port):
        if silent_at == "its name":
            loop.call_soon_threadsafe(accepted.set)
            gate.wait(60)
        return ["127.0.0.1"]

    async def accept(reader, writer):
        accepted.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        puller = pull(f"rtsp://cam.example:{port}/cam", settings, resolver=resolver)
        await accepted.wait()
        live.open_feed("webrtc")
        async with asyncio.timeout(10):
            await puller.wait_over()
    gate.set()
    assert readers() == []


async def test_a_source_waiting_for_its_next_try_ends_at_once_when_taken_over(live, pull):
    settings = replace(SETTINGS, first_retry=60.0, longest_retry=60.0)
    with live.subscribe() as news:
        puller = pull("rtsp://127.0.0.1:9/cam", settings)
        await until(becomes("retrying"), news)
        live.open_feed("webrtc")
        async with asyncio.timeout(10):
            await puller.wait_over()


async def test_a_name_that_is_known_no_more_is_asked_for_again(live, pull):
    # Known when the service asks, and not when the reader does: as between two segments of HLS.
    tries = asyncio.Semaphore(0)

    async def wait(_seconds):
        tries.release()

    pull("http://cam.invalid/live.m3u8", resolver=lambda *_: ["127.0.0.1"], wait=wait)
    async with asyncio.timeout(30):
        for _ in range(3):
            await tries.acquire()
            assert "The name cam.invalid is not known." in live.status().reason


@pytest.mark.parametrize("lack", ["memory", "processes"])
async def test_a_machine_that_has_nothing_left_is_said_and_waited_for(
    live, pull, tmp_path, monkeypatch, lack
):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=20)

    def fail(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch, live.subscribe() as news:
        if lack == "memory":
            patch.setattr(os, "memfd_create", fail)
        else:
            patch.setattr(sys, "executable", str(tmp_path / "nothing"))
        pull(film, trusted=True)
        name = "EMFILE" if lack == "memory" else "ENOENT"
        await until(becomes("retrying", "can start no reader for the source: it is out"), news)
        assert f"({name})" in live.status().reason
        patch.undo()
        await until(becomes("live"), news)


async def test_a_test_of_a_source_says_that_the_machine_has_nothing_left(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    with pytest.raises(BadSource, match=r"can start no reader for the source.*ENOENT"):
        await probe(
            read_source("rtsp://127.0.0.1:9/a"), settings=SETTINGS, monotonic=time.monotonic
        )


@pytest.mark.parametrize("says", ["nonsense", '["Shown", 1]', "x" * 100_000])
async def test_a_reader_that_talks_nonsense_is_started_anew(
    live, pull, tmp_path, monkeypatch, says
):
    script = tmp_path / "reader"
    script.write_text(f"#!/bin/sh\nread order\necho '{says}'\nread more\n")
    script.chmod(0o755)
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=20)
    with monkeypatch.context() as patch, live.subscribe() as news:
        patch.setattr(sys, "executable", str(script))
        pull(film, trusted=True)
        await until(becomes("retrying", "it talks nonsense"), news)
        patch.undo()
        await until(becomes("live"), news)


class FaultyStore(FakeStore):
    """Fails in a way nobody foresaw, as often as it is told to."""

    faults = 0

    async def append(self, stream, tokens, thumbnail):
        if self.faults:
            self.faults -= 1
            raise RuntimeError("a mistake of ours")
        await super().append(stream, tokens, thumbnail)


async def test_a_source_comes_back_to_a_stream_that_an_error_broke(registry_of, pull, tmp_path):
    store = FaultyStore()
    registry = registry_of(LiveSettings(rate=4.0, close_within=0.5), store)
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=20)
    made = [await registry.open("cam")]
    mended = asyncio.Event()

    async def again():
        made.append(await registry.open("cam"))
        if len(made) == 3:
            mended.set()
        return made[-1]

    store.faults = 2
    puller = pull(film, live=made[0], trusted=True, again=again)
    await mended.wait()
    assert len(set(made)) == 3
    with made[-1].subscribe() as news:
        await until(remembered, news)
    assert not puller.over
    assert made[-1].status().state == "live"


async def test_a_source_leaves_a_stream_made_anew_to_another_one(registry_of, pull, tmp_path):
    store = FaultyStore()
    registry = registry_of(LiveSettings(rate=4.0, close_within=0.5), store)
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=20)

    async def again():
        anew = await registry.open("cam")
        anew.open_feed("webrtc")
        return anew

    store.faults = 1
    puller = pull(film, live=await registry.open("cam"), trusted=True, again=again)
    async with asyncio.timeout(20):
        await puller.wait_over()
    assert (await registry.find("cam")).status().source == "webrtc"


async def test_a_file_plays_in_real_time_to_its_end(live, store, pull, tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=2.0)
    puller = pull(film, trusted=True)
    await puller.wait_over()
    await live.settle()
    assert live.status().reason == "The source is at its end."
    first, *_, last = await store.moments("cam")
    assert last.end - first.start == pytest.approx(1.8, abs=0.5)


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


async def test_a_device_is_watched_and_named_as_one(live, store, pull):
    with live.subscribe() as news:
        pull("lavfi:testsrc=rate=10:size=64x48", trusted=True)
        await until(remembered, news)
    assert live.status().source == "device"


async def test_the_reader_follows_the_rate_that_is_wanted(rtsp_server, live, pull):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url("jpeg"))
        await until(remembered, news)
        with live.watch() as pictures:
            for _ in range(3):
                await pictures.next()
            loop = asyncio.get_running_loop()
            began = loop.time()
            for _ in range(10):
                await pictures.next()
            assert loop.time() - began < 2.0


async def test_the_process_does_not_outlive_its_parent(tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=60)
    script = textwrap.dedent(f"""
        import subprocess, sys
        from stream.picture_ring import PictureRing
        from stream.pull_order import PullOrder

        ring = PictureRing.make(640)
        order = PullOrder("file", "", 0, {str(film)!r}, "", ring.descriptor, trusted=True)
        reader = subprocess.Popen(
            [sys.executable, "-m", "stream.pull_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[ring.descriptor],
        )
        reader.stdin.write(order.to_line())
        reader.stdin.flush()
        reader.stdout.readline()
        sys.stdout.write(str(reader.pid) + chr(10))
        sys.stdout.flush()
        reader.wait()
    """)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    child = psutil.Process(int(await parent.stdout.readline()))
    assert child.is_running()
    parent.kill()
    await parent.communicate()
    await asyncio.to_thread(psutil.wait_procs, [child], 10)
    assert not child.is_running()


async def test_the_password_is_not_on_the_command_line_nor_in_the_environment(
    rtsp_server, live, pull
):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url("private", "admin:pa%3Ass@"))
        await until(becomes("live"), news)
        [reader] = readers()
        for text in (*reader.cmdline(), *reader.environ().values()):
            assert "pa:ss" not in text
            assert "pa%3Ass" not in text


async def test_a_test_reports_what_the_source_is(rtsp_server):
    await start(rtsp_server)
    source = read_source(rtsp_server.url("film"))
    found = await probe(source, settings=SETTINGS, monotonic=time.monotonic)
    assert (found.codec, found.width, found.height) == ("h264", 96, 64)
    assert found.rate == pytest.approx(20, rel=0.2)


async def test_a_test_says_why_a_source_cannot_be_used(rtsp_server):
    await start(rtsp_server)
    for url, settings, reason in (
        (rtsp_server.url("nowhere"), SETTINGS, "nothing at this path"),
        (rtsp_server.url("live"), PullSettings(), "private network"),
    ):
        with pytest.raises(BadSource, match=reason):
            await probe(read_source(url), settings=settings, monotonic=time.monotonic)


async def test_a_source_inside_is_never_dialled(live, pull):
    with socket.create_server(("127.0.0.1", 0)) as inside, live.subscribe() as news:
        inside.settimeout(0.05)
        pull(f"rtsp://127.0.0.1:{inside.getsockname()[1]}/cam", PullSettings(first_retry=0.05))
        await until(becomes("retrying", "private network"), news)
        await until(becomes("retrying", "private network"), news)
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(inside.accept)
    assert readers() == []
