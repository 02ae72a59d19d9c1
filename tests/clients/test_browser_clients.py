"""WHIP and WHEP libraries in a real browser: `whip-whep`, Eyevinn's, MediaMTX's reader."""

import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.end_to_end.conftest import CHROMIUM, browser, patient_page
from tests.end_to_end.needs import need
from tests.stream.http_server import Site, serve
from tests.waiting import holds
from tests.web.conftest import echo_service

HERE = Path(__file__).parent / "javascript"
ESBUILD = HERE / "node_modules" / ".bin" / "esbuild"
PAGE = "<!doctype html><title>clients</title><script src=/clients.js></script>"
SECONDS = 100

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

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

EYEVINN_SENDS = """async (endpoint) => {
  const opts = { authkey: "secret", iceServers: [] };
  window.sender = new clients.EyevinnSender({ endpoint, opts });
  await sender.ingest(await clients.camera());
}"""
# What it calls a key is the whole header.
EYEVINN_WATCHES = """async (url) => {
  const video = clients.silentVideo();
  const player = new clients.EyevinnPlayer({ video, type: "whep", iceServers: [] });
  await player.load(new URL(url), "Bearer secret");
  const width = await clients.shown(video);
  await player.unload();
  return width;
}"""

# It trickles with `If-Match: *` and without its token, and gives up at the first refusal.
MEDIAMTX_WATCHES = """async (url) => {
  const video = clients.silentVideo();
  const failed = new Promise((_, reject) => {
    window.reader = new clients.MediaMtxReader({
      url,
      onError: reject,
      onTrack: ({ streams }) => (video.srcObject = streams[0]),
    });
  });
  const width = await Promise.race([clients.shown(video), failed]);
  reader.close();
  return width;
}"""


@pytest.fixture(scope="module")
def script():
    """Return the libraries in one script, called `clients`."""
    need(CHROMIUM, "Chromium")
    need(ESBUILD.exists(), "the JavaScript libraries; `make stock-clients` gets them")
    options = ("--bundle", "--format=iife", "--global-name=clients", "--log-level=error")
    return subprocess.check_output([ESBUILD, HERE / "browser.mjs", *options])


@asynccontextmanager
async def page_at(service, script):
    """Open a page of the service's own origin that has the library."""
    async with browser() as chromium:
        page = await patient_page(chromium)
        served = {"/clients": (PAGE, "text/html"), "/clients.js": (script, "text/javascript")}

        async def serve(route):
            body, kind = served[urlsplit(route.request.url).path]
            await route.fulfill(body=body, content_type=kind)

        await page.route(f"{service.url}/clients*", serve)
        await page.goto(f"{service.url}/clients")
        yield page


@asynccontextmanager
async def elsewhere(script, **settings):
    """A service, and a page of another origin that has the libraries and may ask it.

    The page is a real one: Chromium keeps pages that a test makes up from loopback.
    """
    site = Site()
    site.file("/", PAGE.encode(), "text/html")
    site.file("/clients.js", script, "text/javascript")
    with serve(site) as origin:
        async with (
            echo_service(allowed_origins=origin, **settings) as service,
            browser() as chromium,
        ):
            page = await patient_page(chromium)
            await page.goto(f"{origin}/")
            yield service, page


async def seen(service):
    """Return the stream once something of it is remembered."""
    registry = service.services.registry
    await holds(registry.open_streams, SECONDS)
    live = await registry.find("cam")
    await holds(lambda: live.status().clips, SECONDS)
    return live


async def test_the_library_sends_watches_and_takes_its_leave(script):
    async with echo_service(token="secret") as service, page_at(service, script) as page:
        await page.evaluate(SEND, f"{service.url}/whip/cam")
        live = await seen(service)
        assert await page.evaluate(WATCH, f"{service.url}/whep/cam") > 0
        await page.evaluate(STOP)
        await holds(lambda: not live.fed, SECONDS)


async def test_eyevinn_s_libraries_send_and_watch_from_a_page_elsewhere(script):
    async with elsewhere(script, token="secret") as (service, page):
        await page.evaluate(EYEVINN_SENDS, f"{service.url}/whip/cam")
        live = await seen(service)
        assert await page.evaluate(EYEVINN_WATCHES, f"{service.url}/whep/cam") > 0
        await holds(lambda: not len(service.services.viewers), SECONDS)
        await page.evaluate("() => sender.destroy()")
        await holds(lambda: not live.fed, SECONDS)


async def test_the_reader_of_mediamtx_watches(script):
    async with elsewhere(script) as (service, page):
        await service.remember()
        assert await page.evaluate(MEDIAMTX_WATCHES, f"{service.url}/whep/cam") > 0
        await holds(lambda: not len(service.services.viewers), SECONDS)
