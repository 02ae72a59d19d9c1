"""The page, open for long: the service is killed, locked anew or silent, streams are deleted, tickets expire."""

import json
import signal

import httpx
import pytest

from tests.end_to_end.conftest import browser, reserved_port
from tests.end_to_end.test_page import LIVE, ask, opened, page_of, serving
from tests.end_to_end.test_page_sending import is_offer
from tests.end_to_end.test_service import sending
from tests.web.conftest import echo_service

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SHOWN = """[...document.querySelectorAll(".moment img")].at(-1)
    .decode().then(() => true, () => false)"""
FAILS = """{
    const [image] = document.querySelectorAll(".moment img");
    image.dispatchEvent(new Event("error"));
}"""
FIRST = "document.querySelector('.moment img').src"
WRONG_GAPS = """[...document.querySelectorAll("#strip li")].filter((item) => {
    const before = item.previousElementSibling?.moment.end ?? Infinity;
    return item.firstChild.classList.contains("gap") !== item.moment.start - before > 6;
}).map(item => item.moment)"""
STARTS = "[...document.querySelectorAll('#strip li')].map(item => item.moment.start)"


async def is_shown(page, count):
    """Wait until `count` more moments have come, and the newest one's picture is there.

    It may be asked for with a ticket that is over first, and then with another.
    """
    before = await page.locator(".moment").count()
    await page.wait_for_selector(f".moment >> nth={before + count - 1}")
    await page.wait_for_function(f"() => {SHOWN}")


@pytest.mark.parametrize("then", ["one", "two"])
async def test_a_page_goes_on_when_the_service_is_killed_and_needs_its_token_or_another(
    tmp_path, camera, then
):
    with reserved_port() as port:
        async with (
            browser(camera) as chromium,
            serving(tmp_path, "--port", port, FLASHBACK_TOKEN="one") as first,
            page_of(first, chromium, "/#token=one") as page,
        ):
            await page.click("#pick-camera")
            await is_shown(page, 2)
            await first.stop(signal.SIGKILL)
            await page.wait_for_selector('#connection[data-state="lost"]')
            assert await page.is_hidden("#badge"), "nothing is called live that may be gone"
            async with serving(tmp_path, "--port", port, FLASHBACK_TOKEN=then):
                if then != "one":
                    await page.wait_for_selector("#door[open]")
                    await page.fill("#door-token", then)
                    await page.keyboard.press("Enter")
                await page.wait_for_selector('#connection[data-state="open"]')
                await is_shown(page, 2)
                await page.wait_for_selector("#notice", state="hidden")
                answer = await ask(page, "What came before?")
                assert "failed" not in await answer.get_attribute("class")


async def test_a_part_of_the_page_that_does_not_arrive_is_asked_for_again(tmp_path):
    async with serving(tmp_path) as service, browser() as chromium:
        for part in ("js/stage.js", "js/app.js", "style.css"):
            page = await chromium.new_page()
            await do_not_deliver(page, part, times=2)
            await page.goto(service.url)
            await page.wait_for_function("() => getComputedStyle(document.body).margin === '0px'")
            await page.wait_for_selector("#pick-camera")

        page = await chromium.new_page()
        await page.add_init_script("sessionStorage['flashback.loads'] ??= 5")  # tried often enough
        await do_not_deliver(page, "js/stage.js", times=1)
        await page.goto(service.url)
        await page.wait_for_selector("text=A part of the page did not arrive")
        await page.click("text=Load it again")
        await page.wait_for_selector("#pick-camera")


async def do_not_deliver(page, part, times):
    await page.route(f"**/{part}", lambda route: route.abort("connectionaborted"), times=times)


async def test_a_stream_deleted_while_it_is_sent_begins_anew_and_shows_what_comes(tmp_path, camera):
    async with opened(tmp_path, camera) as (service, _, page):
        await page.click("#pick-camera")
        await is_shown(page, 3)
        old = await page.evaluate(STARTS)
        await delete(service, page)
        # What was deleted is shown no more, and what comes begins at zero again.
        kept = f"({STARTS}).some(start => {old}.includes(start))"
        await page.wait_for_function(f"() => !{kept} && ({STARTS}).length > 1")
        starts = await page.evaluate(STARTS)
        assert starts == sorted(starts)
        assert starts[0] < old[-1]
        await is_shown(page, 1)
        await page.wait_for_selector("#notice", state="hidden")
        answer = await ask(page, "What do you see?")
        assert "failed" not in await answer.get_attribute("class")


async def test_a_stream_deleted_while_it_is_looked_at_leaves_nothing_and_comes_back(tmp_path, film):
    async with opened(tmp_path) as (service, _, page):
        await page.goto(service.url + "/#cam")
        nothing = "#caption:has-text('no stream of this name')"
        await page.wait_for_selector(nothing)
        async with sending(service, film):
            await is_shown(page, 2)
            await page.wait_for_selector("#fact-state:has-text('Live')")
            assert await page.is_hidden("#caption")
        await page.wait_for_selector("#fact-state:has-text('Ended')")
        await page.click(".moment >> nth=0")
        await delete(service, page)
        await page.wait_for_selector(nothing)
        assert await page.locator(".moment").count() == 0
        assert await page.is_hidden("#still")
        assert await page.is_hidden("#back")
        answer = await ask(page, "What did you see?")
        assert "Nothing has been seen" in await answer.inner_text()
        async with sending(service, film):
            await is_shown(page, 1)
            assert await page.is_hidden("#caption")


async def test_moments_that_come_before_those_missed_stand_in_order(tmp_path, camera):
    async with opened(tmp_path, camera) as (service, chromium, sender):
        await sender.click("#pick-camera")
        await is_shown(sender, 2)
        async with page_of(service, chromium) as page:

            async def hold_back(route):
                await page.wait_for_selector(".moment >> nth=0")
                await route.continue_()

            await page.route("**/moments?*", hold_back)
            await page.click("#streams button >> nth=0")
            await page.wait_for_selector(".moment:not(.new) >> nth=1")
            starts = await page.evaluate(STARTS)
            assert starts == sorted(starts)
            assert len(starts) >= 3
            assert await page.evaluate(WRONG_GAPS) == []


async def test_pictures_are_shown_also_when_the_ticket_of_before_has_run_out(tmp_path, camera):
    async with opened(tmp_path, camera, FLASHBACK_TOKEN="one") as (service, _, page):
        await page.clock.install()
        await page.goto(service.url + "/#token=one")
        await page.click("#pick-camera")
        await is_shown(page, 1)
        old = await page.evaluate(FIRST)
        async with page.expect_response("**/client_secrets"):
            await page.clock.fast_forward(10 * 60_000)
        await page.clock.resume()
        await is_shown(page, 1)
        # The browser gets round to a picture only when it is scrolled to, with the ticket of then.
        await page.evaluate(FAILS)
        await page.wait_for_function(f"() => {FIRST} !== {json.dumps(old)}")
        await page.wait_for_function(f"() => {SHOWN.replace('at(-1)', 'at(0)')}")


async def test_a_service_that_is_silent_is_noticed_and_found_again(tmp_path, camera):
    async with opened(tmp_path, camera) as (service, chromium, page):
        await page.clock.install()
        await page.goto(service.url)
        await page.click("#pick-camera")
        await is_shown(page, 1)
        async with page_of(service, chromium) as other:
            await other.wait_for_selector("#connection[data-state=idle]")
            await other.wait_for_selector("#streams li")
            service.process.send_signal(signal.SIGSTOP)
            try:
                await page.fill("#question", "What do you see?")
                await page.press("#question", "Enter")
                for _ in range(4):
                    await page.clock.run_for(11_000)
                await page.wait_for_selector(".line-a.failed:has-text('connection was lost')")
                await page.wait_for_selector("#connection[data-state=lost]")
                await other.wait_for_selector("#connection[data-state=lost]")
            finally:
                service.process.send_signal(signal.SIGCONT)
            await other.wait_for_selector("#connection[data-state=idle]")
        await page.clock.resume()
        await page.wait_for_selector("#connection[data-state=open]")
        await is_shown(page, 2)


async def delete(service, page):
    """Delete the stream that `page` shows."""
    name = await page.inner_text("#stream-name")
    async with httpx.AsyncClient(timeout=None) as client:
        assert (await client.delete(f"{service.url}/v1/streams/{name}")).status_code == 204


async def test_an_offer_whose_answer_was_lost_is_not_taken_for_another_source(tmp_path, camera):
    async with opened(tmp_path, camera) as (service, _, page):
        await page.click("#pick-camera")
        await is_shown(page, 1)
        offered = []

        async def lose(route):
            offered.append(await route.fetch())
            await route.abort()

        await page.route("**/whip/*", lose, times=1)
        await delete(service, page)
        await page.wait_for_selector("#notice:has-text('cannot be reached')")
        assert [answer.status for answer in offered] == [201]
        await page.wait_for_selector("#notice", state="hidden")
        assert await page.is_hidden("#notice-act")
        await is_shown(page, 2)


async def test_an_internal_error_is_said_and_what_is_sent_is_remembered_once_it_can(camera):
    offers = []
    async with (
        echo_service(sample_rate=30) as service,
        browser(camera) as chromium,
        page_of(service, chromium) as page,
    ):

        async def fail(*_):
            raise RuntimeError("nobody thought of this")

        works, service.store.append = service.store.append, fail
        page.on("request", lambda r: offers.append(r) if is_offer(r) else None)
        await page.click("#pick-camera")
        said = page.get_by_text("An internal error lost what was seen")
        await said.first.wait_for()
        service.store.append = works
        await is_shown(page, 2)
        await said.first.wait_for(state="hidden")
    assert len(offers) == 1, "nothing has to connect again"


async def test_an_offer_refused_for_good_sends_pictures_and_one_refused_for_now_is_made_again(
    tmp_path, camera
):
    refusals = [(408, "The body did not arrive."), (422, "No usable video codec: offered AV1.")]
    async with opened(tmp_path, camera) as (_, _, page):

        async def refuse(route):
            status, detail = refusals.pop(0)
            await route.fulfill(status=status, json={"detail": detail})

        await page.route("**/whip/*", refuse, times=2)
        await page.click("#pick-camera")
        await page.wait_for_selector("#notice:has-text('did not arrive')")
        await page.wait_for_selector("#notice:has-text('offered AV1. Single pictures are sent')")
        await is_shown(page, 2)
        await page.wait_for_selector(LIVE)
        assert refusals == []
