"""The page in a real Chromium, clicked as people click."""

import json
from contextlib import asynccontextmanager

import pytest

from tests.end_to_end.conftest import as_camera, browser, flashback, patient_page, reserved_port
from tests.stream.videos import write_video
from tests.waiting import holds

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
LIVE = "#fact-state:has-text('Live')"


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    folder = tmp_path_factory.mktemp("camera")
    film = write_video(folder / "film.mp4", seconds=4, size=(320, 180), rate=10)
    return as_camera(film, folder / "camera.mjpeg", 0.0, 4.0)


@asynccontextmanager
async def page_of(service, chromium, path="/", **options):
    """Open the page; fail on any error in its console."""
    page = await patient_page(chromium, **options)
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda m: troubles.append(m.text) if "Content Security" in m.text else None)
    await page.goto(service.url + path)
    yield page
    assert troubles == []
    await page.context.close()


@asynccontextmanager
async def serving(tmp_path, *arguments, **environment):
    data = str(tmp_path / "data")
    options = ("--model", "tiny", "--port", "0", "--data", data, *arguments)
    # A machine that is busy may itself keep a camera's pictures back for some seconds.
    usual = {"FLASHBACK_SAMPLE_RATE": "4", "FLASHBACK_STALL_SECONDS": "60"}
    environment = usual | environment
    async with flashback("serve", *options, **environment) as service:
        yield service


@asynccontextmanager
async def opened(tmp_path, camera=None, page=None, **environment):
    """Yield a running service, a browser, and a page of the service in it."""
    async with (
        serving(tmp_path, **environment) as service,
        browser(camera) as chromium,
        page_of(service, chromium, **(page or {})) as first,
    ):
        yield service, chromium, first


async def ask(page, question):
    """Ask, wait until that question is answered, not one before it, and return the answer."""
    answered = page.locator(".line-a:not(.busy)")
    before = await answered.count()
    await page.fill("#question", question)
    await page.press("#question", "Enter")
    await answered.nth(before).wait_for()
    return page.locator(".line-a").last


def is_done(event):
    return event["type"] == "response.done"


async def test_a_camera_is_shown_remembered_and_asked_about_by_clicking(tmp_path, camera):
    async with opened(tmp_path, camera) as (_, _, page):
        heard = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda f: heard.append(f)))
        await page.click("#pick-camera")
        await page.wait_for_selector(".moment >> nth=3")
        await page.wait_for_selector(LIVE)
        await page.wait_for_function("document.querySelector('#video').videoWidth > 0")

        answer = await ask(page, "What do you see?")
        meta = await answer.locator(".meta").inner_text()
        assert await page.locator(".line-q").inner_text() == "What do you see?"
        assert "failed" not in await answer.get_attribute("class"), meta
        peaks = "[...document.querySelectorAll('.peak i')]"
        # The browser tells us of a frame when it gets round to it, perhaps after the page.
        await holds(lambda: any(is_done(event) for event in map(json.loads, heard)))
        [evidence] = [e["response"]["evidence"] for e in map(json.loads, heard) if is_done(e)]
        grown = "peaks.some(i => i.clientHeight) && !peaks.some(i => i.getAnimations().length)"
        await page.wait_for_function(f"() => {{ const peaks = {peaks}; return {grown}; }}")
        found = await page.evaluate(f"{peaks}.map(i => i.clientHeight)")
        marks = zip((part["score"] for part in evidence), found, strict=False)
        heights = [height for _, height in sorted(marks)]
        assert len(heights) >= 4
        assert heights == sorted(heights), "marks grow with the score"
        assert heights[-1] > heights[0]

        await page.click(".moment >> nth=1")
        assert await page.is_visible("#still")
        assert f"/{evidence[1]['start']}.jpg" in await page.get_attribute("#still", "src")
        assert await page.is_hidden("#video")
        await page.click("#back")
        assert await page.is_visible("#video")


async def test_questions_to_try_follow_what_the_stream_shows(tmp_path, camera):
    async with opened(tmp_path, camera) as (_, _, page):
        texts = [["What do you see?", "Is there a dog?"], ["What do you see?", "When was it?"]]

        async def suggest(route):
            said = texts.pop(0) if len(texts) > 1 else texts[0]
            await route.fulfill(json={"suggestions": [{"text": text} for text in said]})

        await page.route("**/suggestions", suggest)
        await page.click("#pick-camera")
        await page.get_by_text("Is there a dog?").wait_for()
        asked = page.get_by_role("button", name="When was it?")
        await asked.wait_for()
        assert await page.locator(".idea").count() == 2
        await asked.click()
        await page.wait_for_selector(".line-a:not(.busy)")
        assert await page.inner_text(".line-q") == "When was it?"
        assert await asked.is_visible(), "there are questions to try beside a conversation, too"


async def test_the_page_goes_on_by_itself_after_the_service_restarted(tmp_path, camera):
    with reserved_port() as port:
        async with (
            browser(camera) as chromium,
            serving(tmp_path, "--port", port) as first,
            page_of(first, chromium) as page,
        ):
            await page.click("#pick-camera")
            await page.wait_for_selector(".moment >> nth=1")
            before = await page.locator(".moment").count()
            assert await first.stop() == 130
            await page.wait_for_selector('#connection[data-state="lost"]')
            async with serving(tmp_path, "--port", port):
                await page.wait_for_selector('#connection[data-state="open"]')
                await page.wait_for_selector(f".moment >> nth={before}")
                answer = await ask(page, "What came before?")
                assert "failed" not in await answer.get_attribute("class")


async def test_where_webrtc_finds_no_path_pictures_are_sent_and_the_page_says_why(tmp_path, camera):
    async with opened(tmp_path, camera, page={"hasty": True}) as (_, _, page):
        await page.route("**/whip/*", lead_nowhere)
        await page.click("#pick-camera")
        await page.wait_for_selector("#notice:has-text('no way through')")
        await page.wait_for_selector(".moment >> nth=0")
        await page.wait_for_selector(LIVE)


async def test_a_stream_is_watched_live_from_another_page(tmp_path, camera):
    async with (
        opened(tmp_path, camera) as (service, chromium, sender),
        page_of(service, chromium) as watcher,
    ):
        await sender.click("#pick-camera")
        await sender.wait_for_selector(".moment >> nth=0")
        await watcher.click("#streams button >> nth=0")
        await watcher.wait_for_selector("#video[data-playing]")
        assert await watcher.is_visible("#video")


async def test_the_page_asks_for_the_token_and_lets_in_who_has_it(tmp_path):
    async with opened(tmp_path, FLASHBACK_TOKEN="open-sesame") as (_, _, page):
        await page.fill("#door-token", "wrong")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#door-wrong:not(:empty)")
        await page.fill("#door-token", "open-sesame")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#picker:not([hidden])")
        await page.wait_for_selector("#connection:has-text('ready')")


async def test_the_page_works_by_keyboard_at_the_width_of_a_phone(tmp_path, camera):
    phone = {"viewport": {"width": 375, "height": 720}, "color_scheme": "dark"}
    async with opened(tmp_path, camera, page=phone) as (_, _, page):
        await page.wait_for_selector("#picker:not([hidden])")
        await page.focus("#pick-camera")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".moment >> nth=2")
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not await page.evaluate(wide), "nothing sticks out sideways"
        await page.focus(".moment >> nth=0")
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Enter")
        assert await page.get_attribute(".moment >> nth=1", "aria-pressed") == "true"
        await page.keyboard.press("Escape")
        assert await page.is_hidden("#still")


async def lead_nowhere(route):
    """Let the exchange through, but no address of either side: as if UDP were blocked."""
    if route.request.method != "POST":
        await route.continue_()
        return
    response = await route.fetch(post_data=without_addresses(route.request.post_data))
    await route.fulfill(response=response, body=without_addresses(await response.text()))


def without_addresses(sdp):
    kept = [line for line in sdp.splitlines() if not line.startswith("a=candidate:")]
    return "\r\n".join([*kept, ""])
