"""Small video files for tests, written by PyAV."""

import os
import sys
from contextlib import contextmanager

import av
import numpy as np
from av.video.frame import PictureType


def write_video(
    path,
    seconds=2.0,
    rate=10,
    size=(96, 64),
    codec="mpeg4",
    colours=None,
    options=None,
    container=None,
    keyframes=(),
    top=None,
):
    """Write a film of one colour after another, red then blue by default; return its path.

    With `top` the upper half of every picture has that colour.
    """
    colours = colours or [(220, 30, 30), (30, 30, 220)]
    with _as_urgent_as_before(), av.open(str(path), "w", options=container or {}) as file:
        film = file.add_stream(codec, rate=rate, options=options or {})
        film.width, film.height = size
        film.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        count = round(seconds * rate)
        for i in range(count):
            colour = colours[i * len(colours) // count]
            pixels = np.full((size[1], size[0], 3), colour, dtype=np.uint8)
            if top is not None:
                pixels[: size[1] // 2] = top
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if i in keyframes:
                frame.pict_type = PictureType.I
            file.mux(film.encode(frame))
        file.mux(film.encode())
    return path


@contextmanager
def _as_urgent_as_before():
    """Leave the thread as it was scheduled: SVT-AV1, run by root, makes it real-time for good.

    All other programs then wait for the rest of the tests and whatever they start.
    """
    if sys.platform != "linux":
        yield
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if (os.sched_getscheduler(0), os.sched_getparam(0)) != before:
            os.sched_setscheduler(0, *before)
