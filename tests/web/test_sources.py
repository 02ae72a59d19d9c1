import asyncio

import pytest

from memory.errors import StoreFull, StoreUnavailable
from tests.stream.http_server import Site, serve
from tests.web.conftest import echo_service
from web.errors import Full
from web.pulled_sources import OPERATOR

LOOPBACK = {"allowed_source_networks": "127.0.0.0/8"}


@pytest.fixture
def film_url(film):
    """Serve a film on loopback."""
    site = Site()
    site.file("/film.mp4", film.read_bytes(), "video/mp4")
    with serve(site) as url:
        yield f"{url}/film.mp4"


async def test_a_source_is_pulled_until_its_end_and_can_be_asked_about(film_url):
    async with echo_service(**LOOPBACK) as service, service.client() as client:
        response = await client.post("/v1/streams", json={"name": "film", "url": film_url})
        assert response.status_code == 201
        assert response.headers["Location"] == "/v1/streams/film"
        assert response.json()["source"] == "url"
        live = await service.services.registry.find("film")
        await service.until(lambda: live.status().state == "ended")
        await live.settle()
        status = (await client.get("/v1/streams/film")).json()
        assert "end" in status["reason"]
        assert status["clips"] >= 1
        assert len(service.services.feeding) == 0
        async with service.talk("film") as talk:
            await talk.ask("hello")
            assert (await talk.until_done())[0] == "hello "


async def test_a_source_on_this_network_is_refused_unless_allowed(film_url):
    async with echo_service() as service, service.client() as client:
        tested = await client.post("/v1/streams/test", json={"url": film_url})
    assert tested.status_code == 422
    assert "private network" in tested.json()["detail"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "[::1]", "169.254.169.254"]
)
async def test_an_address_that_may_not_be_reached_is_refused_at_once(service, host):
    source = {"name": "inside", "url": f"rtsp://{host}/live"}
    async with service.client() as client:
        refused = await client.post("/v1/streams", json=source)
        assert (await client.get("/v1/streams")).json() == {"streams": []}
    assert refused.status_code == 422
    assert "private network" in refused.json()["detail"]
    assert len(service.services.feeding) == 0


async def test_the_services_own_public_address_is_refused_at_once():
    source = {"name": "self", "url": "rtsp://93.184.216.34/live"}
    async with echo_service(advertised_host="93.184.216.34") as service, service.client() as client:
        refused = await client.post("/v1/streams", json=source)
    assert refused.status_code == 422
    assert "machine of this service itself" in refused.json()["detail"]


async def test_a_test_says_what_a_source_is(film_url):
    async with echo_service(**LOOPBACK) as service, service.client() as client:
        found = (await client.post("/v1/streams/test", json={"url": film_url})).json()
    assert "detail" not in found, found
    assert (found["codec"], found["width"], found["height"]) == ("mpeg4", 96, 64)
    assert found["rate"] == 10
    assert found["first_picture_ms"] > 0


@pytest.mark.parametrize("url", ["/etc/passwd", "file:///etc/passwd", "concat:/a|/b", "ftp://h/x"])
async def test_a_caller_cannot_open_what_is_no_stream(service, url):
    async with service.client() as client:
        for path, body in (("", {"name": "x", "url": url}), ("/test", {"url": url})):
            response = await client.post(f"/v1/streams{path}", json=body)
            assert response.status_code == 422
        assert (await client.get("/v1/streams")).json() == {"streams": []}


async def test_the_password_of_a_source_is_never_shown_again(service):
    url = "rtsp://ann:hunter2@camera.invalid/door?key=hunter3"
    async with service.client() as client:
        added = await client.post("/v1/streams", json={"name": "door", "url": url})
        listed = await client.get("/v1/streams")
        tested = await client.post("/v1/streams/test", json={"url": url})
        again = await client.post("/v1/streams", json={"name": "door", "url": url, "more": 1})
    assert listed.json()["streams"][0]["origin"].startswith("rtsp://camera.invalid")
    for response in (added, listed, tested, again):
        assert "hunter" not in response.text


async def test_a_stream_has_one_source_and_gets_another_after_it_is_removed(service):
    source = {"name": "door", "url": "rtsp://camera.invalid/door"}
    async with service.client() as client:
        assert (await client.post("/v1/streams", json=source)).status_code == 201
        assert (await client.post("/v1/streams", json=source)).status_code == 409
        assert (await client.delete("/v1/streams/door")).status_code == 204
        assert len(service.services.feeding) == 0
        assert (await client.post("/v1/streams", json=source)).status_code == 201


async def test_sources_take_places_like_any_stream():
    async with echo_service(max_streams=1) as service, service.client() as client:
        url = "rtsp://camera.invalid/door"
        assert (await client.post("/v1/streams", json={"name": "a", "url": url})).is_success
        full = await client.post("/v1/streams", json={"name": "b", "url": url})
        assert full.status_code == 503
        assert full.headers["Retry-After"]


async def test_an_unreachable_source_says_so_and_goes_on_trying(service):
    source = {"name": "door", "url": "rtsp://camera.invalid/door"}
    async with service.client() as client:
        await client.post("/v1/streams", json=source)
        live = await service.services.registry.find("door")
        await service.until(lambda: live.status().state == "retrying")
        reason = (await client.get("/v1/streams/door")).json()["reason"]
    assert "camera.invalid" in reason
    assert "next try" in reason


CAMERA = {"name": "door", "url": "rtsp://camera.invalid/door"}
SDP = {"Content-Type": "application/sdp"}


async def is_removed(service, client, player):
    await service.services.sources.remove("door")


async def has_its_stream_deleted(service, client, player):
    assert (await client.delete("/v1/streams/door")).status_code == 204


async def is_taken_over_by_a_sender_that_leaves(service, client, player):
    response = await client.post("/whip/door", content=player.offer, headers=SDP)
    assert response.status_code == 201
    await service.until(lambda: service.services.sources.origin("door") is None)
    assert len(service.services.feeding) == 1
    await client.delete(response.headers["Location"])


@pytest.mark.parametrize(
    "leave",
    [is_removed, has_its_stream_deleted, is_taken_over_by_a_sender_that_leaves],
    ids=lambda way: way.__name__,
)
async def test_a_place_is_free_again_when_a_source(leave, player):
    async with echo_service(max_streams=1) as service, service.client() as client:
        assert (await client.post("/v1/streams", json=CAMERA)).status_code == 201
        assert len(service.services.feeding) == 1
        await leave(service, client, player)
        await service.all_free()
        other = CAMERA | {"name": "other"}
        assert (await client.post("/v1/streams", json=other)).status_code == 201


async def test_a_source_that_cannot_be_started_leaves_its_place_free(player):
    async with echo_service(max_streams=1) as service, service.client() as client:

        async def away(*_):
            raise StoreUnavailable("The store cannot be reached.")

        begin, service.store.begin = service.store.begin, away
        assert (await client.post("/v1/streams", json=CAMERA)).status_code == 503
        nameless = CAMERA | {"name": "no name"}
        assert (await client.post("/v1/streams", json=nameless)).status_code == 422
        await service.all_free()
        service.store.begin = begin
        assert (await client.post("/v1/streams", json=CAMERA)).status_code == 201


async def test_sources_give_their_places_back_when_the_service_stops():
    async with echo_service(max_streams=1) as service, service.client() as client:
        assert (await client.post("/v1/streams", json=CAMERA)).status_code == 201
    await service.all_free()


async def test_a_source_takes_a_sender_over_at_the_limit(player):
    async with echo_service(max_streams=1) as service, service.client() as client:
        response = await client.post("/whip/door", content=player.offer, headers=SDP)
        assert response.status_code == 201
        assert (await client.post("/v1/streams", json=CAMERA)).status_code == 201
        await service.until(lambda: len(service.services.senders) == 0)
        assert len(service.services.feeding) == 1
        assert (await client.get("/v1/streams/door")).json()["source"] == "url"


async def test_a_token_has_its_own_limit_for_sources_too():
    settings = {"token": "one,two", "max_streams_per_token": 1}
    one, two = ({"Authorization": f"Bearer {token}"} for token in ("one", "two"))
    async with echo_service(**settings) as service, service.client() as client:
        other = CAMERA | {"name": "other"}
        assert (await client.post("/v1/streams", json=CAMERA, headers=one)).status_code == 201
        refused = await client.post("/v1/streams", json=other, headers=one)
        assert refused.status_code == 503
        assert "This token has its 1 streams" in refused.json()["detail"]
        assert (await client.post("/v1/streams", json=other, headers=two)).status_code == 201


async def test_the_operators_sources_have_no_limit_but_the_one_in_all():
    settings = {"max_streams": 3, "max_streams_per_token": 1}
    async with echo_service(**settings) as service:
        for name in "abc":
            await service.services.sources.add(name, CAMERA["url"], OPERATOR, trusted=True)
        with pytest.raises(Full, match="All 3"):
            await service.services.sources.add("d", CAMERA["url"], OPERATOR, trusted=True)


async def test_a_source_that_waits_for_the_store_keeps_no_other_from_starting(service):
    begin, asked, answers = service.store.begin, asyncio.Event(), asyncio.Event()

    async def slow(stream, now):
        if stream == "slow":
            asked.set()
            await answers.wait()
        return await begin(stream, now)

    service.store.begin = slow
    sources = service.services.sources
    adding = asyncio.create_task(sources.add("slow", CAMERA["url"], OPERATOR))
    await asked.wait()
    await sources.add("door", CAMERA["url"], OPERATOR)
    assert not adding.done()
    answers.set()
    await adding


async def test_a_source_goes_on_feeding_its_stream_after_an_internal_error(film_url):
    settings = LOOPBACK | {"sample_rate": 30}
    async with echo_service(**settings) as service, service.client() as client:
        append, failed = service.store.append, asyncio.Event()

        async def fail_once(*args):
            service.store.append = append
            failed.set()
            raise RuntimeError("nobody thought of this")

        service.store.append = fail_once
        await client.post("/v1/streams", json={"name": "film", "url": film_url})
        live = await service.services.registry.find("film")
        await failed.wait()
        await service.until(lambda: live.status().clips > 0)
        assert service.services.registry.fed == len(service.services.feeding) == 1
        assert await service.services.registry.find("film") is live


async def test_a_source_of_the_operator_waits_for_room_in_memory_and_stops_no_start(
    service, film_url, caplog
):
    services, begin, tried = service.services, service.services.store.begin, asyncio.Event()

    async def full(stream, now):
        tried.set()
        raise StoreFull("Memory is full.")

    services.store.begin = full
    await services.sources.add_operators("film", film_url)
    assert "film is not pulled yet: Memory is full." in caplog.text
    assert len(services.feeding) == 0
    with services.registry.beginnings() as begun:
        services.store.begin = begin
        assert await begun.next() == "film"
