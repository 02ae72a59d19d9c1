"""Video over RTMP: encoders that are set differently, clocks that start again, servers that hang up."""

import pytest

from stream.pull.decode import Picked, Picker
from tests.stream.opening import PlayClock, open_source, order
from tests.stream.rtmp_server import Stage
from tests.stream.videos import write_video

SMALL, LARGE = (96, 64), (128, 96)


@pytest.fixture(scope="module")
def acts(tmp_path_factory):
    """Three seconds each, by name."""
    folder = tmp_path_factory.mktemp("acts")

    def film(name, size=SMALL, late="0", codec="libx264"):
        options = {"g": "10", "bf": "0"} if codec == "libx264" else {}
        container = {"output_ts_offset": late}
        path = folder / f"{name}.flv"
        return write_video(
            path, 3.0, size=size, codec=codec, options=options, container=container
        ).read_bytes()

    return {
        "small": film("small"),
        "large": film("large", LARGE),
        "late": film("late", late="3600"),
        "sorenson": film("sorenson", codec="flv"),
    }


class Arriving(PlayClock):
    """A clock that goes on with whatever comes: some ten pictures a second."""

    def __call__(self):
        self.now += 0.04
        return self.now


def watched(url):
    """Watch until the server hangs up, which is never the end; return what was picked."""
    clock, picked = Arriving(), []
    source = open_source(order(url))
    try:
        for event in Picker(source, 2.0, clock, clock.sleep).events():
            picked += [event] if isinstance(event, Picked) else []
    except OSError:
        pass  # it was cut
    finally:
        ended = source.has_ended()
        source.close()
    assert not ended
    return picked


@pytest.mark.parametrize(
    ("act", "sizes"),
    [
        (["small"], {SMALL}),
        (["sorenson"], {SMALL}),
        (["small", "large", "small"], {SMALL, LARGE}),
        (["small", "small", "small"], {SMALL}),
        (["small", "late", "small"], {SMALL}),
    ],
    ids=str,
)
def test_what_is_played_is_seen_through_every_change(acts, act, sizes):
    stage = Stage([acts[name] for name in act])
    with stage.serve() as url:
        picked = watched(url)
    assert {(one.picture.width, one.picture.height) for one in picked} == sizes
    assert len(picked) == pytest.approx(5.5 * len(act), abs=1.5)
    times = [one.time for one in picked]
    assert times == sorted(times)
    assert stage.asked[-1] == "play"


def test_after_a_break_what_is_played_then_is_seen(acts):
    stage = Stage([acts["small"]], [acts["large"]])
    with stage.serve() as url:
        first, second = watched(url), watched(url)
    assert {one.picture.width for one in first} == {SMALL[0]}
    assert {one.picture.width for one in second} == {LARGE[0]}
