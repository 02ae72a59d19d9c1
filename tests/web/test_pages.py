import re

import httpx
import pytest

from memory.errors import StoreUnavailable
from tests.web.conftest import echo_service
from web.app import create_app
from web.http.pages import STATIC
from web.operations.pulse import Pulse
from web.services import CLOCKS
from web.settings import Settings


async def test_the_service_says_that_it_is_alive_and_how_it_is_doing(service):
    async with service.client() as client:
        health = (await client.get("/health")).json()
    assert health["status"] == "ok"
    assert health["rss_bytes"] > 1_000_000
    assert health["loop_pause_ms"] >= 0


async def test_the_service_is_ready_once_its_house_stands(service):
    async with service.client() as client:
        response = await client.get("/ready")
    assert response.status_code == 200
    assert response.json() == {"status": "ready", "model": "echo", "live": 0}


async def test_the_service_is_not_ready_while_memory_does_not_answer(service, monkeypatch):
    async def silent():
        raise StoreUnavailable("Redis did not answer in time: is it overloaded or frozen?")

    monkeypatch.setattr(service.store, "check", silent)
    async with service.client() as client:
        response = await client.get("/ready")
        assert response.status_code == 503
        assert "Redis did not answer in time" in response.json()["detail"]
        assert (await client.get("/health")).status_code == 200
        monkeypatch.undo()
        assert (await client.get("/ready")).status_code == 200


async def test_before_it_is_warm_the_service_is_alive_but_not_ready():
    app = create_app(Settings())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost"
    ) as client:
        assert (await client.get("/health")).status_code == 200
        for path in ("/ready", "/v1/streams", "/v1/page"):
            response = await client.get(path)
            assert response.status_code == 503
            assert response.headers["Retry-After"]
            assert "warming up" in response.json()["detail"]


async def test_a_moment_has_its_picture(service):
    await service.remember("cam", clips=3)
    async with service.client() as client:
        listed = (await client.get("/v1/streams/cam/moments", params={"after": 0.5})).json()
        assert listed == {"moments": [{"start": 4.0, "end": 7.0}, {"start": 8.0, "end": 11.0}]}
        newest = (await client.get("/v1/streams/cam/moments?limit=1")).json()["moments"]
        assert newest == [{"start": 8.0, "end": 11.0}]
        picture = await client.get("/v1/streams/cam/thumbnails/8.0.jpg")
        assert picture.content == b"jpeg of 2"
        assert picture.headers["Content-Type"] == "image/jpeg"
        assert "private" in picture.headers["Cache-Control"]
        assert (await client.get("/v1/streams/cam/thumbnails/9.5.jpg")).status_code == 404
        newest = await client.get("/v1/streams/cam/thumbnails/newest.jpg")
        assert newest.content == b"jpeg of 2"
        assert newest.headers["Cache-Control"] == "no-store"


async def test_a_deleted_stream_is_forgotten(service):
    await service.remember("cam")
    async with service.client() as client:
        assert (await client.get("/v1/streams/cam")).json()["clips"] == 1
        assert (await client.delete("/v1/streams/cam")).status_code == 204
        assert (await client.get("/v1/streams/cam")).status_code == 404


@pytest.mark.parametrize("name", ["a.b", "x" * 65, "ü"])
async def test_a_stream_of_a_bad_name_is_refused(service, name):
    async with service.client() as client:
        assert (await client.get(f"/v1/streams/{name}")).status_code == 422


async def test_wrong_parameters_are_named_without_being_repeated(service):
    async with service.client() as client:
        response = await client.get("/v1/streams/cam/moments?limit=hunter2")
    assert response.status_code == 422
    assert response.json()["detail"].startswith("query.limit")
    assert "hunter2" not in response.text


async def test_the_page_and_all_it_needs_come_from_here(service):
    async with service.client() as client:
        for page in ("/", "/docs"):
            html = (await client.get(page)).text
            links = re.findall(r'(?:src|href)="([^"#]+)"', html)
            assert not any(":" in link or link.startswith("//") for link in links), (
                "nothing from another host"
            )
            for link in links:
                assert (await client.get(link)).status_code == 200, link
        for script in STATIC.glob("js/*.js"):
            text = (await client.get(f"/static/js/{script.name}")).text
            for name in re.findall(r'from "([^"]+)"', text):
                assert name.startswith("./")
                assert (await client.get(f"/static/js/{name[2:]}")).status_code == 200


async def test_files_outside_the_page_are_not_served(service):
    async with service.client() as client:
        for path in ("/static/../settings.py", "/static/%2e%2e/settings.py", "/static/"):
            assert (await client.get(path)).status_code in {404, 405}


async def test_the_page_is_told_no_secret_it_does_not_need():
    async with echo_service(token="hunter2", turn="turn:h:1", turn_secret="hunter3") as service:
        headers = {"Authorization": "Bearer hunter2"}
        async with service.client(headers=headers) as client:
            text = (await client.get("/v1/page")).text
    assert "hunter2" not in text
    assert "hunter3" not in text


def test_the_pulse_remembers_the_longest_pause():
    pulse = Pulse(CLOCKS.monotonic)
    assert (pulse.pause_ms, pulse.longest_pause_ms) == (0.0, 0.0)
