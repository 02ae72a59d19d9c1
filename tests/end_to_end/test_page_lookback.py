"""Looking back over all cameras on the page, in a real Chromium."""

from contextlib import asynccontextmanager

import pytest
import torch

from model.types import ClipTokens
from model.vision.things import Thing
from model.vision.vocabulary import COLOURS, word_table
from tests.end_to_end.conftest import browser
from tests.end_to_end.test_page import page_of
from tests.web.conftest import echo_service

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CAR, PERSON = (word_table().number[name] for name in ("car", "person"))
RED = COLOURS.index("red")
STREET = {8: [Thing(CAR, colour=RED)], 12: [Thing(CAR, colour=RED), Thing(PERSON, 0.8)]}


@asynccontextmanager
async def cameras(path="/", **page):
    """A page of a service that remembers a street with a red car, and a door without."""
    async with echo_service() as service, browser() as chromium:
        service.engine.things_of = lambda clip: STREET.get(clip.start, []) if clip.values.any() else []  # fmt: skip
        for name, shows in (("door", 0.0), ("street", 1.0)):
            await service.store.begin(name, 1e9)
            for start in range(0, 40, 4):
                tokens = ClipTokens(torch.full((1, 3), shows), float(start), start + 3.0)
                await service.store.append(name, tokens, b"jpeg")
        async with page_of(service, chromium, path, **page) as opened:
            yield service, opened


async def test_moments_are_found_by_words_and_a_click_goes_to_them():
    async with cameras("/#door") as (_, page):
        await page.click("#past-open")
        await page.fill("#past-words", "red car")
        await page.press("#past-words", "Enter")
        found = page.locator("#past-found button")
        await found.filter(has_text="street").filter(has_text="100 % sure").wait_for()
        assert await found.count() == 1
        await page.check("#past-here")
        await page.click("text=Find moments")
        await page.locator("#past-said", has_text="No moment shows a red car").wait_for()
        await page.uncheck("#past-here")
        await page.click("text=Find moments")
        await found.click()
        await page.locator("#badge", has_text="0:08").wait_for()
        assert await page.inner_text("#stream-name") == "street"
        async with page.expect_download() as saved:
            await page.click("#save")
        assert (await saved.value).suggested_filename == "street-0-08.jpg"
        await page.click("#past-open")
        await page.fill("#past-words", "flurble")
        await page.press("#past-words", "Enter")
        await page.locator("#past-said[data-bad]", has_text="vocabulary").wait_for()


async def test_all_cameras_are_asked_and_what_happened_is_told():
    async with cameras("/#street") as (_, page):
        await page.click("#past-open")
        await page.fill("#past-words", "Where was the person last seen?")
        await page.click("text=Ask all cameras")
        answers = page.locator("#past-found button")
        await answers.filter(has_text="street · seen last").wait_for()
        assert (await answers.nth(0).inner_text()).endswith("80\u00a0%\u00a0sure")
        assert "door" in await answers.nth(1).inner_text()
        await page.click("text=Last hour")
        scene = answers.filter(has_text="a red car and a person").filter(has_text="comes")
        await scene.wait_for()
        await page.locator("#past-said", has_text="car (once), person (once)").wait_for()
        await page.click("text=Today")
        await page.locator(
            "#past-said", has_text="Nothing of street is remembered today"
        ).wait_for()
        await page.click("text=Last hour")
        await scene.click()
        await page.locator("#badge", has_text="0:12").wait_for()
