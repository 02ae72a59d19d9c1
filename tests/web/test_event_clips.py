"""Films of what watches told, over HTTP."""

from io import BytesIO

import av
import numpy as np
import pytest

from tests.web.conftest import echo_service
from tests.web.test_tokens import by, made
from tests.web.test_watches import PERSON_THERE, add, sees


async def play(service, seconds, stream="cam"):
    """Feed a stream so many pictures, one a second; return its feed."""
    live = await service.services.registry.open(stream)
    feed = live.open_feed("file", own_times=True)
    for time in range(seconds):
        await feed.room()
        feed.push(feed.place(time), np.full((24, 32, 3), 80 + time, np.uint8))
        await live.reel.reached(time)
    await live.settle()
    await service.services.watcher.settle()
    return feed


async def told(client):
    [event] = (await client.get("/v1/watches/events")).json()["events"]
    return event


@pytest.fixture
async def filmed(service):
    """A service that saw something, and whose camera is gone since."""
    sees(service)
    async with service.client() as client:
        await add(client)
        (await play(service, 24)).close("It ended.")
        yield service, client, await told(client)


async def test_an_event_has_a_film_that_plays_after_its_stream_has_ended(filmed):
    service, client, event = filmed
    assert event["clip"] == f"/v1/watches/events/{event['id']}/clip"
    reply = await client.get(event["clip"])
    assert (reply.status_code, reply.headers["content-type"]) == (200, "video/mp4")
    assert "private" in reply.headers["cache-control"]
    assert reply.headers["content-disposition"].startswith('inline; filename="cam-20')
    with av.open(BytesIO(reply.content)) as container:
        assert len(list(container.decode(video=0))) > 8
    digest = (await client.get("/v1/streams/cam/digest?timezone=UTC")).json()
    assert [one["clip"] for one in digest["events"]] == [event["clip"]]
    await service.services.registry.close()
    assert (await client.get(event["clip"])).content == reply.content


async def test_players_may_ask_for_parts_of_it(filmed):
    _, client, event = filmed
    whole = (await client.get(event["clip"])).content
    for asked, first, last in [
        ("bytes=0-9", 0, 9), ("bytes=10-", 10, len(whole) - 1), ("bytes=-5", len(whole) - 5, len(whole) - 1),
    ]:  # fmt: skip
        reply = await client.get(event["clip"], headers={"Range": asked})
        assert reply.status_code == 206
        assert reply.content == whole[first : last + 1]
        assert reply.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
    beyond = await client.get(event["clip"], headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"
    assert (await client.get(event["clip"], headers={"Range": "lines=1-2"})).status_code == 200


async def test_it_is_gone_once_what_it_shows_is_forgotten(filmed):
    _, client, event = filmed
    assert (await client.get(event["clip"])).status_code == 200
    await client.delete("/v1/streams/cam", params={"until": 2})
    reply = await client.get(event["clip"])
    assert reply.status_code == 404
    assert "not kept any more" in reply.json()["detail"]
    assert (await told(client))["clip"] is None


async def test_an_alert_names_its_film_and_who_asks_at_once_waits_for_it(service):
    sees(service)
    async with service.client() as client, service.talk("cam") as talk:
        await add(client)
        feed = await play(service, 12)
        alert = (await talk.next_of("flashback.alert"))["alert"]
        assert service.services.recorder.coming(alert["id"])
        feed.close("It ended.")
        assert (await client.get(alert["clip"])).content[4:8] == b"ftyp"


async def test_what_is_told_to_machines_names_it_too(service):
    sees(service)
    sent = []

    async def queue(_watch, event):
        sent.append(event)

    service.services.deliveries.queue = queue
    async with service.client() as client:
        await add(client)
        await play(service, 12)
    assert [event.film for event in sent] == [True]


async def test_only_who_may_watch_the_stream_sees_it(tmp_path):
    tokens = tmp_path / "tokens.json"
    yard = await made(tokens, "yard", streams=["yard"])
    door = await made(tokens, "door", ["watch", "ask"], ["cam"])
    async with echo_service(token_file=tokens) as service:
        sees(service)
        async with service.client() as client:
            await client.post("/v1/watches", json=PERSON_THERE, headers=by(door))
            (await play(service, 16)).close("It ended.")
            found = await client.get("/v1/watches/events", headers=by(door))
            [event] = found.json()["events"]
            assert (await client.get(event["clip"])).status_code == 401
            assert (await client.get(event["clip"], headers=by(yard))).status_code == 404
            ticket = await client.post("/v1/realtime/client_secrets", headers=by(door))
            by_ticket = {"ticket": ticket.json()["value"]}
            assert (await client.get(event["clip"], params=by_ticket)).status_code == 200


async def test_none_is_made_where_none_is_wanted_and_nothing_is_kept_without_a_watch():
    async with echo_service(event_clip_seconds=0) as service, service.client() as client:
        sees(service)
        await add(client)
        await play(service, 12)
        event = await told(client)
        assert event["clip"] is None
        reply = await client.get(f"/v1/watches/events/{event['id']}/clip")
        assert reply.status_code == 404
        assert (await client.get("/v1/watches/events/none/clip")).status_code == 404
    async with echo_service() as service:
        await play(service, 8)
        assert service.services.registry.reel("cam").stills(0, 99) == []
