"""What happened, over HTTP, from Python and in a terminal."""

import asyncio
import json
from datetime import datetime

import pytest

from flashback_client import Flashback
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from stream.watches.records import Event
from tests.web.conftest import echo_service
from tests.web.test_tokens import added, by
from web.cli.client.remote import run_summary

TABLE = word_table()
CAR, DOG = TABLE.number["car"], TABLE.number["dog"]


def sees(service):
    """Let a dog join a car from 12 seconds on, until 20."""
    service.engine.things_of = lambda c: [Thing(CAR), Thing(DOG)] if 12 <= c.start < 20 else [Thing(CAR)]  # fmt: skip


async def get(service, path, status=200, headers=None, **asked):
    async with service.client(headers=headers) as client:
        reply = await client.get(f"/v1/streams/{path}", params=asked)
        assert reply.status_code == status, reply.text
        return reply.json()


async def test_a_span_is_told_in_order_with_times_and_pictures(service):
    sees(service)
    await service.remember("cam", clips=8)
    told = await get(service, "cam/summary")
    assert [(s["start"], s["end"], s["text"], s["came"], s["left"]) for s in told["scenes"]] == [
        (0, 11, "a car", [], []),
        (12, 19, "a car and a dog", ["dog"], []),
        (20, 31, "a car", [], ["dog"]),
    ]
    began = (await service.store.find("cam")).began
    at = datetime.fromisoformat(told["scenes"][1]["start_clock"]).timestamp()
    assert at == pytest.approx(began + 12, abs=1)
    async with service.client() as client:
        assert (await client.get(told["scenes"][1]["thumbnail"])).content == b"jpeg of 4"
    [car, dog] = told["seen"]
    assert (car["name"], car["seconds"], dog["name"], dog["first"], dog["last"]) == (
        "car", 31, "dog", 12, 19,
    )  # fmt: skip
    assert len((await get(service, "cam/summary", most=1))["scenes"]) == 1
    part = await get(service, "cam/summary", since=13, until=17)
    assert (part["since"], part["until"], part["moments"]) == (12, 19, 2)


async def test_a_digest_is_of_one_day_by_the_clock_of_whoever_asks(service):
    sees(service)
    began = datetime.fromisoformat("2026-03-01T23:59:50+01:00").timestamp()
    await service.store.begin("cam", began)
    await service.remember("cam", clips=8)
    for stream, at in (("cam", began + 5), ("cam", began + 25), ("door", began + 5)):
        event = Event(f"{stream}{at}", "w", "a dog", stream, at, 0, 1, 2, False, 1.0)
        await service.services.watcher.book.note(event)
    berlin = {"timezone": "Europe/Berlin"}
    first = await get(service, "cam/digest", day="2026-03-01", **berlin)
    assert (first["day"], first["since"], first["until"]) == ("2026-03-01", 0, 11)
    assert [event["at"] for event in first["events"]] == [began + 5]
    second = await get(service, "cam/digest", day="2026-03-02", **berlin)
    assert (second["since"], second["until"], second["scenes"][0]["text"]) == (8, 31, "a car")
    assert second["scenes"][1]["start_clock"] == "2026-03-02T00:00:02+01:00"
    in_tokyo = await get(service, "cam/digest", day="2026-03-02", timezone="Asia/Tokyo")
    assert (in_tokyo["moments"], len(in_tokyo["events"])) == (8, 2)
    assert (await get(service, "cam/digest"))["moments"] == 0


@pytest.mark.parametrize(
    ("path", "asked", "status", "said"),
    [
        ("nobody/summary", {}, 404, "nobody"),
        ("cam/summary", {"since": 9, "until": 3}, 422, "cannot end before"),
        ("cam/summary", {"timezone": "Mars"}, 422, "not a time zone"),
        ("cam/digest", {"day": "tomorrow"}, 422, "day"),
        ("cam/digest", {"day": "9999-12-31"}, 422, "not a day"),
    ],
)
async def test_what_cannot_be_told_is_refused_with_a_reason(service, path, asked, status, said):
    sees(service)
    await service.remember("cam")
    assert said in (await get(service, path, status, **asked))["detail"]


async def test_a_model_without_words_says_so(service):
    await service.remember("cam")
    assert "no words of its own" in (await get(service, "cam/summary", 409))["detail"]


async def test_what_another_model_made_is_refused_with_what_to_do_about_it(service, monkeypatch):
    sees(service)
    await service.remember("cam")
    async with service.client() as client:
        dog = {"question": "Tell me when a dog is there", "streams": ["cam"]}
        watch = (await client.post("/v1/watches", json=dog)).json()["id"]
        monkeypatch.setattr(service.store, "_encoder", "another")
        for path in ("/v1/streams/cam/summary", f"/v1/watches/{watch}/test"):
            method = "POST" if path.endswith("test") else "GET"
            reply = await client.request(method, path)
            assert reply.status_code == 409
            assert "start the service with the preset that made them" in reply.json()["detail"]


async def test_other_streams_than_its_own_are_not_told_to_a_token(tmp_path):
    file = tmp_path / "tokens.json"
    door = await asyncio.to_thread(added, file, "door", ("watch",), ("door*",))
    async with echo_service(token_file=file) as service:
        sees(service)
        await service.remember("cam")
        for kind in ("summary", "digest"):
            await get(service, f"cam/{kind}", 403, headers=by(door))


async def test_a_span_is_told_from_python_and_in_a_terminal(service, capsys):
    sees(service)
    await service.remember("cam", clips=8)

    def use():
        with Flashback(service.url) as client:
            found = client.summary("cam", since=12)
            assert [s.text for s in found.scenes] == ["a car and a dog", "a car"]
            assert client.summary("cam", day="2001-01-01").scenes == ()
            with pytest.raises(ValueError, match="not of both"):
                client.summary("cam", day="today", since=12)
        run_summary(service.url, None, "cam", last=None, day=None, as_json=False)

    await asyncio.to_thread(use)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("a car and a dog  (dog comes)")
    assert lines[4].split()[:4] == ["car", "31", "1", "1"]
    command = (service.url, None, "cam")
    await asyncio.to_thread(lambda: run_summary(*command, last=9, day=None, as_json=True))
    assert [s["text"] for s in json.loads(capsys.readouterr().out)["scenes"]] == ["a car"]
