"""Real browsers that send from the product's own page: `flashback bench ingest --chromium`.

Each encodes in software on the same cores as the service, which no browser of a user does.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.harness.service import CannotMeasure, Service

_LIVE = "#fact-state:has-text('Live')"
_PATIENCE_MS = 60_000


@asynccontextmanager
async def browsing(service: Service, count: int) -> AsyncIterator[None]:
    """Send Chromium's made-up camera from `count` pages, each with a profile of its own.

    Raises:
        CannotMeasure: If there is no Chromium, or nothing to drive it with.
    """
    try:
        # Late: it belongs to the tests, not to the service.
        from playwright.async_api import async_playwright
    except ImportError as error:
        raise CannotMeasure("playwright is missing: pip install --editable '.[dev]'") from error
    if (chromium := shutil.which("chromium")) is None:
        raise CannotMeasure("there is no command called chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        try:
            for _ in range(count):
                page = await (await browser.new_context()).new_page()
                await page.goto(service.address)
                await page.click("#pick-camera")
                await page.wait_for_selector(_LIVE, timeout=_PATIENCE_MS)
            yield
        finally:
            await browser.close()
