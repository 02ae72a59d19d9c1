"""Questions that people may type: other scripts, pictures, markup, and far too much of it."""

import json

import pytest

from stream.watches.records import watches
from stream.watches.words.clauses import LONGEST_REQUEST
from tests.web.test_watches import add, sees, show
from web.mqtt.messages import Topics

ODD = [
    "Tell me when a person is there 🐕‍🦺👩🏽‍🚒",
    "a person \u202eereht si\u202c",
    "أخبرني عندما يكون هناك person",
    "a person <img src=x onerror=alert(1)><script>alert(2)</script>",
    "a person & \"quoted\" 'too' \\ {{ 7*7 }} %s",
    "a person\n\tin two\r\nlines",
    "a pe\u0301rson, a person\u0000",
]


@pytest.mark.parametrize("text", ODD)
async def test_what_was_typed_comes_back_as_it_was_with_what_it_saw(service, text):
    sees(service)
    clauses = {"positive": [{"words": ["person"]}]}
    async with service.client() as client:
        watch = await add(client, question=text, **clauses)
        assert watch["question"] == text
        await show(service, 2)
        [event] = (await client.get("/v1/watches/events")).json()["events"]
        assert event["question"] == text
        found = service.services.watcher.find(watch["id"])
        sensor = json.loads(Topics("home", "ha").sensor(found, "lite", "1").payload)
        assert sensor["name"] == text[:120]
        assert watches.decode(json.loads(json.dumps(watches.encode(found)))) == found


async def test_far_too_much_is_refused_in_a_sentence(service):
    sees(service)
    async with service.client() as client:
        body = {"question": "a person " * 1200}
        for path in ("/v1/watches", "/v1/watches/understand"):
            reply = await client.post(path, json=body)
            assert reply.status_code == 422
            assert str(LONGEST_REQUEST) in reply.json()["detail"]
            assert len(reply.text) < 2000, "without all of it once more"
        assert (await client.get("/v1/watches")).json()["watches"] == []


@pytest.mark.parametrize("text", ["🐕", "<b></b>", "؟", "\u202e", " "])
async def test_what_names_nothing_is_refused_in_a_sentence(service, text):
    sees(service)
    async with service.client() as client:
        reply = await client.post("/v1/watches", json={"question": text})
        assert reply.status_code == 422
        assert reply.json()["detail"]
