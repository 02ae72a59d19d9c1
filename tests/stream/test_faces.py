"""A face is recognised nowhere: not by the encoder, nor in memory, nor in a preview, nor in a film."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from model.vision.networks.faces import Face, face_network, find_faces
from stream.frames.faces import FaceBlur, blurred
from stream.settings import StreamSettings
from tests.stream.fakes import picture
from training.detector.convert_detector import made_up_picture
from web.errors import BadValue
from web.settings import Settings

GOLDEN = Path(__file__).parents[1] / "golden" / "faces.safetensors"
# Eileen Collins, by NASA, in the public domain.
PORTRAIT = np.asarray(Image.open(Path(__file__).parent / "astronaut.jpg"))


def faces_in(pixels):
    return find_faces(torch.tensor(np.array(pixels)))


@pytest.fixture(scope="module")
def face():
    [found] = faces_in(PORTRAIT)
    return found


def inside(pixels, face):
    """Return what is between brow and chin."""
    return pixels[int(face.top) : int(face.bottom), int(face.left) : int(face.right)].astype(int)


def test_the_network_computes_what_the_published_one_does():
    with torch.inference_mode():
        ours = face_network()(made_up_picture()[..., :96, :96].float())
    for value, golden in zip(ours, load_file(GOLDEN).values(), strict=True):
        assert (value - golden).abs().max() < 0.05  # weights are kept in half precision


def test_a_real_face_is_found_where_it_is_and_nothing_where_there_is_none(face):
    across, down = (face.left + face.right) / 2, (face.top + face.bottom) / 2
    assert face.score > 0.8
    assert 110 < across < 150
    assert 90 < down < 140
    assert 70 < face.right - face.left < 110
    assert faces_in(picture((120, 120, 120), 180, 320)) == []


@pytest.mark.parametrize("side", [60, 120, 200])
def test_small_faces_are_found_too(side):
    small = Image.fromarray(PORTRAIT).resize((side * 4 // 3, side))
    canvas = Image.new("RGB", (400, 250), (90, 90, 90))
    canvas.paste(small, (40, 20))
    assert len(faces_in(np.asarray(canvas))) == 1


def test_what_is_left_of_a_face_is_sixteen_averages(face):
    shown = blurred(PORTRAIT, [face])
    assert faces_in(shown) == []
    assert np.abs(np.diff(inside(shown, face), axis=1)).max() < 20  # no edge is left
    assert np.abs(np.diff(inside(PORTRAIT, face), axis=1)).max() > 60
    assert (shown[:, 240:] == PORTRAIT[:, 240:]).all()
    assert (shown[0] == PORTRAIT[0]).all() or face.top < 40


@pytest.mark.parametrize(
    "face",
    [Face(-30, -30, 20, 20, 1), Face(300, 200, 400, 300, 1), Face(10, 10, 11, 11, 1)],
)
def test_a_face_at_the_edge_or_of_a_few_pixels_is_blurred_as_well(face):
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    shown = blurred(noise, [face])
    assert shown.shape == noise.shape
    assert (shown != noise).any()


def test_a_face_outside_of_the_picture_changes_nothing():
    assert blurred(PORTRAIT, [Face(-90, -90, -60, -60, 1), Face(900, 0, 950, 50, 1)]) is PORTRAIT


async def test_where_a_face_was_a_moment_ago_is_blurred_as_well(face):
    blur = FaceBlur(("door-*",), "door-1")
    await blur(PORTRAIT)
    noise = np.random.default_rng(0)
    hidden = noise.integers(0, 256, PORTRAIT.shape, dtype=np.uint8)
    assert faces_in(hidden) == []
    shown = await blur(hidden)
    assert np.abs(np.diff(inside(shown, face), axis=0)).max() < 40
    assert (await FaceBlur(("door-*",), "yard")(PORTRAIT)) is PORTRAIT


async def test_nothing_that_comes_out_of_a_stream_shows_a_face(
    registry_of, clock, engine, store, face
):
    settings = StreamSettings(rate=2.0, first_rate=2.0, blur_faces=("yard",), reel_seconds=9.0)
    live = await registry_of(settings, wall=clock, monotonic=clock).open("yard")
    with live.watch() as previews:
        feed = live.open_feed("webrtc")
        with pytest.raises(ValueError, match="hand_over"):
            feed.push(feed.place(clock()), PORTRAIT)
        for _ in range(4):
            clock.now += 0.5
            await feed.hand_over(feed.place(clock()), PORTRAIT)
        feed.flush()
        preview = await previews.next()
    await live.close()
    [moment, *_] = await store.moments("yard")
    thumbnail = Image.open(BytesIO(await store.thumbnail("yard", moment.start)))
    seen = [pixels for clip in engine.encoded for pixels in clip.pixels.numpy()]
    assert seen
    for pixels in (*seen, preview, live.newest_picture()):
        assert np.abs(np.diff(inside(pixels, face), axis=1)).max() < 20
        assert faces_in(pixels) == []
    assert faces_in(np.asarray(thumbnail.convert("RGB").resize((320, 240)))) == []


def test_streams_whose_faces_are_blurred_are_a_setting():
    chosen = Settings.from_env({"FLASHBACK_BLUR_FACES": "door-*, yard"})
    assert chosen.blur_faces == ("door-*", "yard")
    with pytest.raises(BadValue, match=r"FLASHBACK_BLUR_FACES: give names of streams"):
        Settings.from_env({"FLASHBACK_BLUR_FACES": "front door"})
