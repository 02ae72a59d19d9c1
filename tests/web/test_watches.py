"""Watches over HTTP and the WebSocket."""

import asyncio
from dataclasses import replace

import numpy as np
import torch

from model.types import ClipTokens
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from tests.web.conftest import echo_service
from tests.web.test_tokens import added, by

TABLE = word_table()
DOG, PERSON = TABLE.number["dog"], TABLE.number["person"]
PERSON_THERE = {"question": "Tell me when a person is at the door", "streams": ["cam"]}


def sees(service, word=PERSON):
    """Let every clip show `word`, if its values are not zero."""
    service.engine.things_of = lambda clip: [Thing(word)] if clip.values.any() else []


async def add(client, **body):
    reply = await client.post("/v1/watches", json=PERSON_THERE | body)
    assert reply.status_code == 201, reply.text
    return reply.json()


async def show(service, count, stream="cam", shown=True):
    start = getattr(service, "shown", 0)
    for number in range(start, start + count):
        values = torch.full((1, 3), float(shown))
        service.services.watcher.seen(stream, ClipTokens(values, 4.0 * number, 4.0 * number + 3))
    service.shown = start + count
    await service.services.watcher.settle()


async def test_a_watch_says_what_was_understood_and_what_was_not(service):
    sees(service)
    async with service.client() as client:
        watch = await add(client)
        assert watch["understood"] == "a person"
        assert watch["unmatched"] == ["at the door"]
        assert watch["positive"] == [
            {"words": ["person"], "at_least": 1, "colour": None, "movement": None, "place": None}
        ]
        assert (watch["state"], watch["counters"]["fired"]) == ("on", 0)
        listed = (await client.get("/v1/watches")).json()["watches"]
        assert listed == [watch]
        assert (await client.get(f"/v1/watches/{watch['id']}")).json() == watch


async def test_what_would_be_understood_can_be_seen_first(service):
    sees(service)
    async with service.client() as client:
        body = {"question": "when the dog has been gone for five minutes"}
        found = (await client.post("/v1/watches/understand", json=body)).json()
        assert found["understood"] == "no dogs after that was seen, for 5 minutes"
        assert (found["hold_s"], found["after_seen"]) == (300, True)
        assert (await client.get("/v1/watches")).json()["watches"] == []


async def test_hours_in_a_question_become_the_schedule_by_the_clock_of_whoever_asks(service):
    sees(service)
    night = "a person, from 22:00 to 06:00 (Europe/Berlin)"
    body = {"question": "when a person is there at night", "timezone": "Europe/Berlin"}
    async with service.client() as client:
        read = (await client.post("/v1/watches/understand", json=body)).json()
        assert (read["understood"], read["unmatched"]) == (night, [])
        watch = await add(client, **body)
        assert (watch["understood"], watch["schedule"]["start"]) == (night, "22:00")
        assert watch["schedule"]["timezone"] == "Europe/Berlin"
        given = await add(client, **body, schedule=None)
        assert (given["understood"], given["schedule"]) == ("a person", None)
        change = {"question": "when a dog is there before 8 am"}
        path = f"/v1/watches/{watch['id']}"
        changed = (await client.patch(path, json=change)).json()
        assert changed["understood"] == "a dog, from 00:00 to 08:00 (UTC)"
        refused = await client.post("/v1/watches", json=body | {"timezone": "Mars"})
        assert (refused.status_code, "time zone" in refused.text) == (422, True)


async def test_what_cannot_be_watched_for_is_refused_with_a_reason(service):
    sees(service)
    async with service.client() as client:
        for body, said in [
            ({"question": "when the flurble arrives"}, "not in the model's vocabulary"),
            ({"question": "x", "positive": [{"words": ["flurble"]}]}, "not in the model's vocabulary"),
            ({"question": "a dog", "onset": 0.2, "offset": 0.3}, "offset <= onset"),
            ({"question": "a dog", "schedule": {"timezone": "Mars"}}, "time zone"),
            ({"question": "a dog", "surprise": 1}, "surprise"),
        ]:  # fmt: skip
            reply = await client.post("/v1/watches", json=body)
            assert reply.status_code == 422
            assert said in reply.json()["detail"]


async def test_a_model_without_words_says_so(service):
    async with service.client() as client:
        reply = await client.post("/v1/watches", json=PERSON_THERE)
        assert reply.status_code == 409
        assert "no words of its own" in reply.json()["detail"]
        assert "no words of its own" in (await client.get("/v1/watches")).json()["trouble"]


async def test_who_is_connected_is_told_and_the_list_has_it(service):
    sees(service)
    async with service.client() as client, service.talk("elsewhere") as talk:
        watch = await add(client)
        await show(service, 2)
        alert = (await talk.next_of("flashback.alert"))["alert"]
        assert (alert["watch"], alert["stream"], alert["open"]) == (watch["id"], "cam", True)
        assert [sighting["start"] for sighting in alert["evidence"]] == [0, 4]
        events = (await client.get("/v1/watches/events")).json()["events"]
        assert events == [alert]
        after = {"after": alert["at"], "watch": watch["id"]}
        assert (await client.get("/v1/watches/events", params=after)).json()["events"] == []
        counted = (await client.get(f"/v1/watches/{watch['id']}")).json()["counters"]
        assert counted["fired"] == 1


async def test_a_watch_is_changed_paused_and_deleted_while_it_runs(service):
    sees(service)
    async with service.client() as client:
        at = f"/v1/watches/{(await add(client))['id']}"
        paused = (await client.patch(at, json={"paused": True})).json()
        assert (paused["state"], paused["understood"]) == ("paused", "a person")
        edited = await client.patch(
            at, json={"positive": [{"words": ["dog"], "at_least": 2}], "hold_s": 30}
        )
        assert edited.json()["understood"] == "at least two dogs, for 30 seconds"
        assert edited.json()["question"] == PERSON_THERE["question"]
        asked = (await client.patch(at, json={"question": "when nobody is there"})).json()
        assert (asked["understood"], asked["state"]) == ("no people, for 1 minute", "paused")
        assert (await client.patch(at, json={})).status_code == 422
        assert (await client.delete(at)).status_code == 204
        assert (await client.get(at)).status_code == 404


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(service):
    sees(service)
    async with service.client() as client:
        at = f"/v1/watches/{(await add(client))['id']}"
        read = {"If-Match": (await client.get(at)).headers["ETag"]}
        other = await client.patch(at, json={"hold_s": 30}, headers=read)
        late = await client.patch(at, json={"positive": [{"words": ["dog"]}]}, headers=read)
        assert (other.status_code, late.status_code) == (200, 412)
        assert "changed meanwhile" in late.json()["detail"]
        assert (await client.get(at)).json() == other.json()
        again = {"If-Match": other.headers["ETag"]}
        edited = await client.patch(at, json={"positive": [{"words": ["dog"]}]}, headers=again)
        assert edited.json()["understood"] == "a dog, for 30 seconds"
        paused = await client.patch(at, json={"paused": True}, headers={"If-Match": "*"})
        assert paused.json()["state"] == "paused"


async def test_changes_at_the_same_moment_are_all_kept(service):
    sees(service)
    async with service.client() as client:
        at = f"/v1/watches/{(await add(client))['id']}"
        changes = [{"hold_s": 30}, {"refractory_s": 5}, {"verify": True}, {"paused": True}]
        await asyncio.gather(*(client.patch(at, json=change) for change in changes))
        changed = (await client.get(at)).json()
        assert {**changed, "hold_s": 30, "refractory_s": 5, "verify": True} == changed
        assert changed["state"] == "paused"


async def test_what_another_process_changed_is_seen_before_a_change(service):
    sees(service)
    async with service.client() as client:
        made = await add(client)
        at = f"/v1/watches/{made['id']}"
        read = {"If-Match": (await client.get(at)).headers["ETag"]}
        watcher = service.services.watcher
        elsewhere = replace(watcher.find(made["id"]), refractory_s=5.0, changed=1.0)
        await watcher.book.save(elsewhere)
        late = await client.patch(at, json={"hold_s": 30}, headers=read)
        assert late.status_code == 412
        changed = (await client.patch(at, json={"hold_s": 30})).json()
        assert (changed["hold_s"], changed["refractory_s"]) == (30, 5)


async def test_a_test_says_when_it_would_have_fired_and_tells_nobody(service):
    sees(service)
    await service.remember("cam", clips=10)
    async with service.client() as client:
        watch = await add(client, paused=True)
        [tried] = (await client.post(f"/v1/watches/{watch['id']}/test")).json()["streams"]
        assert (tried["stream"], tried["clips"]) == ("cam", 10)
        assert [(event["start"], event["fired"]) for event in tried["events"]] == [(0, 7)]
        assert (await client.get("/v1/watches/events")).json()["events"] == []


async def test_a_test_says_how_many_streams_it_did_not_look_at(service):
    sees(service)
    for number in range(10):
        await service.remember(f"cam-{number}", clips=1)
    async with service.client() as client:
        watch = await add(client, streams=[])
        tried = (await client.post(f"/v1/watches/{watch['id']}/test")).json()
        assert (len(tried["streams"]), tried["left_out"]) == (8, 2)


async def test_a_watch_says_where_its_thing_is_hard_to_see(service):
    sees(service)
    async with service.client() as client:
        watch = await add(client)
        assert watch["hard_to_see"] == {}
        for shown in (True, False) * 8:
            await show(service, 1, shown=shown)
        [found] = (await client.get("/v1/watches")).json()["watches"]
        assert found["hard_to_see"] == {"cam": 0.53}


async def test_clips_of_a_live_stream_are_watched_as_they_are_encoded(service):
    sees(service)
    async with service.client() as client:
        await add(client)
        live = await service.services.registry.open("cam")
        feed = live.open_feed("pictures", own_times=True)
        for second in range(12):
            feed.push(feed.offer(float(second)), np.full((48, 64, 3), 200, np.uint8))
            await live.settle()
        feed.close("That was all.")
        await live.settle()
        await service.services.watcher.settle()
        [event] = (await client.get("/v1/watches/events")).json()["events"]
        assert (event["stream"], event["start"]) == ("cam", 0)


async def test_a_token_for_some_streams_watches_only_those(tmp_path):
    file = tmp_path / "tokens.json"
    all_rights = await asyncio.to_thread(added, file, "all", ("admin",))
    door = await asyncio.to_thread(added, file, "door", ("watch", "ask"), ("door*",))
    async with echo_service(token_file=file) as service:
        sees(service)
        async with service.client(headers=by(all_rights)) as client:
            yard = await add(client, streams=["yard"])
        async with service.client(headers=by(door)) as client:
            assert (await client.post("/v1/watches", json={"question": "a dog"})).status_code == 403
            other = {"question": "a dog", "streams": ["yard"]}
            assert (await client.post("/v1/watches", json=other)).status_code == 403
            own = await add(client, streams=["door-1"])
            assert [w["id"] for w in (await client.get("/v1/watches")).json()["watches"]] == [
                own["id"]
            ]
            for reply in (
                await client.get(f"/v1/watches/{yard['id']}"),
                await client.patch(f"/v1/watches/{yard['id']}", json={"paused": True}),
                await client.delete(f"/v1/watches/{yard['id']}"),
            ):
                assert reply.status_code == 404
            async with service.talk("door-1", additional_headers=by(door)) as talk:
                await show(service, 2, stream="yard")
                await show(service, 2, stream="door-1")
                assert (await talk.next_of("flashback.alert"))["alert"]["stream"] == "door-1"
            [event] = (await client.get("/v1/watches/events")).json()["events"]
            assert event["stream"] == "door-1"


async def test_a_webhook_is_checked_signed_and_its_secret_shown_once(service):
    sees(service)
    async with service.client() as client:
        inside = {"webhook": {"url": "http://127.0.0.1:1/hook"}}
        refused = await client.post("/v1/watches", json=PERSON_THERE | inside)
        assert refused.status_code == 422
        assert "not allowed here" in refused.json()["detail"]
        hook = {"webhook": {"url": "https://hook.example/in?key=hidden"}}
        made = await add(client, **hook)
        assert made["webhook"] == "https://hook.example:443/in?…"
        assert made["webhook_secret"].startswith("whsec_")
        seen = (await client.get(f"/v1/watches/{made['id']}")).json()
        assert seen["webhook_secret"] is None
        assert "hidden" not in str(seen)
        assert (await client.get("/v1/watches/dead-letters")).json() == {"letters": []}
        none = (await client.patch(f"/v1/watches/{made['id']}", json={"webhook": None})).json()
        assert none["webhook"] is None
