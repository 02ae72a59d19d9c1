"""A password in what is nearly a URL is shown to nobody."""

from contextlib import chdir
from pathlib import Path

import pytest

from stream.address.source_url import read_source
from stream.errors import BadSource
from web.cli.source.watch import look_at
from web.errors import Failed
from web.pulled_sources import pull_settings
from web.settings import Settings

NEARLY_URLS = [
    "//user:hunter2@host/live", "//hunter2@host/live", "rtsp:/user:hunter2@host/live",
    "RTSP:/user:hunter2@host/live", "rtsp:user:hunter2@host", "rtsp//user:hunter2@host/live",
    "rtsp//hunter2@host/live", "rtsp:\\\\user:hunter2@host", "user:hunter2@host:554/live",
    "user:hunter2@host", "user%3Ahunter2%40host/live", "//user%253Ahunter2%2540host", "rtsp\uff1a//u:hunter2@h",
    "host/axis.mjpg?token=hunter2", "host/live&pwd=hunter2", "file:user:hunter2@host/live",
    "file://user:hunter2@host/live", " rtsp://user:hunter2@host/", "rtsp:// user:hunter2@host/",
    "rtsp://user:hunter2@host/a b", "rstp://user:hunter2@host/", "rtsp://user:hunter2@",
    "rtsp://user:hunter2@host:x/", "rtsp://[user:hunter2@host/", '"rtsp://user:hunter2@host/"',
    "ffplay rtsp://user:hunter2@host/", "http:/user:hunter2@host/live",
]  # fmt: skip


@pytest.mark.parametrize("text", NEARLY_URLS)
@pytest.mark.parametrize("local", [True, False])
def test_what_is_nearly_a_url_is_refused_without_repeating_it(text, local):
    with pytest.raises(BadSource) as error:
        read_source(text, local=local)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lavfi:movie=rtsp\\://user:hunter2@host", "lavfi:movie=rtsp\\://…"),
        ("dshow:video=Cam?password=hunter2", "dshow:video=Cam?password=…"),
        ("/dev/video0?user:hunter2@host", "v4l2:/dev/video0?…"),
        ("v4l2:/dev/video0?video_size=64x48", "v4l2:/dev/video0?video_size=64x48"),
        ("lavfi:testsrc=size=64x48:rate=15", "lavfi:testsrc=size=64x48:rate=15"),
    ],
)
def test_the_options_of_a_device_are_shown_without_secrets(text, shown):
    assert read_source(text, local=True).shown == shown


@pytest.mark.parametrize("name", ["user:x@host.mp4", "token=1.mp4", "me@home.mp4"])
def test_a_file_that_exists_is_opened_whatever_its_name_looks_like(tmp_path, name):
    (tmp_path / name).touch()
    with chdir(tmp_path):
        assert read_source(name, local=True).path == name
    assert read_source(str(tmp_path / name), local=True).path == str(tmp_path / name)


@pytest.mark.parametrize("name", ["me@home.mp4", "12:30.mp4", "a/b.mp4"])
def test_a_file_that_is_missing_is_called_by_its_name_where_that_is_no_secret(name):
    assert read_source(name, local=True).path == str(Path(name))


async def test_asking_about_what_is_nearly_a_url_repeats_nothing_of_it():
    with pytest.raises(Failed) as error:
        await look_at("//user:hunter2@host/live", None, pull_settings(Settings()))
    assert "hunter2" not in str(error.value)
    assert "rtsp://" in str(error.value)
