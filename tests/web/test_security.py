import asyncio

import httpx
import pytest
import websockets
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from tests.web.conftest import echo_service
from web.access.keys import TICKET_SECONDS, Keys
from web.access.tokens import make_token
from web.errors import Refusal
from web.http.middleware.guard import BODY_LIMIT, Guard


def guarded(**options):
    """Return a client of a small app behind the guard."""
    app = FastAPI()

    @app.api_route("/", methods=["GET", "POST"])
    async def reply(request: Request) -> dict[str, int]:
        return {"length": len(await request.body())}

    app.add_middleware(Guard, **options)
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8700")


class Now:
    """A clock that stands still until it is told."""

    def __init__(self, time=1_000_000.0):
        self.time = time

    def __call__(self):
        return self.time


async def test_a_ticket_lets_in_whom_it_was_made_for_until_it_is_too_old():
    now = Now()
    keys = Keys(["secret"], now)
    caller = await keys.find("secret")
    ticket, until = keys.ticket(caller)
    assert keys.by_ticket(ticket) == caller
    assert until == now() + TICKET_SECONDS
    now.time = until + 1
    assert keys.by_ticket(ticket) is None


async def test_a_ticket_of_another_process_is_worth_nothing():
    ours, theirs = Keys(["secret"], Now()), Keys(["secret"], Now())
    assert ours.by_ticket(theirs.ticket(await ours.find("secret"))[0]) is None


@given(st.text(max_size=80))
def test_nothing_made_up_is_a_ticket(ticket):
    assert Keys(["secret"], Now()).by_ticket(ticket) is None


async def test_a_ticket_says_nothing_of_the_token_it_was_traded_for():
    """Else whoever finds a ticket in a log could try tokens on it without asking us."""
    ours, theirs = Keys(["secret"], Now()), Keys(["secret"], Now())
    assert await ours.find("secret") != await theirs.find("secret")


async def test_a_ticket_cannot_be_made_to_live_longer():
    keys = Keys(["secret"], Now())
    ticket, _ = keys.ticket(await keys.find("secret"))
    assert keys.by_ticket(ticket) is not None
    until, rest = ticket.split(".", 1)
    assert keys.by_ticket(f"{int(until) + 9999}.{rest}") is None


def test_tokens_are_long_and_never_the_same():
    assert make_token() != make_token()
    assert len(make_token()) >= 32


async def test_without_a_token_set_everyone_on_loopback_is_let_in(service):
    async with service.client() as client:
        assert (await client.get("/v1/streams")).json() == {"streams": []}


PROTECTED = [
    ("GET", "/v1/streams"),
    ("GET", "/v1/streams/cam"),
    ("DELETE", "/v1/streams/cam"),
    ("GET", "/v1/streams/cam/moments"),
    ("GET", "/v1/streams/cam/thumbnails/0.0.jpg"),
    ("POST", "/v1/realtime/client_secrets"),
    ("GET", "/v1/page"),
    ("POST", "/whip/cam"),
    ("PATCH", "/whip/cam/session"),
    ("DELETE", "/whip/cam/session"),
    ("POST", "/whep/cam"),
    ("DELETE", "/whep/cam/session"),
]


@pytest.mark.parametrize("credentials", [None, "Bearer wrong", "Basic secret", "secret"])
async def test_what_needs_a_token_is_refused_without_it(credentials):
    headers = {"Authorization": credentials} if credentials else {}
    async with echo_service(token="secret") as service, service.client(headers=headers) as client:
        for method, path in PROTECTED:
            response = await client.request(method, path)
            assert response.status_code == 401, (method, path)
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert response.headers["Content-Type"] == "application/problem+json"


async def test_every_route_is_protected_or_known_to_be_open():
    opened = {"/", "/docs", "/openapi.json", "/health", "/ready"}
    async with echo_service(token="secret") as service, service.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
        for path, methods in paths.items():
            if path in opened:
                continue
            for method in set(methods) - {"options"}:
                name = path.replace("{stream}", "cam").replace("{key}", "k").replace("{start}", "0")
                response = await client.request(method, name)
                assert response.status_code == 401, (method, path)


async def test_a_browser_trades_its_token_for_a_ticket_and_connects_with_it():
    headers = {"Authorization": "Bearer secret"}
    async with echo_service(token="secret") as service:
        async with service.client(headers=headers) as client:
            response = await client.post("/v1/realtime/client_secrets")
            ticket = response.json()["value"]
        protocols = ["realtime", f"openai-insecure-api-key.{ticket}"]
        async with service.talk(subprotocols=protocols) as talk:
            assert talk.connection.subprotocol == "realtime"
        async with service.talk(f"cam&ticket={ticket}"):
            pass
        async with service.client() as client:
            path = f"/v1/streams?ticket={ticket}"
            assert (await client.get(path)).status_code == 401, "a ticket is not a token"


async def test_a_websocket_without_a_ticket_is_refused():
    async with echo_service(token="secret") as service:
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with service.talk():
                pass
    assert refusal.value.response.status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:1", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("192.168.1.7", 200),
        ("cam.example", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
        ("[", 403),
    ],
)
async def test_only_our_own_names_are_taken_as_host(host, status):
    async with guarded(hosts=["cam.example"]) as client:
        response = await client.get("/", headers={"Host": host})
    assert response.status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8700", 200),
        ("https://127.0.0.1:8700", 200),
        ("https://friend.example", 200),
        ("http://127.0.0.1:9999", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
async def test_pages_of_another_origin_are_refused(origin, status):
    async with guarded(origins=["https://friend.example"]) as client:
        response = await client.get("/", headers={"Origin": origin})
    assert response.status_code == status
    named = response.headers.get("Access-Control-Allow-Origin")
    assert named == ("https://friend.example" if "friend" in origin else None)


async def test_a_page_elsewhere_cannot_open_a_websocket(service):
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with service.talk(origin="https://evil.example"):
            pass
    assert refusal.value.response.status_code == 403


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_cap_is_refused(declared):
    async def pieces():
        for _ in range(3):
            yield b"x" * (BODY_LIMIT // 2)

    content = b"x" * (BODY_LIMIT + 1) if declared else pieces()
    async with guarded() as client:
        response = await client.post("/", content=content)
    assert response.status_code == 413
    assert "128 KB" in response.json()["detail"]


async def test_a_body_that_does_not_come_is_given_up():
    async def never():
        yield b"x"
        await asyncio.Event().wait()

    async with guarded(seconds=0.01) as client:
        response = await client.post("/", content=never())
    assert response.status_code == 408


async def test_answers_keep_browsers_from_running_foreign_code(service):
    async with service.client() as client:
        headers = (await client.get("/")).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_a_page_elsewhere_cannot_show_a_picture_of_a_service_without_a_token(service):
    await service.remember()
    async with service.client() as client:
        picture = await client.get("/v1/streams/cam/thumbnails/newest.jpg")
    assert picture.status_code == 200
    assert picture.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_a_refusal_is_a_problem_document(service):
    async with service.client() as client:
        response = await client.get("/v1/streams/nowhere")
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["title"]) == (404, "Not Found")
    assert problem["detail"] == "There is no stream called nowhere."


def test_a_refusal_carries_its_headers():
    assert Refusal(503, "Full.", {"Retry-After": "1"}).headers == {"Retry-After": "1"}


@pytest.mark.parametrize(
    ("sent", "said", "challenge"),
    [
        ({}, "needs its token", 'Bearer realm="flashback"'),
        ({"Authorization": "Basic YTpi"}, "needs its token", 'Bearer realm="flashback"'),
        ({"Authorization": "Bearer old"}, "has expired", 'Bearer realm="flashback", error="invalid_token"'),
    ],
)  # fmt: skip
async def test_a_wrong_token_is_told_from_none_so_that_nobody_looks_for_the_wrong_fault(
    sent, said, challenge
):
    async with echo_service(token="secret") as service, httpx.AsyncClient() as client:
        response = await client.get(f"{service.url}/v1/streams", headers=sent)
    assert response.status_code == 401
    assert said in response.json()["detail"]
    assert response.headers["WWW-Authenticate"] == challenge
