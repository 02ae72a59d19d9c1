"""The timeline of a stream on the page, in a real Chromium: by mouse and by keyboard."""

from contextlib import asynccontextmanager

import pytest
import torch

from model.types import ClipTokens
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from stream.watches.records import Event, Sighting
from tests.end_to_end.conftest import browser
from tests.end_to_end.test_page import ask, page_of
from tests.end_to_end.test_page_accessible import JPEG
from tests.web.conftest import echo_service
from tests.web.test_event_clips import play

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

BEGAN = 1_750_000_000.0
DAY = 24 * 3600
DOG = word_table().number["dog"]


@asynccontextmanager
async def remembered(seconds=3 * DAY, every=900, **page):
    """The page of a stream that is remembered for so long, with an hour's gap and one event."""
    async with echo_service() as service, browser() as chromium:
        service.engine.things_of = lambda c: [Thing(DOG)]
        await service.store.begin("door", BEGAN)
        for start in range(0, seconds, every):
            if not 3600 <= start < 7200:
                tokens = ClipTokens(torch.ones(1, 3), float(start), start + 3.0)
                await service.store.append("door", tokens, JPEG)
        last = float(seconds - every)
        event = Event(
            "e", "w", "a dog?", "door", BEGAN + last, last, last, last + 3, False, 1.0,
            evidence=(Sighting(last, last + 3, 1.0),),
        )  # fmt: skip
        await service.services.watcher.book.note(event)
        async with page_of(
            service, chromium, "/#door", timezone_id="UTC", locale="en-GB", **page
        ) as opened:
            await opened.wait_for_selector("#timeline:not([hidden])")
            yield service, opened


async def shown(page):
    """What the timeline shows, in media seconds."""
    track = page.locator("#timeline-track")
    return [float(await track.get_attribute(name)) for name in ("aria-valuemin", "aria-valuemax")]


async def until_it_shows(page, seconds):
    await page.wait_for_function(
        "([s]) => { const t = document.getElementById('timeline-track');"
        " return Math.abs(t.ariaValueMax - t.ariaValueMin - s) < 3; }",
        arg=[seconds],
    )


async def test_it_zooms_from_a_minute_to_days_by_mouse_and_by_keys():
    async with remembered() as (_, page):
        await until_it_shows(page, 3600)
        await page.click("#timeline-all")
        await until_it_shows(page, 3 * DAY - 897)
        bars = page.locator("#timeline-bars i")
        await bars.nth(1).wait_for(state="attached")  # nothing is remembered of an hour
        await page.locator("#timeline-pictures img").nth(3).wait_for(state="attached")
        await page.locator("#timeline-ticks", has_text="Jun").wait_for(state="attached")
        await page.focus("#timeline-track")
        await page.keyboard.press("Home")
        for _ in range(14):
            await page.keyboard.press("+")
        await until_it_shows(page, 60)
        assert (await shown(page))[0] == 0
        assert await page.is_disabled("#timeline-in")
        await page.hover("#timeline-track")
        await page.mouse.wheel(0, 300)
        await until_it_shows(page, 75)
        await page.click("#timeline-now")
        assert (await shown(page))[1] == pytest.approx(3 * DAY - 897, abs=1)
        assert await page.is_disabled("#timeline-now")


async def test_a_span_that_is_dragged_is_asked_about_and_the_answer_shows_it():
    async with remembered(seconds=600, every=4) as (service, page):
        box = await page.locator("#timeline-track").bounding_box()
        first, last = await shown(page)
        middle = box["y"] + box["height"] / 2
        await page.mouse.move(box["x"] + box["width"] * 0.25, middle)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.4, middle, steps=4)
        await page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
        await page.mouse.up()
        about = await page.inner_text("#about-words")
        await page.click("text=Ask about this")
        await ask(page, "What was there?")
        question = service.engine.asked[-1]
        assert question.since == pytest.approx(first + 0.25 * (last - first), abs=8)
        assert question.until == pytest.approx(first + 0.5 * (last - first), abs=8)
        assert f"About {await page.inner_text('.line-a .range')}" == about
        await page.click("text=What happened?")
        await page.locator("#past-said", has_text="What door has shown").wait_for()
        await page.locator("#past-found button", has_text="a dog").wait_for()
        await page.click("#past-close")
        await page.click("#about-drop")
        assert await page.is_hidden("#timeline-chosen")
        await ask(page, "And now?")
        assert service.engine.asked[-1].since is None


async def test_keys_choose_a_span_and_show_a_moment():
    async with remembered(seconds=600, every=4) as (service, page):
        await page.focus("#timeline-track")
        await page.keyboard.press("Home")
        for _ in range(6):
            await page.keyboard.press("Shift+ArrowRight")
        await page.locator("#about-words", has_text="15:06:40").wait_for()
        await page.keyboard.press("Enter")
        await page.locator("#badge", has_text="1:0").wait_for()
        await page.focus("#timeline-track")
        await page.keyboard.press("Escape")
        assert await page.is_hidden("#about")
        assert service.engine.asked == []


async def test_what_watches_told_is_marked_and_reached_by_keys():
    async with remembered() as (_, page):
        mark = page.locator("#timeline-marks .pin")
        await mark.wait_for()
        assert (await mark.get_attribute("aria-label")).startswith("a dog?")
        await mark.focus()
        await page.keyboard.press("Enter")
        await page.locator("#badge", has_text="71:45:00").wait_for()
        await page.locator("#timeline-said", has_text="Jun").wait_for()
        await page.click("#timeline-clip")
        await page.locator("#timeline-said[data-bad]", has_text="No film of door").wait_for()


async def test_a_chosen_span_is_saved_as_a_clip():
    async with echo_service() as service, browser() as chromium:
        feed = await play(service, 3)  # a stream, which is kept as film once somebody watches it
        live = await service.services.registry.open("cam")
        async with page_of(service, chromium, "/#cam") as page:
            with live.watch():
                for time in range(3, 30):
                    await feed.room()
                    feed.push(feed.place(time), feed.newest + 1)
                    await live.reel.reached(time)
                await live.settle()
                await page.wait_for_selector("#timeline:not([hidden])")
                await page.focus("#timeline-track")
                for _ in range(8):
                    await page.keyboard.press("Shift+ArrowLeft")
                async with page.expect_download() as saved:
                    await page.click("#timeline-clip")
                assert (await saved.value).suggested_filename.startswith("cam-0-")
                for _ in range(20):
                    await page.keyboard.press("Tab")
                await page.focus("#timeline-track")
                for _ in range(40):
                    await page.keyboard.press("Shift+ArrowLeft")
                await page.click("#timeline-clip")
                await page.locator("#timeline-said[data-bad]", has_text="only the last 20").wait_for()  # fmt: skip
        feed.close("It ended.")
