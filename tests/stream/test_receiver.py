import asyncio
import threading

import pytest
from aiortc import RTCRtpCodecParameters
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from aiortc.rtp import RtcpByePacket

from stream.webrtc.ice import WebRtcSettings, new_connection
from stream.webrtc.receiver import (
    ARRIVALS_NOTED,
    INSIDE,
    LONGEST_BACKLOG,
    Gate,
    decode_only,
    stop_decoding,
)
from stream.webrtc.session import hang_up
from tests.stream.fakes import HandClock

VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=97)
LOOP = threading.current_thread()


class Encoded:
    """An encoded picture that notes when the decoder takes it, and can hold it back."""

    def __init__(self, timestamp, keyframe=True, hold=None):
        self.timestamp = timestamp
        self.taken = False
        self._bytes = b"\x10\x02\x00" if keyframe else b"\x11\x02\x00"
        self._hold = hold

    @property
    def data(self):
        if threading.current_thread() is not LOOP:
            self.taken = True
            if self._hold is not None:
                assert self._hold.wait(60)
        return self._bytes


class Telling(Gate):
    """Tells when it was asked to end."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.ended = threading.Event()

    def put(self, item, block=True, timeout=None):
        super().put(item, block, timeout)
        if item is None:
            self.ended.set()


@pytest.fixture
async def receiver():
    connection = new_connection(WebRtcSettings())
    connection.addTransceiver("video", direction="recvonly")
    [receiver] = connection.getReceivers()
    receiver._track = RemoteStreamTrack(kind="video")
    yield receiver
    await hang_up(connection)


def decode_all(receiver, clock=None, lost=lambda: None):
    return decode_only(receiver, lambda _: True, now=clock or HandClock(), lost=lost)


def test_a_backlog_of_encoded_pictures_is_thrown_away_and_told():
    losses = []

    def decodes(keyframe):
        return keyframe or not losses

    gate = Gate(decodes, lambda: losses.append("all"), HandClock())
    for number in range(LONGEST_BACKLOG):
        gate.put((VP8, Encoded(number, keyframe=False)))
    assert (gate.qsize(), losses) == (LONGEST_BACKLOG, [])
    gate.put((VP8, Encoded(100, keyframe=False)))
    assert (gate.qsize(), losses) == (0, ["all"])
    gate.put((VP8, Encoded(101)))
    assert gate.qsize() == 1


def test_the_time_of_arrival_is_noted_of_what_is_decoded_and_given_once():
    clock = HandClock(5.0)
    gate = Gate(lambda keyframe: keyframe, lambda: None, clock)
    gate.put((VP8, Encoded(3000)))
    clock.now = 5.1
    gate.put((VP8, Encoded(6000, keyframe=False)))
    clock.now = 5.7
    assert gate.arrival(3000) == 5.0
    assert [gate.arrival(timestamp) for timestamp in (3000, 6000, None)] == [5.7, 5.7, 5.7]


def test_notes_of_arrivals_that_nobody_asks_for_are_bounded_and_the_newest_stay():
    clock = HandClock(0.0)
    gate = Gate(lambda _: True, lambda: None, clock)
    for number in range(10 * ARRIVALS_NOTED):
        clock.now = float(number)
        gate.put((VP8, Encoded(number)))
        gate.get()
    assert len(gate._arrivals) == ARRIVALS_NOTED
    assert gate.arrival(number - ARRIVALS_NOTED + 1) == number - ARRIVALS_NOTED + 1


async def test_of_the_decoded_pictures_the_newest_is_received_then_the_end(receiver):
    decode_all(receiver)
    decoded = receiver.track._queue
    for number in range(50):
        await decoded.put(number)
    assert decoded.qsize() == 1
    await decoded.put(None)
    assert await receiver.track.recv() == 49
    assert await decoded.get() is None


@pytest.mark.parametrize("end", ["goodbye", "disconnect"])
async def test_the_sender_s_end_waits_for_one_picture_not_for_all_that_wait(receiver, end):
    """aiortc joins the decoder's thread on the event loop then."""
    gate = Telling(lambda _: True, lambda: None, HandClock())
    setattr(receiver, f"{INSIDE}decoder_queue", gate)
    held = Encoded(0, hold=gate.ended)
    waiting = [Encoded(number) for number in range(1, LONGEST_BACKLOG)]
    await receiver.receive(RTCRtpReceiveParameters(codecs=[VP8]))
    for picture in (held, *waiting):
        gate.put((VP8, picture))
    if end == "goodbye":
        await receiver._handle_rtcp_packet(RtcpByePacket(sources=[1]))
    else:
        receiver._handle_disconnect()
    assert gate.ended.is_set()
    assert not any(picture.taken for picture in waiting)
    assert getattr(receiver, f"{INSIDE}decoder_thread") is None


async def test_a_hang_up_of_our_own_does_not_wait_on_the_event_loop(receiver):
    going_on = threading.Event()
    gate = decode_all(receiver)
    held = Encoded(0, hold=going_on)
    await receiver.receive(RTCRtpReceiveParameters(codecs=[VP8]))
    gate.put((VP8, held))
    stopping = asyncio.create_task(stop_decoding(receiver))
    await asyncio.sleep(0)
    assert not stopping.done()
    going_on.set()
    await stopping


async def test_a_receiver_that_never_started_stops_at_once(receiver):
    await stop_decoding(receiver)
