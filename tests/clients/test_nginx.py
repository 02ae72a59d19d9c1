"""Behind a real nginx: as it should be set, as it comes, and below a path."""

import asyncio
import shutil
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import websockets

from stream.webrtc.whip_client import Player
from tests.clients.conftest import program
from tests.end_to_end.conftest import CHROMIUM, browser, patient_page
from tests.end_to_end.needs import need
from tests.ports import reserved_port
from tests.stream.videos import write_video
from tests.web.conftest import echo_service
from tests.websocket import connect

OWN = Path(__file__).parents[2] / ".venv/nginx/usr/sbin/nginx"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin") or (OWN.exists() and OWN)

CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log stderr notice; worker_processes 1; user {user};
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $http_upgrade $passed {{ default upgrade; "" ""; }}
  server {{ listen 127.0.0.1:{port}; location {path} {{ proxy_pass {target}; {more} }} }}
}}
"""
UPGRADE = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
    "proxy_set_header Connection $passed;"
)
KEEP_HOST = "proxy_set_header Host $http_host;"


@pytest.fixture
def nginx(tmp_path):
    need(NGINX, "nginx; `make stock-clients` gets it")

    @asynccontextmanager
    async def run(service, more, path="/", slash=""):
        with reserved_port() as port:
            file = tmp_path / "nginx.conf"
            file.write_text(
                CONFIGURATION.format(
                    folder=tmp_path,
                    user="root",
                    port=port,
                    path=path,
                    target=service.url + slash,
                    more=more,
                )
            )
            async with program(NGINX, "-c", file) as running:
                async with asyncio.timeout(60):
                    # What it says once its sockets listen.
                    await running.stderr.readuntil(b"event method")
                yield f"http://127.0.0.1:{port}"

    return run


async def opened(address, stream="cam"):
    """Open a WebSocket as the page at `address` would."""
    ws = f"{address.replace('http', 'ws')}/v1/realtime?stream={stream}"
    origin = "/".join(address.split("/")[:3])
    async with connect(ws, origin=origin) as socket_:
        return await socket_.recv()


async def test_as_the_manual_says_all_comes_through(nginx):
    async with echo_service() as service, nginx(service, UPGRADE + KEEP_HOST) as address:
        assert "session.created" in await opened(address)


@pytest.mark.parametrize(
    ("more", "status", "word"),
    [
        ("", 403, "proxy_set_header Host $http_host;"),
        (UPGRADE + "proxy_set_header Host $host;", 403, "proxy_set_header Host $http_host;"),
        (KEEP_HOST, 426, "proxy_set_header Upgrade $http_upgrade;"),
    ],
    ids=["as it comes", "without the port", "without upgrades"],
)
async def test_what_it_keeps_back_is_said_and_what_to_set(nginx, more, status, word):
    async with echo_service() as service, nginx(service, more) as address:
        with pytest.raises(websockets.InvalidStatus):
            await opened(address)
        async with httpx.AsyncClient(headers={"Origin": address}, timeout=None) as client:
            response = await client.post(f"{address}/v1/realtime?stream=cam")
        assert response.status_code == status
        assert word in response.json()["detail"]


@pytest.mark.parametrize("slash", ["/", ""], ids=["cut off", "passed on"])
async def test_below_a_path_senders_are_told_addresses_that_work(nginx, tmp_path, slash):
    film = await asyncio.to_thread(write_video, tmp_path / "film.mp4", seconds=1)
    async with (
        echo_service(root_path="/flashback") as service,
        nginx(service, UPGRADE + KEEP_HOST, "/flashback/", slash and "/") as address,
        httpx.AsyncClient(base_url=address, timeout=None) as client,
        Player(film) as player,
    ):
        if not slash:
            assert (await client.get("/flashback/static/style.css")).is_success
        headers = {"Content-Type": "application/sdp"}
        sent = await client.post("/flashback/whip/cam", content=player.offer, headers=headers)
        assert sent.headers["Location"].startswith("/flashback/whip/cam/")
        assert (await client.delete(sent.headers["Location"])).status_code == 200
        assert "session.created" in await opened(f"{address}/flashback")


async def shown(address, words, fragment="#cam"):
    """Open the page at `address` and wait until it shows `words`."""
    need(CHROMIUM, "Chromium")
    async with browser() as chromium:
        page = await patient_page(chromium)
        await page.goto(address + fragment)
        await page.get_by_text(words).first.wait_for()


@pytest.mark.browser
@pytest.mark.timeout(300)
async def test_the_page_says_what_the_proxy_keeps_back(nginx):
    async with echo_service() as service:
        await service.remember()
        async with nginx(service, UPGRADE + "proxy_set_header Host $host;") as address:
            await shown(f"{address}/", "proxy_set_header Host $http_host;", "")
        async with nginx(service, KEEP_HOST) as address:
            await shown(f"{address}/", "proxy_set_header Upgrade $http_upgrade;")


@pytest.mark.browser
@pytest.mark.timeout(300)
async def test_the_page_works_below_a_path_without_being_told(nginx):
    async with echo_service() as service:
        await service.remember()
        async with nginx(service, UPGRADE + KEEP_HOST, "/flashback/", "/") as address:
            await shown(f"{address}/flashback/", "connected")
