"""The page as axe reads it: nothing serious, whichever part is open, by day, by night and on a phone.

https://github.com/dequelabs/axe-core
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from memory.recordings import Recorded
from model.types import ClipTokens
from stream.reel import _jpeg
from stream.watches.records import Event
from tests.end_to_end.conftest import browser
from tests.end_to_end.needs import need
from tests.end_to_end.test_page import ask, page_of
from tests.web.conftest import echo_service
from tests.web.test_watches import add, sees

AXE = (
    Path(__file__).parents[1]
    / "clients"
    / "javascript"
    / "node_modules"
    / "axe-core"
    / "axe.min.js"
)
RUN = """async () => {
  const { violations, passes } = await axe.run(document, { resultTypes: ["violations"] });
  if (passes.length < 10) throw new Error(`only ${passes.length} rules were looked at`);
  return violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map((n) => `${n.target} ${n.failureSummary}`).join("; ")}`);
}"""
PHONE = {"viewport": {"width": 375, "height": 720}, "reduced_motion": "reduce"}
DESK = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}

JPEG = _jpeg(np.full((90, 160, 3), 120, np.uint8))

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


async def open_watches(page):
    await page.click("#bell")
    await page.wait_for_selector("#alert-list .clip")
    await page.wait_for_selector("#watch-list li")


async def edit_watch(page):
    await open_watches(page)
    await page.click("#watch-list li >> text=Edit")
    await page.wait_for_selector(".watch-editor .word")


async def open_search(page):
    await page.click("#past-open")
    await page.fill("#past-words", "person")
    await page.press("#past-words", "Enter")
    await page.wait_for_selector("#past-found button")


async def open_wall(page):
    await page.click("#board-open")
    await page.wait_for_selector("#board-tiles li >> nth=1")


async def converse(page):
    await ask(page, "What do you see?")
    await page.wait_for_selector(".moment >> nth=2")


async def choose_span(page):
    await page.focus("#timeline-track")
    for _ in range(5):
        await page.keyboard.press("Shift+ArrowLeft")
    await page.wait_for_selector("#timeline-chosen:not([hidden])")


PARTS = {
    "/": ("#picker:not([hidden])", [open_wall]),
    "/#cam": (
        '#connection[data-state="open"]',
        [converse, choose_span, open_watches, edit_watch, open_search],
    ),
}


async def remember(service):
    """Two cameras with moments, a watch, and an event with a clip."""
    for name in ("cam", "door"):
        await service.store.begin(name, 1e9)
        for start in range(0, 16, 4):
            tokens = ClipTokens(torch.ones(1, 3), float(start), start + 3.0)
            await service.store.append(name, tokens, JPEG)
    event = Event("e", "w", "a person?", "cam", 1e9, 0, 4, 7, False, 1.0, "confirmed", film=True)
    await service.services.watcher.book.note(event)
    await service.store.recordings().put("cam", Recorded("e", 0.0, 7.0), b"a film")


async def close(page):
    await page.evaluate("document.querySelectorAll('dialog').forEach((open) => open.close())")


async def test_axe_finds_nothing_serious_on_any_part_of_the_page():
    need(AXE.exists(), "axe-core; `make stock-clients` gets it")
    script = AXE.read_text()
    async with echo_service() as service, browser() as chromium, service.client() as client:
        sees(service)
        await add(client)
        await remember(service)
        found = []
        for scheme, size in (("light", DESK), ("dark", PHONE)):
            for path, (ready, parts) in PARTS.items():
                async with page_of(service, chromium, path, color_scheme=scheme, **size) as page:
                    await page.wait_for_selector(ready)
                    await page.evaluate(script)
                    found += await page.evaluate(RUN)
                    for part in parts:
                        await part(page)
                        found += [
                            f"{scheme}, {part.__name__}: {one}" for one in await page.evaluate(RUN)
                        ]
                        await close(page)
        assert found == []
