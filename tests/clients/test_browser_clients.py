"""The WHIP and WHEP library `whip-whep`, in a real browser."""

import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.end_to_end.conftest import CHROMIUM, browser
from tests.end_to_end.needs import need
from tests.waiting import holds
from tests.web.conftest import echo_service

HERE = Path(__file__).parent / "javascript"
ESBUILD = HERE / "node_modules" / ".bin" / "esbuild"
PAGE = "<!doctype html><title>clients</title><script src=/clients.js></script>"
SECONDS = 45

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SEND = """async (url) => {
  const peer = new RTCPeerConnection();
  for (const track of (await clients.camera()).getTracks())
    peer.addTransceiver(track, { direction: "sendonly" });
  window.sender = new clients.Sender();
  await sender.publish(peer, url, "secret");
}"""
STOP = "() => sender.stop()"
WATCH = """async (url) => {
  const peer = new RTCPeerConnection();
  for (const kind of ["video", "audio"]) peer.addTransceiver(kind, { direction: "recvonly" });
  const video = clients.watched(peer);
  const viewer = new clients.Viewer();
  await viewer.view(peer, url, "secret");
  const width = await clients.shown(video);
  await viewer.stop();
  return width;
}"""


@pytest.fixture(scope="module")
def script():
    """Return the library in one script, called `clients`."""
    need(CHROMIUM, "Chromium")
    need(ESBUILD.exists(), "the JavaScript libraries; `make stock-clients` gets them")
    options = ("--bundle", "--format=iife", "--global-name=clients", "--log-level=error")
    return subprocess.check_output([ESBUILD, HERE / "browser.mjs", *options])


@asynccontextmanager
async def page_at(service, script):
    """Open a page of the service's own origin that has the library."""
    async with browser() as chromium:
        page = await chromium.new_page()
        page.set_default_timeout(SECONDS * 1000)
        served = {"/clients": (PAGE, "text/html"), "/clients.js": (script, "text/javascript")}

        async def serve(route):
            body, kind = served[urlsplit(route.request.url).path]
            await route.fulfill(body=body, content_type=kind)

        await page.route(f"{service.url}/clients*", serve)
        await page.goto(f"{service.url}/clients")
        yield page


async def test_the_library_sends_watches_and_takes_its_leave(script):
    async with echo_service(token="secret") as service, page_at(service, script) as page:
        await page.evaluate(SEND, f"{service.url}/whip/cam")
        registry = service.services.registry
        await holds(registry.open_streams, SECONDS)
        live = await registry.find("cam")
        await holds(lambda: live.status().clips, SECONDS)
        assert await page.evaluate(WATCH, f"{service.url}/whep/cam") > 0
        await page.evaluate(STOP)
        await holds(lambda: not live.fed, SECONDS)
