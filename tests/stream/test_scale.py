"""Pictures as they are to be shown: turned, mirrored, and of the size that the encoder needs."""

import asyncio
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from av import VideoFrame
from PIL import ExifTags, Image

from stream.address.source_url import read_source
from stream.frames.scale import as_rgb, to_rgb
from stream.frames.side_data import Type
from stream.pull.frame_ring import PictureRing
from stream.pull.probe import probe
from stream.pull.supervisor import Puller
from stream.settings import StreamSettings
from tests.stream.pulling import SETTINGS
from tests.stream.videos import write_video

# What maps (x, y) to (a x + c y, b x + d y), as QuickTime's track headers and FFmpeg have it:
# https://developer.apple.com/documentation/quicktime-file-format/track_header_atom/matrix_structure
ORIENTATIONS = {
    "level": (1, 0, 0, 1),
    "turned right": (0, 1, -1, 0),
    "upside down": (-1, 0, 0, -1),
    "turned left": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1),
    "mirrored upside down": (1, 0, 0, -1),
    "mirrored and turned left": (0, 1, 1, 0),
    "mirrored and turned right": (0, -1, -1, 0),
}
# https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E, section 4.6.5
EXIF = (
    "level",
    "mirrored",
    "upside down",
    "mirrored upside down",
    "mirrored and turned left",
    "turned right",
    "mirrored and turned right",
    "turned left",
)
SIZE = (96, 64)


@pytest.fixture(scope="module")
def level(tmp_path_factory):
    """A film whose upper left quarter is white."""
    path = tmp_path_factory.mktemp("films") / "level.mp4"
    pixels = np.zeros((SIZE[1], SIZE[0], 3), dtype=np.uint8)
    pixels[: SIZE[1] // 2, : SIZE[0] // 2] = 255
    with av.open(str(path), "w") as file:
        film = file.add_stream("mpeg4", rate=10)
        film.width, film.height, film.pix_fmt = *SIZE, "yuv420p"
        for _ in range(2):
            file.mux(film.encode(VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(film.encode())
    return path.read_bytes()


def header(a, b, c, d):
    return struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_a_film_is_seen_as_players_show_it(level, tmp_path, name):
    a, b, c, d = ORIENTATIONS[name]
    at = level.rindex(header(1, 0, 0, 1))  # the track's; the film's own stands before it
    film = tmp_path / "film.mp4"
    film.write_bytes(level[:at] + header(a, b, c, d) + level[at + 36 :])
    with av.open(str(film)) as container:
        pixels = to_rgb(next(container.decode(video=0)), 32)
    assert_quarter_is_white(pixels, a, b, c, d)


def assert_quarter_is_white(pixels, a, b, c, d):
    lies = not a
    assert pixels.shape == ((48, 32, 3) if lies else (32, 48, 3))
    right, below = -a - c > 0, -b - d > 0  # where the upper left corner has gone
    rows, columns = np.array_split(pixels, 2)[below], slice(None)
    quarter = np.array_split(rows[:, columns], 2, axis=1)[right]
    assert quarter.mean() > 220
    assert pixels.mean() == pytest.approx(255 / 4, abs=8), "white nowhere else"


@pytest.mark.parametrize(("number", "name"), list(enumerate(EXIF, 1)))
def test_a_photograph_is_seen_as_its_exif_turns_it(tmp_path, number, name):
    pixels = np.zeros((SIZE[1], SIZE[0], 3), dtype=np.uint8)
    pixels[: SIZE[1] // 2, : SIZE[0] // 2] = 255
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = number
    Image.fromarray(pixels).save(tmp_path / "photograph.jpg", exif=exif)
    with av.open(str(tmp_path / "photograph.jpg")) as container:
        seen = to_rgb(next(container.decode(video=0)), 32)
    assert_quarter_is_white(seen, *ORIENTATIONS[name])


def test_a_frame_with_what_nobody_has_a_name_for_is_a_frame():
    assert Type(9999).name == "UNNAMED_9999"
    assert Type(Type.DISPLAYMATRIX.value) is Type.DISPLAYMATRIX


def frame(width, height):
    return VideoFrame.from_ndarray(np.zeros((height, width, 3), dtype=np.uint8), format="rgb24")


def test_pictures_are_scaled_down_to_their_shorter_side_never_up():
    assert to_rgb(frame(1280, 720), 360).shape == (360, 640, 3)
    assert to_rgb(frame(1280, 720), 448).shape == (448, 796, 3)
    assert to_rgb(frame(720, 1280), 448).shape == (796, 448, 3)
    assert to_rgb(frame(64, 48), 360).shape == (48, 64, 3)


def test_a_picture_of_any_shape_fits_into_the_memory_that_processes_share():
    ring = PictureRing.make(32)
    for width, height in ((3000, 20), (20, 3000), (500, 500), (128, 32), (1, 1)):
        pixels = to_rgb(frame(width, height), 32)
        assert ring.read(ring.write(pixels), *pixels.shape[:2]).shape == pixels.shape
    ring.close()


@pytest.mark.parametrize(
    ("encoder", "setting", "side"), [(224, None, 360), (448, None, 448), (448, 720, 720)]
)
async def test_the_encoder_decides_how_large_the_pictures_of_a_pulled_source_are(
    registry_of, engine, tmp_path, encoder, setting, side
):
    engine.image_size = encoder
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", 10.0, size=(1280, 720))
    live = await registry_of(StreamSettings(frame_side=setting)).open("cam")
    with live.watch() as pictures:
        puller = Puller(source(film), live, settings=SETTINGS, monotonic=live.now, trusted=True)
        puller.start()
        try:
            assert (await pictures.next()).shape == (side, round(side * 1280 / 720), 3)
        finally:
            await puller.close()


async def test_a_source_can_be_tested_before_there_is_a_stream(tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", 1.0, size=(1280, 720))
    clock = asyncio.get_running_loop().time
    found = await probe(source(film), settings=SETTINGS, monotonic=clock, trusted=True)
    assert (found.width, found.height) == (1280, 720)


def source(path):
    return read_source(str(path), local=True)


def test_converting_a_frame_starts_no_thread():
    frame = VideoFrame(64, 48, "yuv420p")
    before = {path.name for path in Path("/proc/self/task").iterdir()}
    as_rgb(frame, 32, 24)
    assert {path.name for path in Path("/proc/self/task").iterdir()} <= before
