"""What is painted black is seen by nobody: not by the encoder, nor in memory, nor in a preview."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from stream.frames.blackout import Blackout, Zone
from stream.settings import StreamSettings
from tests.stream.fakes import picture, watch
from web.errors import BadValue
from web.settings import Settings

WHITE = (255, 255, 255)
LEFT = Zone("yard", ((0.0, 0.0), (0.5, 1.0)))
TRIANGLE = Zone("door-*", ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))


def test_a_box_is_black_from_edge_to_edge_and_the_rest_is_as_it_was():
    shown = picture(WHITE, height=60, width=80)
    painted = Blackout((LEFT,), "yard")(shown)
    assert (painted[:, :41] == 0).all()
    assert (painted[:, 45:] == 255).all()
    assert (shown == 255).all()  # others may read what was handed over


def test_a_polygon_is_black_inside_and_a_little_beyond():
    painted = Blackout((TRIANGLE,), "door-7")(picture(WHITE, height=100, width=100))
    down, right = np.mgrid[:100, :100]
    assert (painted[down + right <= 99] == 0).all()
    assert (painted[down + right >= 110] == 255).all()


def test_corners_may_be_given_in_any_order_and_zones_overlap():
    zones = (Zone("*", ((1.0, 1.0), (0.9, 0.0))), Zone("*", ((0.0, 1.0), (1.0, 0.9))))
    painted = Blackout(zones, "any")(picture(WHITE, height=50, width=50))
    assert (painted[:, 46:] == 0).all()
    assert (painted[46:, :] == 0).all()
    assert (painted[:40, :40] == 255).all()


def test_other_streams_are_left_alone():
    shown = picture(WHITE)
    assert Blackout((LEFT, TRIANGLE), "street")(shown) is shown


def test_the_whole_picture_may_be_black_whatever_its_size_becomes():
    blackout = Blackout((Zone("*", ((0.0, 0.0), (1.0, 1.0))),), "any")
    for height, width in [(20, 30), (30, 20), (1, 1), (20, 30)]:
        assert not blackout(picture(WHITE, height=height, width=width)).any()


async def test_nothing_that_comes_out_of_a_stream_shows_a_zone(registry_of, clock, engine, store):
    settings = StreamSettings(rate=2.0, first_rate=2.0, zones=(LEFT,))
    live = await registry_of(settings, wall=clock, monotonic=clock).open("yard")
    with live.watch() as previews:
        feed = live.open_feed("webrtc")
        await watch(live, feed, clock, seconds=3, colour=WHITE)
        preview = await previews.next()
    [moment, *_] = await store.moments("yard")
    thumbnail = Image.open(BytesIO(await store.thumbnail("yard", moment.start)))
    seen = [clip.pixels.numpy() for clip in engine.encoded]
    assert seen
    for pixels in (*seen, preview, live.newest_picture(), np.asarray(thumbnail)):
        across = pixels.shape[-2] // 2
        assert pixels[..., : across - 8, :].max(initial=0) < 16  # a JPEG rings a little at edges
        assert pixels[..., across + 10 :, :].min() > 240


def test_zones_are_a_setting():
    given = "yard=0,0 0.5,1; door-*=0,0 1,0 0,1;"
    assert Settings.from_env({"FLASHBACK_BLACKOUT": given}).blackout == (LEFT, TRIANGLE)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("0,0 1,1", "give NAME=X,Y X,Y"),
        ("yard=0,0 1", "give NAME=X,Y X,Y"),
        ("yard=a,b c,d", "give NAME=X,Y X,Y"),
        ("yard=0.5,0.5", "two corners or more, not 1"),
        ("yard=0,0 50,100", "50 is not a fraction of a picture"),
        ("yard=0,0 nan,1", "nan is not a fraction of a picture"),
        ("yard=0.2,0 0.2,1", "span no box"),
    ],
)
def test_a_zone_that_covers_nothing_stops_the_start(given, sentence):
    with pytest.raises(BadValue, match=f"FLASHBACK_BLACKOUT.*{sentence}"):
        Settings.from_env({"FLASHBACK_BLACKOUT": given})
