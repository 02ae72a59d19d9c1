"""What clients ask that know other services, pages of other origins, and what comes through a proxy."""

import httpx
import pytest
import websockets

from tests.web.conftest import echo_service
from tests.websocket import connect

STUDIO = {"Origin": "https://studio.example"}


async def test_options_says_everywhere_what_may_be_asked(service):
    expected = {
        "/v1/streams": {"GET", "HEAD", "POST"},
        "/v1/streams/cam": {"GET", "HEAD", "PATCH", "DELETE"},
        "/v1/realtime/client_secrets": {"POST"},
        "/v1/realtime": {"GET", "HEAD", "POST"},
        "/health": {"GET", "HEAD"},
        "/static/style.css": {"GET", "HEAD"},
        "/whip/cam": {"POST"},
    }
    async with service.client() as client:
        for path, methods in expected.items():
            response = await client.options(path)
            assert response.status_code == 204, path
            assert set(response.headers["Allow"].split(", ")) == methods | {"OPTIONS"}, path
        assert (await client.options("/v1/nothing")).status_code == 404


async def test_a_method_that_is_not_taken_says_which_are(service):
    async with service.client() as client:
        response = await client.put("/v1/streams")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, POST, OPTIONS"
    assert "GET, HEAD, POST" in response.json()["detail"]


PREFLIGHTS = [
    ("/v1/streams", "POST"),
    ("/v1/streams/cam", "DELETE"),
    ("/v1/realtime/client_secrets", "POST"),
    ("/v1/page", "GET"),
    ("/whip/cam", "POST"),
    ("/whep/cam/session", "PATCH"),
]


@pytest.mark.parametrize(("path", "method"), PREFLIGHTS)
async def test_a_page_of_an_allowed_origin_may_ask_anything_with_its_token(path, method):
    asks = STUDIO | {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,x-stainless-lang",
    }
    settings = {"allowed_origins": "https://studio.example", "token": "secret"}
    async with echo_service(**settings) as service, service.client() as client:
        response = await client.options(path, headers=asks)
        assert response.status_code == 204
        assert response.headers["Access-Control-Allow-Origin"] == "https://studio.example"
        assert method in response.headers["Access-Control-Allow-Methods"]
        assert "x-stainless-lang" in response.headers["Access-Control-Allow-Headers"]
        asked = await client.request(method, path, headers=STUDIO)
        assert asked.status_code == 401, "a preflight lets nobody in"
        assert asked.headers["Access-Control-Allow-Origin"] == "https://studio.example"
        stranger = {"Origin": "https://other.example"}
        assert (await client.options(path, headers=asks | stranger)).status_code == 403


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/completions", "/v1/responses"])
async def test_what_other_services_have_is_not_found_and_it_says_what_there_is(service, path):
    async with service.client() as client:
        response = await client.post(path, json={})
    assert response.status_code == 404
    assert "/v1/realtime?stream=NAME" in response.json()["detail"]


async def test_a_connection_that_names_no_stream_hears_how_to(service):
    async with service.client() as client:
        response = await client.get("/v1/realtime?model=echo")
    assert response.status_code == 422
    assert "extra_query" in response.json()["detail"]


async def test_another_model_than_ours_is_refused_by_its_name(service):
    address = f"ws://{service.address}/v1/realtime?stream=cam&model="
    with pytest.raises(websockets.InvalidStatus) as refusal:
        await connect(address + "gpt-realtime")
    assert refusal.value.response.status_code == 422
    assert b"model=echo" in refusal.value.response.body
    async with connect(address + "echo"):
        pass


async def test_asked_by_plain_http_the_websocket_says_why_it_cannot_be_opened():
    async with echo_service(max_connections=1) as service, service.client() as client:
        path = "/v1/realtime?stream=cam"
        plain = await client.post(path)
        assert plain.status_code == 426
        assert plain.headers["Upgrade"] == "websocket"
        assert "proxy_set_header Upgrade" in plain.json()["detail"]
        async with service.talk():
            assert (await client.post(path)).status_code == 503


PROXIED = [
    ("http://127.0.0.1:9801", "127.0.0.1:9801", 426),
    ("http://127.0.0.1:9801", "127.0.0.1", 403),
    ("http://127.0.0.1:9801", "127.0.0.1:8700", 403),
    ("https://flash.example", "flash.example", 426),
    ("https://flash.example", "flash.example:443", 426),
    ("https://Flash.example", "flash.example", 426),
    ("https://flash.example", "flash.example:80", 403),
    ("https://flash.example:8443", "flash.example", 403),
    ("https://other.example", "flash.example", 403),
    ("null", "127.0.0.1", 403),
]


@pytest.mark.parametrize(("origin", "host", "status"), PROXIED)
async def test_the_name_that_a_proxy_passes_on_must_be_that_of_the_page(origin, host, status):
    async with echo_service(allowed_hosts="flash.example") as service, service.client() as client:
        headers = {"Origin": origin, "Host": host}
        response = await client.post("/v1/realtime?stream=cam", headers=headers)
    assert response.status_code == status
    if status == 403:
        assert "proxy_set_header Host $http_host;" in response.json()["detail"]


async def test_a_name_that_is_not_ours_may_be_a_proxys_own(service):
    async with httpx.AsyncClient(timeout=None) as client:
        response = await client.get(f"{service.url}/", headers={"Host": "upstream"})
    assert response.status_code == 403
    assert "proxy_set_header Host $http_host;" in response.json()["detail"]


@pytest.mark.parametrize("path", ["/", "/health", "/ready", "/v1/streams", "/static/style.css"])
async def test_whatever_may_be_got_may_be_asked_after(service, path):
    async with service.client() as client:
        got, asked = await client.get(path), await client.head(path)
        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["Content-Type"] == got.headers["Content-Type"]
        assert (await client.get("/health")).is_success, "the connection goes on"
        assert (await client.head("/v1/streams/nothing")).status_code == 404
        assert (await client.head("/v1/ask")).status_code == 405


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("", b'{"name": "a"}', "with the header Content-Type: application/json; this says no type"),
        ("application/x-www-form-urlencoded", b"{}", "this is application/x-www-form-urlencoded"),
        ("application/json", b"[]", "body: Input should be a JSON object"),
        ("application/json", b"\xff{", "The body is not JSON in UTF-8."),
        ("application/merge+json", b"[]", "body: Input should be a JSON object"),
    ],
)
async def test_a_body_that_is_no_json_is_refused_with_what_to_send(service, kind, body, said):
    headers = {"Content-Type": kind} if kind else {}
    async with service.client() as client:
        response = await client.post("/v1/streams", content=body, headers=headers)
    assert response.status_code in {400, 422}
    assert said in response.json()["detail"]
