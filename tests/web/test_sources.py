import asyncio

import pytest
from fastapi import FastAPI
from fastapi.responses import FileResponse

from tests.stream.videos import write_video
from tests.web.conftest import echo_service, hosting

LOOPBACK = {"allowed_source_networks": "127.0.0.0/8"}


@pytest.fixture
async def film_url(tmp_path):
    """Serve a film on loopback."""
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=3)
    app = FastAPI()

    @app.get("/film.mp4")
    async def get_film() -> FileResponse:
        return FileResponse(film, media_type="video/mp4")

    async with hosting(app) as url:
        yield f"{url}/film.mp4"


async def test_a_source_is_pulled_until_its_end_and_can_be_asked_about(film_url):
    async with echo_service(**LOOPBACK) as service, service.client() as client:
        response = await client.post("/v1/streams", json={"name": "film", "url": film_url})
        assert response.status_code == 201
        assert response.headers["Location"] == "/v1/streams/film"
        assert response.json()["source"] == "url"
        live = await service.house.registry.find("film")
        await service.until(lambda: live.status().state == "ended", seconds=20)
        await live.settle()
        status = (await client.get("/v1/streams/film")).json()
        assert "end" in status["reason"]
        assert status["clips"] >= 1
        assert len(service.house.feeding) == 0
        async with service.talk("film") as talk:
            await talk.ask("hello")
            assert (await talk.until_done())[0] == "hello "


async def test_a_source_on_this_network_is_refused_unless_allowed(film_url):
    async with echo_service() as service, service.client() as client:
        tested = await client.post("/v1/streams/test", json={"url": film_url})
    assert tested.status_code == 422
    assert "private network" in tested.json()["detail"]


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
        assert len(service.house.feeding) == 0
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
        live = await service.house.registry.find("door")
        await service.until(lambda: live.status().state == "retrying")
        reason = (await client.get("/v1/streams/door")).json()["reason"]
    assert "camera.invalid" in reason
    assert "next try" in reason
