"""What real RTSP cameras do, and how a puller bears it."""

import asyncio
import itertools
import socket
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from stream.pull.io.rtsp_proxy import RtspMessage, RtspRelay
from stream.pull.process import PullSettings
from tests.stream.certificates import Certified
from tests.stream.fakes import becomes, until
from tests.stream.pulling import IMPATIENT, SETTINGS, readers, remembered, start


@pytest.mark.parametrize("path", ["live", "jpeg", "film"])
async def test_a_camera_is_remembered(rtsp_server, live, pull, path):
    await start(rtsp_server)
    with live.subscribe() as news:
        pull(rtsp_server.url(path))
        await until(remembered, news)
    status = live.status()
    assert (status.state, status.source) == ("live", "url")
    assert status.frames > status.sampled
    assert 0 < status.frame_age_ms < 60_000


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
                whole += await answers.readexactly(
                    int(RtspMessage(whole).header("content-length") or 0)
                )
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
        pull(rtsp_server.url("live"), IMPATIENT)
        await until(becomes("live"), news)
        rtsp_server.hang()
        await until(becomes("retrying", "No picture came for 2 seconds"), news)
        rtsp_server.kill()
        await start(rtsp_server)
        await until(becomes("live"), news)


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

    def late(event):
        """Return how long ago it was, by the clock, that its last picture was taken."""
        return time.time() - live.status().began - event.moment.end

    with live.subscribe() as news:
        pull(f"rtsp://127.0.0.1:{tap.port}/{path}")
        await until(
            lambda e: remembered(e) and e.moment.end > 7 and misbehaved(tap.stamps) and late(e) < 1,
            news,
        )
    tap.close()
    moments = await store.moments("cam")
    assert all(b.start - a.end > 0 for a, b in itertools.pairwise(moments))
    assert moments[-1].end <= time.time() - live.status().began
