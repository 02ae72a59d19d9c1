"""Watches on the page, in a real Chromium."""

import pytest
import torch

from model.types import ClipTokens
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from tests.end_to_end.conftest import browser
from tests.end_to_end.test_page import page_of
from tests.web.conftest import echo_service
from tests.web.test_event_clips import play
from tests.web.test_watches import add, sees

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PERSON = word_table().number["person"]


async def show(service, *people):
    for number, there in enumerate(people):
        tokens = ClipTokens(torch.full((1, 3), float(there)), 4.0 * number, 4.0 * number + 3)
        await service.store.append("door", tokens, b"jpeg")
        service.services.watcher.seen("door", tokens)
    await service.services.watcher.settle()


async def test_a_watch_is_made_on_the_page_and_the_badge_counts_what_it_saw():
    async with echo_service() as service, browser() as chromium:
        service.engine.things_of = lambda c: [Thing(PERSON)] if c.values.any() else []
        await service.store.begin("door", 1e9)
        async with page_of(service, chromium, "/#door") as page:
            await page.click("#bell")
            await page.fill("#watch-question", "Tell me when a person is near the gate")
            read = page.locator("#watch-read")
            await read.filter(has_text="a person").filter(has_text="near the gate").wait_for()
            await page.press("#watch-question", "Enter")
            row = page.locator("#watch-list li")
            await row.filter(has_text="door").wait_for()
            await page.click("#watches-close")
            await show(service, 0, 1, 1, 1)
            await page.locator("#bell-count", has_text="1").wait_for()
            await page.click("#bell")
            await page.locator("#alert-list li.new", has_text="near the gate").wait_for()
            await page.click("text=Pause")
            await row.filter(has_text="Go on").wait_for()
            await page.click("#watches-close")
            await page.locator("#bell-count").wait_for(state="hidden")


async def test_the_clip_of_an_event_plays_on_the_page_and_can_be_saved():
    async with echo_service() as service, browser() as chromium, service.client() as client:
        sees(service)
        await add(client)
        (await play(service, 16)).close("It ended.")
        async with page_of(service, chromium) as page:
            await page.click("#bell")
            await page.click(".clip summary")
            await page.wait_for_selector(".clip[data-ready]")
            lasts = await page.evaluate("document.querySelector('.clip video').duration")
            assert 8 < lasts < 20
            async with page.expect_download() as saved:
                await page.click(".clip >> text=Save clip")
            assert (await saved.value).suggested_filename.startswith("cam-")
