"""Makes a film of kept pictures: H.264 in an MP4 that plays in every browser, each picture at its time."""

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
from PIL import Image

from stream.reel import Still

_TIME_BASE = Fraction(1, 1000)
_LAST_SHOWN = 0.5
"""Seconds: the last picture has no next one that would say how long it stays."""
_HEAD_BYTES, _HEAD_BYTES_EACH = 4096, 40
"""Room at the beginning for what players read first, and more for each picture: so they begin before all
of it is there."""
# One thread: an event must not take the processor from the encoder of clips.
_OPTIONS = {"preset": "veryfast", "crf": "25", "threads": "1"}


def mp4_of(stills: Sequence[Still]) -> bytes:
    """Return a film of `stills`, which begins with the first of them. Blocks.

    Raises:
        ValueError: If there is none.
    """
    if not stills:
        raise ValueError("a film needs a picture")
    width, height = _even(Image.open(BytesIO(stills[0].jpeg)).size)
    out = BytesIO()
    head = {"moov_size": str(_HEAD_BYTES + _HEAD_BYTES_EACH * len(stills))}
    with av.open(out, "w", format="mp4", options=head) as container:
        video = container.add_stream("libx264", rate=30, options=_OPTIONS)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = _TIME_BASE
        last = Still(stills[-1].time + _LAST_SHOWN, stills[-1].jpeg)
        for still in (*stills, last):
            picture = Image.open(BytesIO(still.jpeg)).convert("RGB").resize((width, height))
            frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
            frame.time_base = _TIME_BASE
            frame.pts = round((still.time - stills[0].time) / _TIME_BASE)
            container.mux(video.encode(frame))
        container.mux(video.encode())
    return out.getvalue()


def _even(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size that colours at half the resolution allow."""
    return max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2)
