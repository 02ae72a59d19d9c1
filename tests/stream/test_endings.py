"""What has an end and what has none: the server's word, and the file's, never the container's."""

import io

import av
import pytest
from PIL import Image

from stream.pull.decode import NoKeyframe, Picked, Picker
from stream.pull.messages import Place
from stream.pull.worker import _describe
from tests.stream.opening import PlayClock, look, open_source, order
from tests.stream.videos import write_video

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
QUICK_VP8 = {"deadline": "realtime", "cpu-used": "8"}


def moving_png():
    out = io.BytesIO()
    first, *others = [Image.new("RGB", (64, 48), (5 * i, 30, 30)) for i in range(40)]
    first.save(out, "PNG", save_all=True, append_images=others, duration=100)
    return out.getvalue()


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """Four seconds in containers that have a duration, make one up, or have none."""
    folder = tmp_path_factory.mktemp("shapes")

    def film(name, codec="libx264", container=None, options=None):
        options = options or {"g": "10", "bf": "0"}
        return write_video(
            folder / name, 4.0, codec=codec, container=container, options=options
        ).read_bytes()

    return {
        "live.mp4": film("live.mp4", container=FRAGMENTED),
        "live.flv": film("live.flv"),
        "live.ts": film("live.ts"),
        "live.mkv": film("live.mkv", container={"live": "1"}),
        "rec.webm": film("rec.webm", "libvpx", container={"live": "1"}, options=QUICK_VP8),
        "raw.h264": film("raw.h264"),
        "film.mp4": film("film.mp4"),
        "moving.apng": moving_png(),
    }


def stream_of(data, content_type="video/mp4"):
    """Answer without a length, and end."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", content_type)
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection = True

    return answer


def played(url, **settings):
    """Play a source to where nothing more comes; return it, its report, and the time it took."""
    clock = PlayClock()
    source = open_source(order(url, **settings))
    report = _describe(source)
    pictures = list(Picker(source, 2.0, clock, clock.sleep).pictures())
    assert pictures
    source.close()
    return source, report, clock.now - 100


@pytest.mark.parametrize("name", ["live.mp4", "live.flv", "live.ts", "live.mkv", "rec.webm"])
def test_what_comes_without_a_length_is_live_whatever_its_container_says(
    site, address, shapes, name
):
    site.answers["/cam"] = stream_of(shapes[name])
    source, report, _ = played(f"{address}/cam")
    assert (source.finite, source.has_ended(), report.live, report.length) == (
        False, False, True, None,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["live.mp4", "live.flv", "rec.webm", "raw.h264", "moving.apng"])
@pytest.mark.parametrize("over", ["http", "file"])
def test_what_has_a_length_ends_whatever_its_container_says(
    site, address, shapes, tmp_path, name, over
):
    site.file("/film", shapes[name])
    path = tmp_path / name
    path.write_bytes(shapes[name])
    source, report, lasted = played(f"{address}/film" if over == "http" else str(path))
    assert (source.finite, source.has_ended(), report.live) == (True, True, False)
    assert report.length is None or report.length > 1
    assert lasted == pytest.approx(4.0, abs=0.5)


def test_a_live_playlist_on_this_machine_is_no_film(tmp_path):
    write_video(
        tmp_path / "live.m3u8",
        seconds=4.0,
        codec="libx264",
        options={"g": "10"},
        container={"hls_time": "1", "hls_flags": "omit_endlist"},
    )
    source = open_source(order(str(tmp_path / "live.m3u8")))
    assert (source.finite, source.has_ended()) == (False, False)
    source.close()


def test_what_ffmpeg_makes_up_ends_once_and_for_all():
    source, report, _ = played("lavfi:testsrc=duration=2:rate=10:size=64x48")
    assert source.has_ended()
    assert report.length is None


def broken_at(data, size, ranges=True):
    """Announce all of the rest, and break after so many bytes."""

    def answer(handler):
        wanted = handler.headers.get("Range", "bytes=0-")
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if ranges else 0
        handler.send_response(206 if ranges else 200)
        if ranges:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        handler.wfile.write(data[start : start + size])
        handler.close_connection = True

    return answer


def test_a_film_whose_connection_breaks_is_read_on_where_it_broke(site, address, films):
    data = films["ts"].read_bytes()
    site.answers["/film.ts"] = broken_at(data, len(data) // 3)
    picker, _ = look(order(f"{address}/film.ts"))
    assert picker.seen == 160


def test_a_film_that_did_not_come_whole_is_not_at_its_end(site, address, films):
    data = films["ts"].read_bytes()
    site.answers["/film.ts"] = broken_at(data, len(data) // 2, ranges=False)
    clock = PlayClock()
    source = open_source(order(f"{address}/film.ts"))
    with pytest.raises(ConnectionError):
        list(Picker(source, 2.0, clock, clock.sleep).pictures())
    source.close()


@pytest.mark.parametrize("name", ["long", "short", "reordered", "jpeg", "ts"])
def test_a_reader_goes_on_where_an_earlier_one_came_to(films, name):
    whole, _ = look(order(str(films[name])))
    assert whole.position == pytest.approx(8.0, abs=0.3)
    clock = PlayClock()
    source = open_source(order(str(films[name]), after=Place(position=5.0)))
    picker = Picker(source, 2.0, clock, clock.sleep, after=5.0)
    picked = list(picker.pictures())
    source.close()
    assert clock.now - 100 == pytest.approx(3.0, abs=0.4)
    assert len(picked) in {5, 6, 7}
    assert picker.seen == pytest.approx(60, abs=4)


def test_a_reader_goes_on_in_the_second_part_of_a_joined_film(tmp_path):
    film = write_video(tmp_path / "a.webm", 4.0, codec="libvpx", options=QUICK_VP8)
    film.write_bytes(2 * film.read_bytes())
    clock = PlayClock()
    source = open_source(order(str(film)))
    picker = Picker(source, 2.0, clock, clock.sleep, after=6.0)
    assert len(list(picker.pictures())) in {4, 5}
    assert picker.position == pytest.approx(7.9, abs=0.2)
    source.close()


def late_keyframe(tmp_path, seconds, options=None):
    """Return a live stream whose viewer came after the keyframe: the next one comes `seconds` on."""
    film = write_video(
        tmp_path / "gop.ts",
        seconds=seconds + 3,
        rate=5,
        codec="libx264",
        options={"g": str(round(seconds * 5)), "bf": "0", "sc_threshold": "0", **(options or {})},
    )
    with av.open(str(film)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    return film.read_bytes()[packets[1].pos :]


def test_a_stream_whose_first_keyframe_is_late_is_waited_for_and_that_is_said(
    site, address, tmp_path
):
    data = late_keyframe(tmp_path, 60.0)
    site.answers["/cam.ts"] = stream_of(data, "video/mp2t")
    clock = PlayClock()
    source = open_source(order(f"{address}/cam.ts"))
    events = list(Picker(source, 1.0, clock, clock.sleep).events())
    source.close()
    waits = [event for event in events if isinstance(event, NoKeyframe)]
    assert len(waits) == pytest.approx(59, abs=3)
    assert isinstance(events[len(waits)], Picked)


def test_it_is_not_waited_for_for_ever(site, address, tmp_path, monkeypatch):
    monkeypatch.setattr("stream.pull.decode._LONGEST_WITHOUT_KEYFRAME", 30.0)
    site.answers["/cam.ts"] = stream_of(late_keyframe(tmp_path, 60.0), "video/mp2t")
    clock = PlayClock()
    source = open_source(order(f"{address}/cam.ts"))
    with pytest.raises(av.error.InvalidDataError):
        list(Picker(source, 1.0, clock, clock.sleep).events())
    source.close()
