"""`flashback watch` against a running service."""

import asyncio
import json

import pytest

from flashback_client import Flashback
from stream.watches.records import Event
from stream.watches.webhooks.delivery import Letter
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


async def test_a_watch_is_paused_resumed_and_edited_by_its_question(service, flashback):
    sees(service)
    await flashback("add", "Tell me when a person is there", "--stream", "cam")
    await flashback("add", "when a dog is there")
    assert "paused" in (await flashback("pause", "tell me when a person is there."))[1]
    [first, second] = service.services.watcher.watches.values()
    assert (first.paused, second.paused) == (True, False)
    assert ": on" in (await flashback("resume", first.id))[1]
    options = ["--hold", "60", "--rest", "5", "--verify", "--everywhere", "--expires", "2h"]
    code, said = await flashback("edit", "dog", "--question", "when a cat is there", *options)
    assert (code, "a cat, for 1 minute" in said) == (0, True)
    changed = service.services.watcher.find(second.id)
    assert (changed.refractory_s, changed.verify, changed.streams) == (5, True, ())
    assert changed.expires is not None
    assert (await flashback("edit", second.id, "--expires", "never", "--no-verify"))[0] == 0
    changed = service.services.watcher.find(second.id)
    assert (changed.expires, changed.verify, changed.condition.hold_s) == (None, False, 60)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("pause", "the moon"), 1, "no watch “the moon”"),
        (("pause", "is there"), 1, "Several watches are called so"),
        (("resume", "watch_none"), 1, "no watch"),
        (("edit", "person"), 2, "say what to change"),
        (("edit", "person", "--expires", "soon"), 2, "soon is no time"),
        (("edit", "person", "--stream", "cam", "--everywhere"), 2, "not both"),
        (("edit", "person", "--question", "when the flurble comes"), 1, "vocabulary"),
    ],
)
async def test_a_change_that_cannot_be_made_is_refused_in_a_sentence(
    service, flashback, words, code, said
):
    sees(service)
    await flashback("add", "when a person is there")
    await flashback("add", "when a dog is there")
    found = await flashback(*words)
    assert (found[0], said in found[1].replace("\n", " ")) == (code, True), found[1]


async def test_a_question_is_read_without_making_a_watch(service, flashback):
    sees(service)
    code, said = await flashback("understand", "when a person is at the door")
    assert (code, "I would tell you: a person." in said, "at the door" in said) == (0, True, True)
    assert not service.services.watcher.watches


async def test_events_that_no_webhook_took_are_listed(service, flashback, monkeypatch):
    assert "No webhook" in (await flashback("dead-letters"))[1]
    assert (await flashback("dead-letters", "--json"))[1].strip() == "[]"
    event = Event("event_1", "watch_1", "a dog", "cam", 9.0, 1.0, 2.0, 3.0, open=False, peak=1.0)
    letter = Letter("letter_1", "watch_1", event, 8, "It answered with status 500.", 10.0)

    async def dead():
        return [letter]

    monkeypatch.setattr(service.services.deliveries, "dead", dead)
    code, said = await flashback("dead-letters")
    assert (code, "a dog  given up after 8 tries: It answered with status 500." in said) == (
        0,
        True,
    )
    listed = json.loads((await flashback("dead-letters", "--json"))[1])
    assert [(one["tries"], one["event"]["id"]) for one in listed] == [(8, "event_1")]


async def test_a_shell_completes_the_ids_of_watches(service, monkeypatch, capsys):
    sees(service)
    async with service.client() as client:
        key = (await add(client))["id"]

    async def completed(typed, server=service.url):
        words = ["flashback", "watch", "pause", "--server", server]
        monkeypatch.setenv("_FLASHBACK_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join([*words, typed]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        with pytest.raises(SystemExit):  # a shell is answered, and nothing done
            await asyncio.to_thread(run)
        return capsys.readouterr().out.split()

    assert await completed("watch_") == [key]
    assert await completed("x") == []
    assert await completed("watch_", "http://127.0.0.1:1") == []
