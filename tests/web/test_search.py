"""Moments found by words, over HTTP, from Python and in a terminal."""

import asyncio
import json

import pytest

from flashback_client import Flashback
from model.vision.things import Thing
from model.vision.vocabulary import COLOURS, word_table
from tests.web.conftest import echo_service
from tests.web.test_cli import flashback
from tests.web.test_tokens import added, by

TABLE = word_table()
CAR = TABLE.number["car"]
RED = COLOURS.index("red")


def sees(service):
    """Let the moments that start at 12 show a red car, all others a car of no clear colour."""
    service.engine.things_of = lambda clip: [Thing(CAR, 0.9, colour=RED if clip.start == 12 else None)]  # fmt: skip


async def search(service, q="red car", status=200, **asked):
    async with service.client(headers=asked.pop("headers", {})) as client:
        reply = await client.get("/v1/search", params={"q": q} | asked)
        assert reply.status_code == status, reply.text
        return reply.json()


async def test_moments_are_found_on_every_stream_with_their_pictures(service):
    sees(service)
    await service.remember("cam", clips=6)
    await service.remember("door", clips=2)
    found = await search(service, "red car at the gate")
    assert (found["understood"], found["unmatched"]) == ("a red car", ["at the gate"])
    [one] = found["found"]
    assert (one["stream"], one["start"], one["end"], one["score"]) == ("cam", 12, 15, 0.9)
    assert one["clock"].startswith("20")
    async with service.client() as client:
        assert (await client.get(one["thumbnail"])).content == b"jpeg of 3"
    looked = [(each["stream"], each["moments"], each["whole"]) for each in found["looked_at"]]
    assert sorted(looked) == [("cam", 6, True), ("door", 2, True)]


async def test_streams_and_times_can_be_chosen(service):
    sees(service)
    await service.remember("cam", clips=6)
    await service.remember("door", clips=2)
    assert [f["stream"] for f in (await search(service, "car", streams="door"))["found"]] == [
        "door"
    ]
    assert (await search(service, "car", limit=1))["total"] == 2
    began = (await service.store.find("cam")).began
    after = await search(service, "car", streams="cam", after=began + 13.5)
    assert [f["start"] for f in after["found"]] == [12]
    assert (await search(service, "red car", streams="cam", before=began + 11))["found"] == []


@pytest.mark.parametrize(
    ("q", "asked", "status", "said"),
    [
        ("flurble", {}, 422, "vocabulary"),
        ("car", {"streams": "nobody"}, 404, "nobody"),
        ("car", {"streams": ",".join(f"s{n}" for n in range(17))}, 422, "At most 16"),
        ("", {}, 422, "q"),
    ],
)
async def test_what_cannot_be_looked_for_is_refused_with_a_reason(service, q, asked, status, said):
    sees(service)
    assert said in (await search(service, q, status, **asked))["detail"]


async def test_a_model_without_words_says_so(service):
    assert "no words of its own" in (await search(service, status=409))["detail"]


async def test_a_token_for_some_streams_finds_nothing_on_others(tmp_path):
    file = tmp_path / "tokens.json"
    door = await asyncio.to_thread(added, file, "door", ("watch",), ("door*",))
    async with echo_service(token_file=file) as service:
        sees(service)
        await service.remember("cam", clips=6)
        await service.remember("door-1")
        found = await search(service, "car", headers=by(door))
        assert [f["stream"] for f in found["found"]] == ["door-1"]
        assert [each["stream"] for each in found["looked_at"]] == ["door-1"]
        await search(service, "car", 403, streams="cam", headers=by(door))


async def test_moments_are_found_from_python_and_from_a_terminal(service):
    sees(service)
    await service.remember("cam", clips=6)

    def use():
        with Flashback(service.url) as client:
            return client.search("red car", ["cam"])

    [one] = (await asyncio.to_thread(use)).found
    assert (one.stream, one.start, one.score) == ("cam", 12, 0.9)
    command = ("search", "red car", "--server", service.url, "--json")
    code, output, errors = await flashback(*command)
    assert (code, errors) == (0, "")
    assert [f["start"] for f in json.loads(output)["found"]] == [12]
    code, output, _ = await flashback("search", "bicycle", "--server", service.url)
    assert output == "Looked for a bicycle.\nNothing that is remembered shows it.\n"
