"""The typed client, and the commands that use it, against a running service."""

import asyncio
import json
import sys
from functools import partial

import httpx
import pytest

from flashback_client import Flashback, FlashbackError, Unanswered, local_timezone
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from stream.watches.records import Event
from tests.web.conftest import echo_service
from tests.web.test_cli import flashback, run
from web.cli.client.remote import run_summary


async def test_the_client_lists_asks_shows_and_forgets():
    async with echo_service(token="secret") as service:
        await service.remember("cam", clips=6)
        await service.remember("door")

        def use():
            with Flashback(service.url, "secret") as client:
                assert client.model == "echo"
                assert [stream.name for stream in client.streams()] == ["cam", "door"]
                answer = client.ask("cam", "What came at 10 seconds?")
                assert (answer.text, answer.time.since) == ("What was shown?", 10)
                [evidence] = answer.evidence
                assert (evidence.start, evidence.score) == (8.0, 1.0)
                ranged = client.ask("cam", "one two", since=4, until=9, max_tokens=5)
                assert len(ranged.evidence) == 2
                moments = client.moments("cam", after=10)
                assert [moment.start for moment in moments] == [12.0, 16.0, 20.0]
                assert client.picture("cam", moments[0]) == b"jpeg of 3"
                client.forget("cam")
                with pytest.raises(FlashbackError) as caught:
                    client.stream("cam")
                assert caught.value.status == 404

        await asyncio.to_thread(use)


async def test_the_client_watches_and_says_what_was_seen(service):
    service.engine.things_of = lambda clip: [Thing(word_table().number["dog"])]
    await service.remember("cam", clips=3)

    def make():
        with Flashback(service.url) as client:
            made = client.watch("when a dog is at the gate", ["cam"])
            assert (made.understood, made.unmatched) == ("a dog", ("at the gate",))
            assert client.watches() == [made]
            return made.id

    def see(watch):
        with Flashback(service.url) as client:
            [event] = client.events(watch=watch)
            assert (event.stream, event.start, event.open) == ("cam", 0, True)
            assert client.events(after=event.at) == []
            client.stop_watching(watch)
            with pytest.raises(FlashbackError, match="no watch"):
                client.stop_watching(watch)

    watch = await asyncio.to_thread(make)
    async for clip in service.store.clips("cam"):
        service.services.watcher.seen("cam", clip)
    await service.services.watcher.settle()
    await asyncio.to_thread(see, watch)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (httpx.Response(200, text="<html>"), "is no Flashback service"),
        (httpx.Response(502, text="bad gateway"), "answered 502 Bad Gateway"),
        (httpx.Response(403, json={"detail": "Not that stream."}), "Not that stream."),
        (httpx.Response(404, json={"error": {"message": "No."}}), r"^No\.$"),
    ],
)
def test_what_the_service_refuses_is_said_in_its_words(answer, message):
    transport = httpx.MockTransport(lambda _: answer)
    with (
        Flashback("http://cameras", transport=transport) as client,
        pytest.raises(FlashbackError, match=message),
    ):
        client.stream("cam")


def test_what_is_no_service_is_told_so_also_where_answers_come_one_by_one():
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with (
        Flashback("http://cameras", transport=transport) as client,
        pytest.raises(FlashbackError, match="is no Flashback service") as caught,
    ):
        next(client.ask_each("Who is there?"))
    assert (caught.value.status, caught.value.temporary) == (200, False)


def test_a_service_that_is_not_there_is_named():
    with (
        Flashback("http://127.0.0.1:9") as client,
        pytest.raises(FlashbackError, match=r"http://127\.0\.0\.1:9 cannot be reached"),
    ):
        client.stream("cam")


async def test_a_service_of_this_machine_is_not_asked_through_a_proxy(service, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    def names():
        with Flashback(service.url) as client:
            return list(client.streams())

    assert await asyncio.to_thread(names) == []


async def test_many_streams_are_listed_page_by_page():
    async with echo_service() as service:
        for name in range(1001):
            await service.store.begin(f"s{name:04}", 0.0)

        def names():
            with Flashback(service.url) as client:
                return [stream.name for stream in client.streams()]

        assert len(set(await asyncio.to_thread(names))) == 1001


async def test_a_service_is_listed_and_asked_from_a_terminal(tmp_path):
    file = tmp_path / "token"
    file.write_text("secret\n")
    async with echo_service(token="secret") as service:
        await service.remember("cam", clips=6)
        where = ("--server", service.url, "--token-file", str(file))
        code, output, errors = await flashback("streams", *where)
        assert (code, errors) == (0, "")
        assert output.splitlines()[1].split()[:3] == ["cam", "ended", "6"]
        asked = ("What came at 10 seconds?", "one two")
        code, output, errors = await flashback("ask", "cam", *asked, *where, "--json")
        assert (code, errors) == (0, "")
        answers = [json.loads(line) for line in output.splitlines()]
        assert [a["text"] for a in answers] == ["What was shown?", "one two"]
        code, output, errors = await flashback("ask", "nobody", "What?", *where)
        assert (code, output) == (2, "")
        assert errors == "flashback: There is no stream nobody: there is cam.\n"
        await service.store.begin("new", 0.0)
        code, output, errors = await flashback("ask", "new", "What?", *where)
        assert (code, output) == (1, "")
        assert errors.startswith("flashback: Nothing has been seen yet")


async def test_the_client_and_its_commands_load_nothing_of_the_service():
    script = (
        "import sys, flashback_client, web.cli.client.remote; "
        "print({'torch', 'transformers', 'av', 'fastapi', 'redis', 'mcp'} & set(sys.modules))"
    )
    assert (await run("-c", script, program=sys.executable))[1] == "set()\n"


async def test_options_that_mean_nothing_for_a_service_are_refused():
    code, _, errors = await flashback("ask", "cam", "What?", "--server", "http://x", "--last", "3")
    assert (code, errors) == (2, "flashback: --last means nothing with --server\n")


async def test_a_shell_can_complete_commands(monkeypatch):
    # No shell need have started the tests.
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    code, output, _ = await flashback("--show-completion", "bash")
    assert code == 0
    assert "_FLASHBACK_COMPLETE" in output


@pytest.mark.parametrize(
    "url",
    [
        "http://zoe:hunter2@127.0.0.1:1", "http://zoe:hun/ter2@127.0.0.1:1", "zoe:hunter2@127.0.0.1:1",
        "http://zoe:hunter2@127.0.0.1:port", "http:/zoe:hunter2@h", "//zoe:hunter2@h",
        "ftp://zoe:hunter2@h", "http://zoe:hunter2\x00@h", "http://zoe:hun#ter2@127.0.0.1:1",
    ],
)  # fmt: skip
def test_the_password_in_a_services_address_is_never_repeated(url):
    with pytest.raises(FlashbackError) as caught, Flashback(url) as client:
        client.stream("cam")
    assert "hun" not in str(caught.value)
    assert "zoe" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "http://", "nowhere", "127.0.0.1:8700", "http://h:x", "ftp://h"]
)
def test_what_is_no_address_of_a_service_is_said_at_once(url):
    with pytest.raises(FlashbackError, match="is not the address of a service"):
        Flashback(url)


def test_a_service_that_ends_before_all_streams_have_answered_is_said_to():
    lines = (
        '{"begun": {"asked": ["a", "b"]}}\n{"unanswered": {"stream": "a", "reason": "Nothing."}}\n'
    )
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=lines))
    with Flashback("http://here", transport=transport) as service:
        told = service.ask_each("What?")
        assert next(told) == Unanswered(stream="a", reason="Nothing.")
        with pytest.raises(FlashbackError, match="ended before"):
            next(told)


def test_what_is_wrong_with_a_question_to_all_streams_is_said_by_the_service():
    refused = httpx.Response(422, json={"detail": "Mars is not a time zone."})
    transport = httpx.MockTransport(lambda _: refused)
    with (
        Flashback("http://here", transport=transport) as service,
        pytest.raises(FlashbackError, match="Mars"),
    ):
        next(service.ask_each("What?", timezone="Mars"))


@pytest.mark.parametrize(
    ("told", "name"),
    [("Europe/Berlin", "Europe/Berlin"), (":Asia/Tokyo", "Asia/Tokyo"), ("CET-1CEST", "UTC"), ("..", "UTC")],
)  # fmt: skip
def test_the_time_zone_of_the_machine_is_known_by_its_name(monkeypatch, told, name):
    monkeypatch.setenv("TZ", told)
    assert local_timezone() == name


async def test_a_days_summary_tells_what_watches_told(capsys):
    async with echo_service() as service:
        service.engine.things_of = lambda _: [Thing(word_table().number["dog"])]
        await service.store.begin("cam", service.services.clocks.wall())
        await service.remember("cam", clips=2)
        now = service.services.clocks.wall()
        event = Event("e", "w", "a dog?", "cam", now, 0, 1, 2, open=False, peak=1.0)
        await service.services.watcher.book.note(event)
        run = partial(run_summary, service.url, None, "cam", last=None, as_json=False)
        await asyncio.to_thread(run, day="today")
        assert "told by a watch: a dog?" in capsys.readouterr().out
        await asyncio.to_thread(run, day=None)
        assert "told by a watch" not in capsys.readouterr().out


async def test_moments_up_to_a_time_are_listed():
    async with echo_service() as service:
        await service.remember("cam", clips=6)

        def use():
            with Flashback(service.url) as client:
                return client.moments("cam", limit=1, until=9.5), client.moments(
                    "cam", 5, until=9.5
                )

        newest, between = await asyncio.to_thread(use)
    assert [moment.start for moment in newest] == [moment.start for moment in between] == [8]
