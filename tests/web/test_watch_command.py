"""`flashback watch` against a running service."""

import asyncio
import json

import pytest

from flashback_client import Flashback
from tests.web.test_event_clips import play
from tests.web.test_watches import add, sees, show
from web.cli.commands import run


@pytest.fixture
def flashback(service, monkeypatch, capsys):
    async def type_in(*words):
        monkeypatch.setattr("sys.argv", ["flashback", "watch", *words, "--server", service.url])
        monkeypatch.setattr("web.cli.client.watches.signals_as_interrupt", Nothing)
        code = await asyncio.to_thread(run)
        said = capsys.readouterr()
        return code, said.out + said.err

    return type_in


class Nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


async def test_a_watch_is_made_listed_tried_and_removed(service, flashback):
    sees(service)
    await service.remember("cam", clips=5)
    code, said = await flashback("add", "Tell me when a person is at the door", "--stream", "cam")
    assert code == 0
    assert "I will tell you: a person." in said
    assert "at the door" in said
    [key] = service.services.watcher.watches
    code, said = await flashback("list")
    assert (code, "Tell" in said, key in said) == (0, True, True)
    code, said = await flashback("test", key)
    assert "cam: 5 clips looked at" in said
    await show(service, 2)
    code, said = await flashback("events")
    assert "cam  Tell me when a person is at the door" in said
    assert (await flashback("remove", key))[0] == 0
    assert not service.services.watcher.watches


async def test_where_something_is_hard_to_see_is_listed_and_told_with_events(service, flashback):
    sees(service)
    async with service.client() as client:
        await add(client, question="when the person is gone")
    for shown in (True, False) * 8:
        await show(service, 1, shown=shown)
    await show(service, 45, shown=False)
    listed = json.loads((await flashback("list", "--json"))[1])["watches"]
    assert [watch["hard_to_see"] for watch in listed] == [{"cam": 0.53}]
    assert "hard" in (await flashback("list"))[1]
    assert "It may be there still." in (await flashback("events"))[1]


async def test_what_is_refused_is_said_in_a_sentence(service, flashback):
    sees(service)
    code, said = await flashback("add", "when the flurble comes")
    assert code == 1
    assert "not in the model's vocabulary" in said.replace("\n", " ")
    assert (await flashback("remove", "watch_none"))[0] == 1


async def test_a_film_is_saved_from_a_terminal_and_from_python(service, flashback, tmp_path):
    sees(service)
    async with service.client() as client:
        await add(client)
        (await play(service, 12)).close("It ended.")
        [event] = (await client.get("/v1/watches/events")).json()["events"]
        whole = (await client.get(event["clip"])).content
    file = tmp_path / "clip.mp4"
    assert event["id"] in (await flashback("events"))[1]
    assert (await flashback("clip", event["id"], str(file)))[0] == 0
    assert await asyncio.to_thread(file.read_bytes) == whole
    code, said = await flashback("clip", event["id"], str(file))
    assert (code, "cannot be written" in said) == (2, True)

    def from_python():
        with Flashback(service.url) as client:
            [one] = client.events()
            return one.clip, client.event_clip(one.id)

    assert await asyncio.to_thread(from_python) == (event["clip"], whole)
