from fractions import Fraction

import av
import numpy as np
import pytest

from stream.webrtc.keyframes import (
    DISTRUSTED_AFTER,
    PROMPT,
    REST,
    TRUSTED_AFTER,
    Decoding,
    is_keyframe,
)


class Sender:
    """Sends ten pictures per second; a keyframe `delay` after it was asked, if it listens."""

    def __init__(self, decoding, *, listens=True, delay=0.1, every=1000.0):
        self.decoding = decoding
        self.listens = listens
        self.delay = delay
        self.every = every
        self.now = 0.0
        self.requests = []
        self._begin = True
        self._next_own = every

    def run(self, seconds, rate=1.0):
        """Return the times of the pictures that were decoded, looked at `rate` times a second."""
        decoded, end, due = [], self.now + seconds, self.now
        while self.now < end:
            if self.decoding.asks(due=self.now >= due, now=self.now):
                self.requests.append(self.now)
            if self.decoding.decodes(self._keyframe(), self.now):
                decoded.append(round(self.now, 1))
                self.decoding.taken()
                if self.now >= due:
                    due = self.now + 1 / rate
            self.now += 0.1
        return decoded

    def _keyframe(self):
        asked = self.listens and self.requests and not self._answered(self.requests[-1])
        own = self.now >= self._next_own
        if own:
            self._next_own += self.every
        if asked:
            self._done = self.requests[-1]
        begin, self._begin = self._begin, False
        return begin or own or bool(asked)

    _done = None

    def _answered(self, request):
        return request == self._done or self.now < request + self.delay - 0.01


def test_a_sender_that_listens_is_soon_asked_for_a_keyframe_a_second_and_nothing_else_is_decoded():
    decoding = Decoding()
    sender = Sender(decoding)
    decoding.everything = False
    sender.run(5.0)
    assert decoding.thrifty
    before = len(sender.requests)
    assert 9 <= len(sender.run(10.0)) <= 11
    assert 9 <= len(sender.requests) - before <= 11


def test_a_sender_that_does_not_listen_has_everything_decoded_and_is_left_in_peace():
    decoding = Decoding()
    sender = Sender(decoding, listens=False, every=2.0)
    decoding.everything = False
    assert len(sender.run(REST)) == pytest.approx(10 * REST, abs=2)
    assert len(sender.requests) <= DISTRUSTED_AFTER + TRUSTED_AFTER
    assert not decoding.thrifty
    tried = len(sender.requests)
    sender.run(REST)
    assert tried < len(sender.requests) <= 2 * tried


def test_everything_is_decoded_again_from_the_next_keyframe_when_more_is_wanted():
    decoding = Decoding()
    sender = Sender(decoding)
    decoding.everything = False
    sender.run(5.0)
    decoding.everything = True
    decoded = sender.run(2.0)
    assert len(decoded) >= 18, "a keyframe was asked for at once"
    assert len(sender.run(2.0)) == pytest.approx(20, abs=1)


def test_a_sender_that_stops_to_listen_is_found_out():
    decoding = Decoding()
    sender = Sender(decoding)
    decoding.everything = False
    sender.run(5.0)
    sender.listens = False
    sender.every, sender._next_own = 4.0, sender.now + 4.0
    sender.run(10.0)
    assert not decoding.thrifty
    assert len(sender.run(4.0)) == pytest.approx(40, abs=1)


def test_slow_answers_are_not_relied_upon():
    decoding = Decoding()
    sender = Sender(decoding, delay=PROMPT + 0.3)
    decoding.everything = False
    sender.run(10.0)
    assert not decoding.thrifty


def test_nothing_but_a_keyframe_is_decoded_after_a_loss():
    decoding = Decoding()
    assert not decoding.decodes(keyframe=False, now=0.0)
    assert decoding.asks(due=False, now=0.0)
    assert decoding.decodes(keyframe=True, now=0.1)
    assert decoding.taken() == 2
    assert decoding.decodes(keyframe=False, now=0.2)
    assert decoding.taken() == 1
    decoding.lost()
    assert not decoding.decodes(keyframe=False, now=0.3)
    assert decoding.asks(due=False, now=1.0)


@pytest.mark.parametrize(("codec", "encoder"), [("VP8", "libvpx"), ("H264", "libx264")])
def test_keyframes_are_told_from_other_pictures(codec, encoder):
    context = av.CodecContext.create(encoder, "w")
    context.width, context.height, context.pix_fmt = 64, 48, "yuv420p"
    context.time_base = Fraction(1, 10)
    context.gop_size = 5
    context.options = (
        {"lag-in-frames": "0"}
        if codec == "VP8"
        else {"tune": "zerolatency", "x264-params": "scenecut=0"}
    )
    random = np.random.default_rng(0)
    packets = []
    for index in range(10):
        pixels = random.integers(0, 255, (48, 64, 3), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
        frame.pts = index
        packets += context.encode(frame)
    packets += context.encode(None)
    told = [is_keyframe(codec, bytes(packet)) for packet in packets]
    assert told == [packet.is_keyframe for packet in packets]
    assert any(told)
    assert not all(told)


@pytest.mark.parametrize("data", [b"", b"\0\0\1", b"\0\0\1\x67", b"no start code"])
def test_damaged_pictures_are_no_keyframes(data):
    assert not is_keyframe("H264", data)


def test_an_empty_picture_is_no_keyframe():
    assert not is_keyframe("VP8", b"")
