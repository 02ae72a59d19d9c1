"""Live streams whose encoder is set differently, or started again, while they are watched."""

import pytest

from stream.pull.io.http.anew import Continuous, told
from tests.stream.opening import look, order
from tests.stream.test_endings import FRAGMENTED, stream_of
from tests.stream.videos import write_video

SMALL, LARGE = (96, 64), (128, 96)
LIVE = {"live": "1"}
OPTIONS = {"g": "10", "bf": "0"}


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    """Return two seconds of a live stream."""
    folder, made = tmp_path_factory.mktemp("parts"), {}

    def film(ending, size=SMALL, codec="libx264"):
        key = ending, size, codec
        if key not in made:
            container = {"mp4": FRAGMENTED, "mkv": LIVE}.get(ending)
            options = {"mpeg4": {}, "mjpeg": {}}.get(codec, OPTIONS)
            path = folder / f"{len(made)}.{ending}"
            write_video(path, 2.0, size=size, codec=codec, container=container, options=options)
            made[key] = path.read_bytes()
        return made[key]

    return film


def sizes(picked):
    return [(one.picture.width, one.picture.height) for one in picked]


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_where_other_parameters_come_the_stream_is_opened_again(site, address, part, ending, codec):
    small, large = part(ending, codec=codec), part(ending, LARGE, codec)
    site.answers["/cam"] = stream_of(small + large)
    picker, picked = look(order(f"{address}/cam"))
    assert picker.seen == 20
    assert set(sizes(picked)) == {SMALL}
    site.answers["/cam"] = stream_of(large)
    assert set(sizes(look(order(f"{address}/cam"))[1])) == {LARGE}


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_what_is_told_again_and_is_the_same_changes_nothing(site, address, part, ending):
    site.answers["/cam"] = stream_of(2 * part(ending))
    picker, picked = look(order(f"{address}/cam"))
    assert picker.seen == 40
    assert len(picked) in {8, 9}


@pytest.mark.parametrize("ending", ["ts", "mjpeg", "h264"])
def test_what_says_it_with_every_keyframe_goes_on(site, address, part, ending):
    codec = "mjpeg" if ending == "mjpeg" else "libx264"
    site.answers["/cam"] = stream_of(part(ending, codec=codec) + part(ending, LARGE, codec))
    _, picked = look(order(f"{address}/cam"))
    assert set(sizes(picked)) == {SMALL, LARGE}


class Dribble:
    """A file that gives so many bytes at a time."""

    name = "http://camera/live"

    def __init__(self, data, step):
        self._parts = [data[at : at + step] for at in range(0, len(data), step)]

    def read(self, _size=-1):
        return self._parts.pop(0) if self._parts else b""


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("step", [1, 7, 64, 1000, 10**6])
def test_however_it_comes_it_is_cut_at_the_same_place(part, ending, step):
    small, large = part(ending), part(ending, LARGE)
    file = Continuous(Dribble(small + small + large, step))
    came = b"".join(iter(lambda: file.read(50), b""))
    assert came.startswith(2 * small)
    assert len(came) - 2 * len(small) < 64  # of the beginning that gave it away
    assert not file.read()


@pytest.mark.parametrize("data", [b"", b"\0\0\0\x20ftypisom", b"\x1a\x45\xdf\xa3", b"\0" * 99])
def test_what_is_no_whole_head_tells_nothing_and_passes(data):
    assert told(data) is None
    file = Continuous(Dribble(data, 5))
    assert b"".join(iter(file.read, b"")) == data
