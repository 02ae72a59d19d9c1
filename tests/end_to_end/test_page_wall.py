"""The wall of all cameras, in a real Chromium."""

import numpy as np
import pytest

from stream.watches.records import Event
from tests.end_to_end.conftest import browser
from tests.end_to_end.test_page import page_of
from tests.web.conftest import echo_service

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


async def send(service, name):
    """Let `name` be live, with one moment."""
    live = await service.services.registry.open(name)
    feed = live.open_feed("pictures", own_times=True)
    for second in range(5):
        feed.push(feed.offer(float(second)), np.full((48, 64, 3), 90, np.uint8))
        await live.settle()
    return feed


async def test_the_wall_shows_pages_of_cameras_with_state_and_last_event():
    # A page may open more slowly than a camera that says nothing more is taken for stalled.
    async with echo_service(stall_seconds=600) as service, browser() as chromium:
        for number in range(6):
            await service.remember(f"cam-{number}")
        feed = await send(service, "yard")
        event = Event("e", "w", "a dog?", "yard", 1e9, 0, 1, 2, True, 1.0)
        await service.services.watcher.book.note(event)
        async with page_of(service, chromium) as page:
            await page.click("#board-open")
            tiles = page.locator("#board-tiles li")
            await tiles.nth(6).wait_for()
            yard = page.locator("#board-tiles li", has_text="yard")
            await yard.filter(has_text="live").filter(has_text="a dog? · now").wait_for()
            assert await page.is_hidden("main")
            await page.check("#board-4")
            await page.locator("#board-page", has_text="1 of 2").wait_for()
            assert await tiles.count() == 4
            for size, pages, shown in (("1", "1 of 7", 1), ("16", None, 7), ("9", None, 7)):
                await page.check(f"#board-{size}")
                await page.wait_for_function(
                    "n => document.querySelectorAll('#board-tiles li').length === n", arg=shown
                )
                if pages is not None:
                    await page.locator("#board-page", has_text=pages).wait_for()
            await page.check("#board-4")
            await page.click("#board-after")
            await page.locator("#board-page", has_text="2 of 2").wait_for()
            assert await tiles.count() == 3
            await page.focus("#board-tiles .tile >> nth=0")
            await page.keyboard.press("ArrowRight")
            second = await tiles.nth(1).locator("b").inner_text()
            await page.keyboard.press("Enter")
            await page.wait_for_selector("main:not([hidden])")
            assert await page.inner_text("#stream-name") == second
            await page.reload()
            await page.click("#board-open")
            await page.locator("#board-page", has_text="1 of 2").wait_for()
            await page.click("#board-close")
            await page.wait_for_selector("#picker:not([hidden])")
        feed.close("That was all.")
