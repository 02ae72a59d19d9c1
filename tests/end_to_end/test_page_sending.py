"""The page as a sender that is reloaded, taken over, overloaded, and cut off from direct video."""

import re
from types import SimpleNamespace

import pytest

from benchmarks.harness.service import running
from tests.end_to_end.conftest import browser
from tests.end_to_end.test_page import LIVE, lead_nowhere, opened, page_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NEWEST = """fetch("/v1/streams").then(answer => answer.json())
    .then(({streams}) => streams[0].began + streams[0].end)"""
APART = """gap => gap.getBoundingClientRect().left
    - gap.parentElement.previousElementSibling.getBoundingClientRect().right"""
GAP_SECONDS = 6


async def says(page, part, pattern):
    """Wait until this part of the page says what `pattern` matches, all of it."""
    script = (
        "([part, text]) => RegExp(`^(${text})$`).test(document.querySelector(part).textContent)"
    )
    await page.wait_for_function(script, arg=[part, pattern])


async def source_of(page):
    """Return what feeds the one stream there is."""
    [stream] = (await page.evaluate("fetch('/v1/streams').then(r => r.json())"))["streams"]
    return stream["source"]


async def test_a_camera_goes_on_by_itself_after_a_reload_and_what_was_missed_is_a_gap(
    tmp_path, camera
):
    async with opened(tmp_path, camera) as (_, _, page):
        await page.click("#pick-camera")
        await page.wait_for_selector(".moment.new >> nth=2")
        await says(page, "#fact-age", r"\d+ ms|\d+(\.\d)? s")
        # On a machine that is busy it looks less often, and says so.
        await says(page, "#fact-rate", r"4 a second|[\d.]+ a second, slowed from 4.*")
        address = page.url

        await page.reload()
        await page.wait_for_selector(".moment.new >> nth=2")
        assert page.url == address
        await page.wait_for_selector(LIVE)
        assert await source_of(page) == "webrtc"

        gaps = await page.locator(".moment.gap").count()
        await page.click("#change")
        await page.locator("#streams .dot[data-state=ended]").wait_for()
        back = await page.evaluate(NEWEST) + GAP_SECONDS
        await page.wait_for_function("back => Date.now() / 1000 > back", arg=back)
        await page.click("#pick-camera")
        await page.wait_for_selector(f".moment.gap >> nth={gaps}")
        assert await page.locator(".moment.gap").last.evaluate(APART) > 20


async def test_a_screen_is_sent_again_after_a_reload_by_one_click(tmp_path):
    async with opened(tmp_path) as (_, _, page):
        await page.click("#pick-screen")
        await page.wait_for_selector(".moment.new >> nth=0")
        address = page.url
        await page.reload()
        await page.wait_for_selector("#notice-act:has-text('Send the screen again')")
        assert "browsers want a click" in await page.inner_text("#notice")
        await page.click("#notice-act")
        await page.wait_for_selector(".moment.new >> nth=1")
        assert page.url == address
        assert await page.is_hidden("#notice")


async def test_a_page_that_is_taken_over_says_so_and_takes_back_only_when_told(tmp_path, camera):
    posts = []
    async with opened(tmp_path, camera) as (service, _, first):
        second = await first.context.new_page()
        for page in (first, second):
            page.on("request", lambda r, page=page: posts.append(page) if is_offer(r) else None)
            await page.goto(service.url)
        await first.click("#pick-camera")
        await first.wait_for_selector(".moment.new >> nth=0")
        await second.click("#pick-camera")
        await first.wait_for_selector("#notice:has-text('Another page or source')")
        await first.wait_for_selector("#video[data-playing]")
        await second.wait_for_selector(".moment.new >> nth=4")
        assert posts == [first, second], "nobody fights"
        assert await second.is_hidden("#notice")

        await first.reload()
        await first.wait_for_selector("#video[data-playing]")
        assert posts == [first, second], "what was taken over is not resumed"

        await second.reload()
        await second.wait_for_selector(".moment.new >> nth=0")
        await first.click("#change")
        await first.click("#pick-camera")
        await second.click("#notice-act")
        await first.wait_for_selector("#notice-act")
        assert posts == [first, second, second, first, second]


async def test_a_page_that_sends_pictures_finds_its_way_back_to_direct_video(tmp_path, camera):
    async with opened(tmp_path, camera, page={"hasty": True}) as (_, _, page):
        await page.clock.install()
        await page.route(re.compile("/(whip|whep)/"), lead_nowhere)
        await page.click("#pick-camera")
        await page.wait_for_selector("#notice:has-text('no way through')")
        await page.wait_for_selector(".moment.new >> nth=0")
        async with page.expect_request("**/whep/*"):
            await page.evaluate("window.dispatchEvent(new Event('online'))")
        before = await page.locator(".moment").count()
        async with page.expect_response(lambda r: is_end(r.request)):
            await page.wait_for_selector(f".moment >> nth={before + 1}")
        assert "no way through" in await page.inner_text("#notice")
        assert await source_of(page) == "pictures", "what is tried disturbs nothing"

        await page.unroute_all(behavior="wait")
        await page.clock.fast_forward(61_000)
        await page.wait_for_selector("#notice:has-text('has found a way through')")
        assert await source_of(page) == "webrtc"
        await page.wait_for_selector("#fact-state:has-text('Live')")
        await page.clock.fast_forward(11_000)
        await page.wait_for_selector("#notice", state="hidden")


async def test_the_page_says_when_it_looks_less_often_and_what_is_lost_to_what(camera):
    async with (
        running(
            "benchmarks.harness.slow_service", ["--times", "3"], settings={"SAMPLE_RATE": "4"}
        ) as slow,
        browser(camera) as chromium,
        page_of(SimpleNamespace(url=slow.address), chromium) as page,
    ):
        await page.click("#pick-camera")
        await page.wait_for_selector("#fact-lost:has-text('to overload')")
        await says(page, "#fact-lost", r"\d+ to overload")
        await says(page, "#fact-rate", r"[\d.]+ a second, slowed from 4: the machine is busy")
        await page.click("#change")
        what = page.locator("#streams .what", has_text=re.compile(r" · \d+ lost$"))
        assert "to overload" in await what.get_attribute("title")


def is_offer(request):
    return request.method == "POST" and "/whip/" in request.url


def is_end(request):
    return request.method == "DELETE" and "/whep/" in request.url
