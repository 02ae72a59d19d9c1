"""Timelines over HTTP, and what is cut out of them."""

from io import BytesIO

import av
import pytest
from PIL import Image

from tests.web.conftest import echo_service
from tests.web.test_event_clips import play
from tests.web.test_tokens import by, made
from tests.web.test_watches import add, sees


async def get(client, path, status=200, **asked):
    reply = await client.get(f"/v1/streams/{path}", params=asked)
    assert reply.status_code == status, reply.text
    return reply


@pytest.fixture
async def played(service):
    """A stream of 24 seconds on which a watch told something."""
    sees(service)
    async with service.client() as client:
        await add(client)
        feed = await play(service, 24)
        yield service, client
        feed.close("It ended.")


async def test_a_timeline_has_a_moment_for_each_slice_and_the_events(played):
    _, client = played
    told = (await get(client, "cam/timeline", slices=6)).json()
    assert (told["stream"], told["first"], told["since"], len(told["slices"])) == ("cam", 0, 0, 6)
    assert told["last"] == told["until"]
    assert [one["moment"] for one in told["slices"]] == [0, 4, 8, 12, 16, 20]
    [event] = told["events"]
    assert (event["stream"], event["clip"] is not None) == ("cam", True)
    assert told["film"] == {"seconds": 20, "since": 3, "until": 23}
    empty = (await get(client, "cam/timeline", since=100, until=200)).json()
    assert {one["moment"] for one in empty["slices"]} == {None}
    assert empty["events"] == []
    part = (await get(client, "cam/timeline", since=event["end"] + 0.5, until=99)).json()
    assert part["events"] == []
    await get(client, "cam/timeline", 422, since=5, until=5)
    await get(client, "nobody/timeline", 404)


async def test_a_clip_of_any_seconds_that_are_kept_plays(played):
    _, client = played
    reply = await get(client, "cam/clip", since=10, until=15)
    assert reply.headers["content-disposition"] == 'attachment; filename="cam-0-10.mp4"'
    with av.open(BytesIO(reply.content)) as container:
        assert 5 < container.duration / av.time_base < 6.5
        assert container.streams.video[0].codec_context.name == "h264"


async def test_what_is_not_kept_as_film_is_refused_in_words(played):
    service, client = played
    old = (await get(client, "cam/clip", 404, since=0, until=2)).json()["detail"]
    assert "only the last 20 seconds" in old
    assert "now 3.0 to 23.0, not 0.0 to 2.0" in old
    await get(client, "cam/clip", 404, since=40, until=50)
    await get(client, "cam/clip", 422, since=5, until=5)
    await service.remember("door", clips=2)
    gone = (await get(client, "door/clip", 404, since=0, until=2)).json()["detail"]
    assert "kept yet" in gone
    await get(client, "nobody/clip", 404, since=0, until=2)


async def test_a_picture_of_any_time_is_the_sharpest_that_is_kept(played):
    service, client = played
    new = await get(client, "cam/picture", at=20.4)
    assert Image.open(BytesIO(new.content)).size == (32, 24)
    assert new.headers["content-disposition"] == 'attachment; filename="cam-0-20.jpg"'
    await service.remember("door", clips=2)
    assert (await get(client, "door/picture", at=5)).content == b"jpeg of 1"
    assert "of second 50" in (await get(client, "door/picture", 404, at=50)).json()["detail"]


async def test_no_more_clips_are_cut_at_once_than_may_be(played):
    service, client = played
    service.services.recorder._cutting = 4
    reply = await get(client, "cam/clip", 503, since=10, until=15)
    assert "try again" in reply.json()["detail"]
    assert reply.headers["retry-after"] == "5"


async def test_a_stream_that_is_watched_is_kept_as_film_without_any_watch(service):
    feed = await play(service, 4)
    live = await service.services.registry.open("cam")
    assert live.reel.kept is None
    with live.watch():
        feed.push(feed.place(5), feed.newest)
        await live.reel.reached(5)
    assert live.reel.kept == (5, 5)
    feed.close("It ended.")


async def test_without_films_the_refusal_says_which_setting(tmp_path):
    async with echo_service(event_clip_seconds=0) as service, service.client() as client:
        feed = await play(service, 4)
        reply = await get(client, "cam/clip", 404, since=0, until=2)
        assert "FLASHBACK_EVENT_CLIP_SECONDS is 0" in reply.json()["detail"]
        feed.close("It ended.")


async def test_a_browser_takes_a_clip_with_a_ticket_and_a_stranger_takes_none(tmp_path):
    tokens = tmp_path / "tokens.json"
    door = await made(tokens, "door", ["watch"], ["cam"])
    yard = await made(tokens, "yard", ["watch"], ["yard"])
    async with echo_service(token_file=tokens) as service, service.client() as client:
        await service.remember("cam", clips=2)
        ticket = await client.post("/v1/realtime/client_secrets", headers=by(door))
        asked = {"at": 5}
        for headers, more, status in [
            ({}, {}, 401), (by(yard), {}, 403), (by(door), {}, 200), ({}, {"ticket": ticket.json()["value"]}, 200),
        ]:  # fmt: skip
            reply = await client.get("/v1/streams/cam/picture", params=asked | more, headers=headers)  # fmt: skip
            assert reply.status_code == status
