"""Cameras that answer every request with one picture of now."""

import io

import av
import pytest
from PIL import Image

from stream.pull.decode import Picked, Picker
from stream.pull.worker import _describe
from tests.stream.fakes import until
from tests.stream.http_server import send_file, send_pictures
from tests.stream.opening import PlayClock, open_source, order
from tests.stream.pulling import remembered


def picture(kind="JPEG", colour=(200, 10, 10)):
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, kind)
    return out.getvalue()


def whole(data, content_type):
    return lambda handler: send_file(handler, data, content_type)


def without_length(data, content_type):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", content_type)
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection = True

    return answer


def look_for(url, seconds, rate=1.0):
    """Look at a source for so long; return what it says it is, and the pictures."""
    clock = PlayClock()
    source = open_source(order(url))
    picked = []
    for event in Picker(source, rate, clock, clock.sleep).events():
        if isinstance(event, Picked):
            picked.append(event)
        if clock.now >= 100 + seconds:
            break
    opened = _describe(source)
    source.close()
    return opened, picked


@pytest.mark.parametrize("path", ["snapshot.jpg", "snapshot.cgi", "cam/1/", "image?channel=1"])
@pytest.mark.parametrize(
    ("answer", "kind", "content_type"),
    [
        (whole, "JPEG", "image/jpeg"),
        (without_length, "JPEG", "image/jpeg"),
        (whole, "JPEG", "application/octet-stream"),
        (whole, "PNG", "image/png"),
        (whole, "AVIF", "image/avif"),
        (whole, "WEBP", "image/webp"),
    ],
)
def test_one_picture_a_request_is_a_live_stream(site, address, path, answer, kind, content_type):
    site.answers[f"/{path.partition('?')[0]}"] = answer(picture(kind), content_type)
    opened, picked = look_for(f"{address}/{path}", seconds=5.0)
    assert (opened.live, opened.length, opened.width) == (True, None, 64)
    assert [round(each.time - picked[0].time, 2) for each in picked] == [0, 1, 2, 3, 4, 5]
    assert len(site.asked) == 6


def test_it_is_asked_as_often_as_pictures_are_wanted(site, address):
    site.file("/a.jpg", picture(), "image/jpeg")
    assert len(look_for(f"{address}/a.jpg", seconds=4.0, rate=0.5)[1]) == 3
    assert len(look_for(f"{address}/a.jpg", seconds=2.0, rate=10.0)[1]) in {21, 22}


def test_a_picture_that_is_damaged_is_passed_over_and_many_are_not(site, address):
    answers = iter([picture(), b"?", picture()[:30], picture(), *[b"?"] * 100])
    site.answers["/a.jpg"] = lambda handler: send_file(handler, next(answers), "image/jpeg")
    clock = PlayClock()
    source = open_source(order(f"{address}/a.jpg"))
    picker = Picker(source, 1.0, clock, clock.sleep)
    seen = []
    with pytest.raises(av.error.InvalidDataError):
        seen.extend(picker.pictures())
    source.close()
    assert len(seen) == 2
    assert len(site.asked) == 14
    assert clock.now == pytest.approx(113, abs=1.5), "never asked in haste"


def test_pictures_that_come_on_and_on_are_no_single_one(site, address, monkeypatch):
    monkeypatch.setattr("stream.pull.io.http.snapshots._LARGEST", 2000)
    pictures = [picture(colour=(10 * i, 10, 10)) for i in range(20)]
    site.answers["/cam"] = without_length(b"".join(pictures), "image/jpeg")
    source = open_source(order(f"{address}/cam"))
    assert source.snapshots is None
    assert sum(1 for packet in source.container.demux(source.video) if packet.size) == 20
    source.close()
    site.answers["/parts"] = lambda handler: send_pictures(handler, pictures, lambda: False)
    source = open_source(order(f"{address}/parts"))
    assert source.snapshots is None
    source.close()


async def test_a_snapshot_camera_is_one_feed(site, address, live, store, pull):
    site.file("/snapshot.jpg", picture(), "image/jpeg")
    with live.subscribe() as news:
        pull(f"{address}/snapshot.jpg")
        await until(remembered, news)
        await until(remembered, news)
    assert (live.status().state, live.status().reason) == ("live", "Pictures arrive.")
    moments = await store.moments("cam")
    assert all(moment.end > moment.start for moment in moments), "clips of several pictures"
