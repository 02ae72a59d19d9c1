"""`flashback top`: what it shows of a service, and what it says where it may not look."""

import asyncio

import pytest
from rich.console import Console

from flashback_client import Flashback, FlashbackError, Stream
from tests.web.conftest import echo_service
from tests.web.test_tokens import made
from web.cli.client.remote import service_at
from web.cli.client.top import ServiceLook, drawn, look, look_again, read_numbers


def stream(name="door", **more):
    given = {"state": "live", "reason": "", "began": 0.0, "end": 9.0, "clips": 10}
    return Stream(name=name, **given | more)


def shown(now, before=None):
    console = Console(width=120)
    with console.capture() as captured:
        console.print(drawn(now, before))
    return captured.get()


def test_it_shows_streams_with_ages_and_what_comes_a_second():
    numbers = {"requests_running": 2, "requests_waiting": 3, "resident_memory_bytes": 2**29}
    before = ServiceLook(10.0, (stream(clips=10),), {})
    old = stream("yard", state="ended", frame_age_ms=80.0, clips=0, lost={"total": 7})
    now = ServiceLook(14.0, (stream(clips=12, frame_age_ms=1234.0, rate=0.5), old), numbers)
    head, _, title, door, yard = shown(now, before).splitlines()[:5]
    assert "1 of 2 streams live, 2 questions answered now, 3 waiting, memory 512 MiB" in head
    assert title.split() == ["stream", "state", "age", "looks/s", "clips", "clips/s", "lost"]
    assert door.split() == ["door", "live", "1.2", "s", "0.5", "12", "0.50", "0"]
    assert yard.split() == ["yard", "ended", "0", "7"]  # it was not there before


def test_numbers_are_read_from_prometheus_format():
    text = (
        "# HELP flashback_sessions Open.\n# HELP flashback_watch_events_total Events told.\n"
        'flashback_sessions{kind="whip"} 2.0\n'
        "flashback_requests_waiting 1.0\npython_info 3.0\n"
    )
    assert read_numbers(text) == {'sessions{kind="whip"}': 2.0, "requests_waiting": 1.0}


async def test_a_running_service_is_looked_at_as_far_as_the_token_may(tmp_path):
    file = tmp_path / "tokens.json"
    watcher, admin = await made(file, "watcher"), await made(file, "admin", ("admin",))
    asker = await made(file, "asker", ("ask",))
    async with echo_service(token_file=file) as service:
        await service.remember("door", 3)

        def seen_with(token):
            with Flashback(service.url, token) as client:
                return look(client, 0.0)

        now = await asyncio.to_thread(seen_with, watcher)
        assert [(one.name, one.clips) for one in now.streams] == [("door", 3)]
        assert "needs the right `admin`" in " ".join(shown(now).split())
        now = await asyncio.to_thread(seen_with, admin)
        assert now.numbers["requests_waiting"] == 0
        with pytest.raises(FlashbackError, match="`watch`"):
            await asyncio.to_thread(seen_with, asker)


def test_a_service_that_is_not_there_is_said():
    with pytest.raises(Exception, match="cannot be reached"), service_at("http://127.0.0.1:9", None) as service:  # fmt: skip
        look(service, 0.0)


async def test_a_service_that_restarts_is_looked_at_again_and_a_token_taken_back_ends_it(tmp_path):
    file = tmp_path / "tokens.json"
    watcher = await made(file, "watcher")
    async with echo_service(token_file=file) as service:
        await service.remember("door", 3)
        with Flashback(service.url, watcher) as client:
            first = await asyncio.to_thread(look, client, 0.0)
        with Flashback(service.url, "another") as stranger, pytest.raises(FlashbackError):
            await asyncio.to_thread(look_again, stranger, first, 1.0)
    with Flashback("http://127.0.0.1:9", watcher) as client:
        away = await asyncio.to_thread(look_again, client, first, 1.0)
    assert away.streams == first.streams
    said = " ".join(shown(away, first).split())
    assert "cannot be reached" in said
    assert "tried again. The last that was seen: stream state" in said
    assert "door" in said
