"""Why a source cannot be opened, in words, and whether to try again; devices."""

import io
import os
import wave
from itertools import pairwise

import av
import pytest

from stream.errors import NoVideo
from stream.file.film import open_film
from stream.pull.errors import CannotOpen
from stream.pull.messages import ReaderConfig
from tests.stream.http_server import send_nothing
from tests.stream.opening import LOOPBACK, look, open_source, order


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nothing", "nothing at this path"),
        ("/silent", "did not answer within 0.3 seconds"),
        ("/text", "is text, not video"),
        ("/private", "wants a user name and password"),
    ],
)
def test_what_is_wrong_is_said_in_words(site, address, path, reason):
    site.answers["/silent"] = send_nothing(site)
    site.file("/text", b"hello " * 1000, "text/plain")
    site.file("/private", b"x")
    site.guarded_by_basic("/private", "admin", "pass")
    within = 0.3 if path == "/silent" else 60.0
    with pytest.raises(CannotOpen, match=reason) as failure:
        open_source(order(f"{address}{path}", open_within=within))
    assert not failure.value.over.final


def test_a_file_that_is_missing_or_no_video_is_not_tried_again(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    for path, reason in ((tmp_path / "no.mp4", "no such file"), (text, "not video")):
        with pytest.raises(CannotOpen, match=reason) as failure:
            open_source(order(str(path)))
        assert failure.value.over.final


def test_a_source_of_the_network_is_never_given_up(site, address):
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    site.file("/booting", sound.getvalue(), "audio/wav")
    site.redirect("/moved", "http://nowhere.invalid/a")
    for url, allowed, reason in (
        (f"{address}/booting", LOOPBACK, "The source holds no video."),
        (f"{address}/moved", LOOPBACK, "The name nowhere.invalid is not known."),
        (f"{address}/booting", (), "private network"),
    ):
        with pytest.raises(CannotOpen, match=reason) as failure:
            open_source(order(url, allowed=allowed))
        assert not failure.value.over.final


@pytest.mark.parametrize(
    "name", ["a\u202fb.mp4", " a ", os.fsdecode(b"caf\xe9.mp4"), "lavfi:x", "%20"]
)
def test_a_file_is_read_whatever_its_name(films, tmp_path, name):
    film = tmp_path / name
    film.write_bytes(films["long"].read_bytes())
    line = order(str(film)).to_line()  # it goes to another process
    assert look(ReaderConfig.from_line(line))[0].seen == 160
    container, _ = open_film(film)
    container.close()
    with pytest.raises(NoVideo) as refusal:
        open_film(tmp_path / f"{name}\x1b[2J")
    assert str(refusal.value).isprintable() or "\u202f" in name


def test_a_file_without_pictures_is(tmp_path):
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    with pytest.raises(CannotOpen, match="holds no video") as failure:
        open_source(order(str(tmp_path / "sound.wav")))
    assert failure.value.over.final


def test_a_picture_too_large_to_be_honest_is_refused(films, monkeypatch):
    monkeypatch.setattr("stream.pull.io.open._LARGEST_PICTURE", 96 * 64 - 1)
    with pytest.raises(CannotOpen, match="96 by 64 pixels are too large"):
        open_source(order(str(films["long"])))


def test_a_kind_of_url_this_ffmpeg_cannot_read_says_so():
    # Where it can, nobody answers at that port.
    with pytest.raises(CannotOpen, match=r"cannot read srt|failed|did not answer"):
        open_source(order("srt://127.0.0.1:9/"))


def test_a_device_is_read_with_its_options_at_its_own_pace():
    picker, picked = look(order("lavfi:testsrc=duration=3:rate=10:size=64x48"), rate=2.0)
    assert picker.seen == 30
    assert [round(b.time - a.time, 1) for a, b in pairwise(picked)] == [0.5] * 5
    assert {(each.picture.width, each.picture.height) for each in picked} == {(64, 48)}
    with pytest.raises(CannotOpen) as failure:
        open_source(order("lavfi:testsrc?no_such_option_of=lavfi&graph=nosuchfilter"))
    assert not failure.value.over.final


@pytest.mark.parametrize(
    ("device", "reason", "final"),
    [
        ("/dev/video99", "There is no such device.", False),
        ("v4l2:/dev/null", "The device cannot be read (ENOTTY).", False),
        ("nosuchkind", "There is no such file.", True),
    ],
)
def test_what_is_wrong_with_something_local_is_said(device, reason, final):
    with pytest.raises(CannotOpen) as failure:
        open_source(order(device))
    assert (failure.value.over.reason, failure.value.over.final) == (reason, final)


def test_a_kind_of_device_that_this_machine_does_not_have_is_named():
    missing = {"avfoundation", "dshow"} - av.formats_available
    for kind in missing:
        with pytest.raises(CannotOpen) as failure:
            open_source(order(f"{kind}:0"))
        assert failure.value.over.reason == f"This machine's FFmpeg cannot read {kind} devices."
        assert failure.value.over.final
    assert missing, "no machine has both"
