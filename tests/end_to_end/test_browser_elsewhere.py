"""A browser on another machine, behind a firewall that lets no UDP through."""

import json
import time
from contextlib import asynccontextmanager

import pytest

from tests.end_to_end.conftest import CHROMIUM, browser, patient_page
from tests.end_to_end.coturn import coturn, needs_coturn
from tests.end_to_end.machines import connect, machines, needs_namespaces
from tests.end_to_end.sending import TOKEN, serving
from web.http.ice import turn_credential

SERVER, CLIENT = "10.77.0.1", "10.77.0.2"
SECRET = "shared-between-the-two"
TURN = {"FLASHBACK_TURN": f"turn:{SERVER}:3478?transport=tcp", "FLASHBACK_TURN_SECRET": SECRET}
STREAMS = """fetch("/v1/streams", {headers: {Authorization: "Bearer %s"}}).then(r => r.json())"""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), needs_namespaces, needs_coturn]


@pytest.fixture
async def two():
    async with machines("a", "b") as (here, there):
        await connect(here, f"{SERVER}/24", there, f"{CLIENT}/24")
        await there.drop_udp()
        yield here, there


@asynccontextmanager
async def page_elsewhere(tmp_path, camera, there, **options):
    """Yield a page that Chromium on the other machine has opened, with a camera; not yet started."""
    program = tmp_path / "chromium"
    program.write_text(f'#!/bin/sh\nexec {" ".join(there.inside)} {CHROMIUM} "$@"\n')
    program.chmod(0o755)
    # Cameras are for https pages and localhost; this names one more.
    safe = f"--unsafely-treat-insecure-origin-as-secure=http://{SERVER}:8700"
    async with browser(camera, safe, program=str(program)) as chromium:
        yield await patient_page(chromium, **options)


@pytest.fixture
async def page(tmp_path, camera, two):
    _, there = two
    async with page_elsewhere(tmp_path, camera, there) as page:
        yield page


async def send_camera(page, service):
    """Send the camera until something is remembered; return by which way it came."""
    await page.goto(f"{service.url}/#token={TOKEN}")
    await page.click("#pick-camera")
    await page.wait_for_selector(".moment >> nth=0")
    [stream] = (await page.evaluate(STREAMS % TOKEN))["streams"]
    return stream["source"]


async def test_the_page_sends_video_through_the_relay(tmp_path, two, page):
    here, _ = two
    async with (
        coturn(here, SERVER, SECRET, tmp_path) as relay,
        serving(tmp_path, here, SERVER, **TURN) as service,
    ):
        assert await send_camera(page, service) == "webrtc"
        await relay.says("CHANNEL_BIND processed, success")


# Makes the first answer about ICE servers one of long ago.
OUT_OF_DATE = """
const now = window.fetch;
let told = false;
window.fetch = async (path, options) => {
  const answer = await now(path, options);
  if (path !== "/v1/page" || !answer.ok || told) return answer;
  told = true;
  const page = await answer.json();
  for (const server of page.ice_servers) Object.assign(server, %s);
  return Response.json(page);
};
"""


async def test_a_page_that_was_opened_long_ago_asks_for_credentials_anew(tmp_path, two, page):
    here, _ = two
    username, credential = turn_credential(SECRET, 60, lambda: time.time() - 3600)
    over = json.dumps({"username": username, "credential": credential})
    await page.add_init_script(OUT_OF_DATE % over)
    async with (
        coturn(here, SERVER, SECRET, tmp_path),
        serving(tmp_path, here, SERVER, **TURN) as service,
    ):
        assert await send_camera(page, service) == "webrtc"


async def test_without_a_relay_the_page_sends_pictures_and_says_why(tmp_path, camera, two):
    here, there = two
    async with (
        serving(tmp_path, here, SERVER) as service,
        page_elsewhere(tmp_path, camera, there, hasty=True) as page,
    ):
        assert await send_camera(page, service) == "pictures"
        await page.wait_for_selector("#notice:has-text('no way through')")
