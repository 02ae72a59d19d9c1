import asyncio
import socket

import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from stream.errors import BadInput, NoRoom
from stream.feed import WATCHED_RATE
from stream.registry import Registry
from stream.settings import StreamSettings
from stream.webrtc.ice import WebRtcSettings, new_connection
from stream.webrtc.preview import answer_viewer
from stream.webrtc.session import hang_up
from tests.stream.fakes import FakeEngine, FakeStore, HandClock, picture

SETTINGS = WebRtcSettings(silence=60.0)


@pytest.fixture
async def registry():
    clock = asyncio.get_running_loop().time
    settings = StreamSettings(first_rate=2.0, close_within=30)
    registry = Registry(
        engine=FakeEngine(), store=FakeStore(), settings=settings, wall=clock, monotonic=clock
    )
    yield registry
    await registry.close()


@pytest.fixture
async def live(registry):
    return await registry.open("yard")


@pytest.fixture
async def viewer():
    connection = new_connection(WebRtcSettings())
    connection.addTransceiver("video", direction="recvonly")
    await connection.setLocalDescription()
    yield connection
    await hang_up(connection)


async def watch(viewer: RTCPeerConnection, live):
    peer = await answer_viewer(viewer.localDescription.sdp, live, settings=SETTINGS)
    await viewer.setRemoteDescription(RTCSessionDescription(sdp=peer.answer, type="answer"))
    [track] = [receiver.track for receiver in viewer.getReceivers()]
    return peer, track


async def first_of_colour(track, index):
    while True:
        frame = await track.recv()
        mean = frame.to_ndarray(format="rgb24").mean(axis=(0, 1))
        if int(np.argmax(mean)) == index and mean[index] > 150:
            return frame


async def test_a_viewer_sees_what_the_stream_saw_last_and_what_it_sees_next(live, viewer):
    feed = live.open_feed("url")
    feed.push(feed.offer(0.0), picture((220, 20, 20), 65, 97))
    peer, track = await watch(viewer, live)
    frame = await first_of_colour(track, 0)
    assert (frame.width, frame.height) == (96, 64)
    live.open_feed("url")
    feed = live.open_feed("url")
    feed.push(feed.offer(5.0), picture((20, 20, 220), 65, 97))
    await first_of_colour(track, 2)
    await peer.close()


async def test_the_end_of_the_stream_ends_its_viewers(registry, live, viewer):
    peer, track = await watch(viewer, live)
    await track.recv()
    await registry.forget("yard")
    await peer.wait_closed()
    assert peer.reason == "The stream was closed."


async def test_a_viewer_who_never_comes_is_given_up(live, viewer):
    settings = WebRtcSettings(silence=0.1)
    peer = await answer_viewer(viewer.localDescription.sdp, live, settings=settings)
    await peer.wait_closed()
    assert "not reached" in peer.reason


async def test_a_stream_is_watched_as_long_as_its_viewer_is_there(live, viewer):
    feed = live.open_feed("url")
    alone = feed.wanted_rate
    peer, track = await watch(viewer, live)
    await track.recv()
    assert feed.wanted_rate == WATCHED_RATE > alone
    await viewer.close()
    await peer.wait_closed()
    assert feed.wanted_rate == alone


async def test_a_viewer_who_never_came_leaves_the_stream_unwatched(live, viewer):
    feed = live.open_feed("url")
    alone = feed.wanted_rate
    settings = WebRtcSettings(silence=0.1)
    peer = await answer_viewer(viewer.localDescription.sdp, live, settings=settings)
    assert feed.wanted_rate == WATCHED_RATE
    await peer.wait_closed()
    assert feed.wanted_rate == alone


async def test_a_viewer_for_whom_no_port_is_free_leaves_the_stream_unwatched(live, viewer):
    feed = live.open_feed("url")
    alone = feed.wanted_rate
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = WebRtcSettings(udp_ports=(port, port))
    peer = await answer_viewer(viewer.localDescription.sdp, live, settings=settings)
    with pytest.raises(NoRoom):
        await answer_viewer(viewer.localDescription.sdp, live, settings=settings)
    await peer.close()
    assert feed.wanted_rate == alone


async def test_a_viewer_who_wants_to_send_is_refused(live, viewer):
    offer = viewer.localDescription.sdp.replace("a=recvonly", "a=sendonly")
    with pytest.raises(BadInput, match="does not receive"):
        await answer_viewer(offer, live, settings=SETTINGS)


async def test_more_pictures_are_converted_while_someone_watches_but_not_remembered(registry):
    clock = HandClock()
    registry = Registry(
        engine=FakeEngine(),
        store=FakeStore(),
        settings=StreamSettings(rate=2.0, first_rate=2.0, close_within=30),
        wall=clock,
        monotonic=clock,
    )
    live = await registry.open("yard")
    feed = live.open_feed("webrtc")

    def second():
        slots = []
        for _ in range(30):
            slots.append(feed.offer(clock()))
            if slots[-1]:
                feed.push(slots[-1], picture())
            clock.now += 1 / 30
        return [slot for slot in slots if slot]

    assert len(second()) == 2
    with live.watch():
        assert 10 <= len(second()) <= 12
    assert len(second()) == 2
    assert live.status().sampled == 6
    await registry.close()
