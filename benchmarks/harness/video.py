"""A test video of any size, encoded once, so that senders need not encode while we measure."""

import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8


def make_video(path: Path, *, width: int, height: int, rate: int, seconds: int) -> Path:
    """Write a VP8 video to `path` in which something moves and something flickers.

    A keyframe every second, and at a steady rate about as many bits as a camera sends: a sender that goes
    on with the next keyframe when it is asked for one then sends no more than it does unasked, as an
    encoder that keeps its bit rate.
    """
    random = np.random.default_rng(0)
    noise = random.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    with av.open(str(path), "w", format="webm") as container:
        video = container.add_stream("libvpx", rate=rate)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        bits = width * height * rate // 18
        video.bit_rate = bits
        video.time_base = Fraction(1, rate)
        video.gop_size = rate
        video.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        video.options |= dict.fromkeys(("minrate", "maxrate", "bufsize"), str(bits))
        for index in range(rate * seconds):
            frame = av.VideoFrame.from_ndarray(picture(noise, index, width, height))
            frame.pts = index
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def repeat_video(source: Path, path: Path, *, seconds: int) -> Path:
    """Write the encoded pictures of `source` to `path`, again and again for `seconds`."""
    with av.open(str(source)) as film, av.open(str(path), "w", format="webm") as container:
        copied = container.add_stream_from_template(film.streams.video[0])
        packets = [packet for packet in film.demux(film.streams.video[0]) if packet.size]
        rate = film.streams.video[0].average_rate or Fraction(25)
        for number in range(math.ceil(seconds * rate / len(packets)) * len(packets)):
            packet = packets[number % len(packets)]
            again = av.Packet(bytes(packet))
            again.pts = again.dts = number
            again.time_base, again.is_keyframe = 1 / rate, packet.is_keyframe
            again.stream = copied
            container.mux(again)
    return path


def picture(
    noise: UInt8[np.ndarray, "small_height small_width 3"], index: int, width: int, height: int
) -> UInt8[np.ndarray, "height width 3"]:
    """Draw picture `index`: coarse noise that drifts, and a white square that crosses it."""
    drifting = np.roll(noise, index // 2, axis=1)
    drawn = np.kron(drifting, np.ones((8, 8, 1), dtype=np.uint8))
    drawn = np.pad(drawn, ((0, height - len(drawn)), (0, width - drawn.shape[1]), (0, 0)))
    side = height // 4
    left = 4 * index % (width - side)
    drawn[side : 2 * side, left : left + side] = 255
    return drawn
