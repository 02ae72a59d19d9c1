"""Which of several video tracks is watched."""

import av
import numpy as np
import pytest
from av.stream import Disposition

from stream.errors import NoVideo
from stream.file.film import open_film
from stream.file.tracks import choose_video
from stream.pull.errors import CannotOpen
from tests.stream.opening import open_source, order

BLACK, RED = (0, 0, 0), (220, 30, 30)
STILL, FILM = 1, 10


def write_tracks(path, *tracks):
    """Write tracks of a codec, a colour, a number of pictures and a disposition each."""
    with av.open(str(path), "w") as file:
        streams = []
        for codec, *_, disposition in tracks:
            stream = file.add_stream(codec, rate=5)
            stream.width, stream.height = 64, 48
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            stream.disposition = disposition
            streams.append(stream)
        file.start_encoding()
        for stream, (_, colour, count, _) in zip(streams, tracks, strict=True):
            for _ in range(count):
                pixels = np.full((48, 64, 3), colour, np.uint8)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            file.mux(stream.encode())
    return path


NONE, DEFAULT = Disposition(0), Disposition.default


@pytest.mark.parametrize(
    ("name", "tracks", "chosen"),
    [
        ("default.mkv", [("mpeg4", BLACK, FILM, NONE), ("mpeg4", RED, FILM, DEFAULT)], 1),
        ("equal.mkv", [("mpeg4", RED, FILM, DEFAULT), ("mpeg4", BLACK, FILM, DEFAULT)], 0),
        ("none.ts", [("mpeg2video", RED, FILM, NONE), ("mpeg2video", BLACK, FILM, NONE)], 0),
        ("still.mp4", [("mjpeg", BLACK, STILL, DEFAULT), ("mpeg4", RED, FILM, NONE)], 1),
        ("still.mkv", [("mjpeg", BLACK, STILL, DEFAULT), ("mpeg4", RED, FILM, NONE)], 1),
        ("one.mp4", [("mpeg4", BLACK, STILL, DEFAULT), ("mpeg4", RED, FILM, NONE)], 1),
        ("moving.mp4", [("mjpeg", RED, FILM, DEFAULT), ("mpeg4", BLACK, FILM, NONE)], 0),
    ],
)
def test_the_track_that_a_player_would_show_is_watched(tmp_path, name, tracks, chosen):
    path = write_tracks(tmp_path / name, *tracks)
    container, video = open_film(path)
    with container:
        assert video.index == chosen
        picture = next(container.decode(video)).to_ndarray(format="rgb24")
    assert picture.mean() > 40, "the red one"
    source = open_source(order(str(path)))
    assert source.video.index == chosen
    source.close()


def test_a_still_alone_is_watched(tmp_path):
    path = write_tracks(tmp_path / "still.mp4", ("mjpeg", RED, STILL, DEFAULT))
    with av.open(str(path)) as container:
        assert choose_video(container).codec_context.name == "mjpeg"


def test_a_codec_that_cannot_be_decoded_is_said(tmp_path):
    path = write_tracks(tmp_path / "odd.avi", ("mpeg4", RED, FILM, DEFAULT))
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"WXYZ").replace(b"fmp4", b"WXYZ"))
    with pytest.raises(NoVideo, match="FFmpeg has no decoder"):
        open_film(path)
    with pytest.raises(CannotOpen, match="FFmpeg has no decoder") as failure:
        open_source(order(str(path)))
    assert failure.value.over.final
