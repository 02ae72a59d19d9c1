"""`flashback ask` of what has no end, from real servers on loopback."""

import asyncio
import itertools
import json
import re
from types import SimpleNamespace

import pytest

from stream.address.source_url import read_source
from stream.pull.process import PullSettings
from tests.stream.certificates import Certified
from tests.stream.conftest import RtspServer
from tests.stream.http_server import Site, send_file, send_pictures, serve
from tests.stream.videos import write_video
from tests.web.test_cli import flashback
from web.cli.source import watch
from web.cli.source.watch import Subject

QUESTION = ("What do you see?", "--model", "tiny")


def jpegs(tmp_path):
    """Return one red and one blue JPEG."""
    data = write_video(tmp_path / "two.mjpeg", seconds=0.2, codec="mjpeg").read_bytes()
    second = data.index(b"\xff\xd8\xff", 2)
    return data[:second], data[second:]


def camera(site, tmp_path):
    """Make `site` a motion JPEG camera that never ends, at 10 pictures a second."""
    pictures = jpegs(tmp_path)

    def answer(handler):
        send_pictures(handler, itertools.cycle(pictures), lambda: site.left.wait(0.1))

    site.answers["/cam"] = answer


def live_playlist(site, tmp_path):
    """Make `site` a live HLS playlist: its end is not declared."""
    write_video(
        tmp_path / "live.m3u8",
        seconds=30,
        codec="libx264",
        options={"g": "10"},
        container={"hls_time": "1", "hls_list_size": "0", "hls_flags": "omit_endlist"},
    )
    for segment in tmp_path.glob("live*.ts"):
        site.file(f"/{segment.name}", segment.read_bytes(), "video/mp2t")
    playlist = (tmp_path / "live.m3u8").read_bytes()
    site.answers["/live.m3u8"] = lambda handler: send_file(
        handler, playlist, "application/vnd.apple.mpegurl"
    )


@pytest.mark.parametrize(("prepare", "path"), [(camera, "cam"), (live_playlist, "live.m3u8")])
async def test_a_live_source_is_watched_for_as_long_as_asked(tmp_path, prepare, path):
    site = Site()
    await asyncio.to_thread(prepare, site, tmp_path)
    with serve(site) as url:
        code, output, errors = await flashback(
            "ask", f"{url}/{path}", *QUESTION, "--last", "3", "--json"
        )
    assert code == 0, errors
    answer = json.loads(output)
    assert answer["evidence"][-1]["end"] > answer["evidence"][0]["start"]
    assert answer["frames"] >= 2
    assert answer["behind"] >= 0


class Watched:
    """A puller, a stream, and a clock of their own: the first picture comes after two seconds."""

    waits_for_keyframe = False

    def __init__(self):
        self.now = 100.0
        self.told = []

    def monotonic(self):
        return self.now

    async def wait_over(self):
        await asyncio.Event().wait()

    def status(self):
        frames = 0 if self.now < 102 else 1
        state = "live" if frames else "connecting"
        return SimpleNamespace(frames=frames, state=state, clips=0, reason="")

    def progress(self, at, of, words):
        self.told.append((at, of))
        self.now += 0.5


async def test_it_is_watched_from_its_first_picture_on(monkeypatch):
    """By a clock that only being watched moves."""
    watched = Watched()
    monkeypatch.setattr(watch, "time", watched)
    monkeypatch.setattr(watch, "_LOOK_EVERY", 0.0)
    source = read_source("rtsp://camera.example/a")
    subject = Subject(source, None, 3.0, live=True, pulling=PullSettings())
    await watch._pull(subject, watched, watched, watched.progress)
    assert watched.told == [(max(0.0, second / 2 - 2), 3.0) for second in range(11)]


async def test_an_rtsp_camera_is_watched_for_as_long_as_asked(tmp_path):
    film = await asyncio.to_thread(
        write_video, tmp_path / "film.mp4", codec="libx264", options={"g": "10"}
    )
    server = RtspServer(film)
    await asyncio.to_thread(server.start)
    try:
        code, output, errors = await flashback(
            "ask", server.url("live"), *QUESTION, "--last", "3", "--json"
        )
    finally:
        server.close()
    assert code == 0, errors
    assert json.loads(output)["clips"] >= 1


async def test_without_a_time_a_live_source_is_refused_and_what_to_do_is_said(tmp_path):
    site = Site()
    await asyncio.to_thread(camera, site, tmp_path)
    with serve(site) as url:
        secret = url.replace("//", "//ann:hunter2@")
        code, output, errors = await flashback("ask", f"{secret}/cam?key=hunter3", *QUESTION)
    assert code == 2
    assert output == ""
    assert "--last SECONDS" in errors
    assert re.search(r"http://127.0.0.1:\d+/cam.* is live and has no end", errors)
    assert "hunter" not in errors
    assert len(errors.splitlines()) == 1


async def test_a_url_that_ends_needs_no_time(tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=3)
    site = Site()
    site.file("/film.mp4", film.read_bytes(), "video/mp4")
    with serve(site) as url:
        code, output, errors = await flashback("ask", f"{url}/film.mp4", *QUESTION, "--json")
    assert code == 0, errors
    assert json.loads(output)["clips"] >= 1


async def test_an_encrypted_source_needs_a_certificate_that_is_believed(tmp_path):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=3)
    certified = Certified(tmp_path, "web")
    site = Site()
    site.file("/film.mp4", film.read_bytes(), "video/mp4")
    with serve(site, certificate=certified.both) as url:
        asked = ("ask", f"{url}/film.mp4", *QUESTION, "--json")
        refused, _, errors = await flashback(*asked)
        believed = {"FLASHBACK_SOURCE_CERTIFICATES": str(certified.certificate)}
        code, output, _ = await flashback(*asked, **believed)
    assert (refused, code) == (2, 0)
    assert "signed by nobody this machine trusts" in errors
    assert json.loads(output)["clips"] >= 1


@pytest.mark.parametrize("seconds", ["0", "-3", "nan", "inf", "soon"])
async def test_a_time_that_is_none_is_refused(seconds):
    code, _, errors = await flashback("ask", "README.md", *QUESTION, "--last", seconds)
    assert code == 2
    assert "--last" in errors
    assert len(errors.splitlines()) == 1
