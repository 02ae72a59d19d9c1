"""A source that is tried before it is used."""

import sys
import time

import pytest

from stream.address.source_url import read_source
from stream.errors import BadSource
from stream.pull.probe import probe
from stream.pull.process import PullSettings
from tests.stream.pulling import SETTINGS, start


async def test_a_test_reports_what_the_source_is(rtsp_server):
    await start(rtsp_server)
    source = read_source(rtsp_server.url("film"))
    found = await probe(source, settings=SETTINGS, monotonic=time.monotonic)
    assert (found.codec, found.width, found.height) == ("h264", 96, 64)
    assert found.rate == pytest.approx(20, rel=0.2)


async def test_a_test_says_why_a_source_cannot_be_used(rtsp_server):
    await start(rtsp_server)
    for url, settings, reason in (
        (rtsp_server.url("nowhere"), SETTINGS, "nothing at this path"),
        (rtsp_server.url("live"), PullSettings(), "private network"),
    ):
        with pytest.raises(BadSource, match=reason):
            await probe(read_source(url), settings=settings, monotonic=time.monotonic)


async def test_a_test_of_a_source_says_that_the_machine_has_nothing_left(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    with pytest.raises(BadSource, match=r"can start no reader for the source.*ENOENT"):
        await probe(
            read_source("rtsp://127.0.0.1:9/a"), settings=SETTINGS, monotonic=time.monotonic
        )
