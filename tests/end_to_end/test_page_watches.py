"""Watches on the page, in a real Chromium."""

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import torch

from model.types import ClipTokens
from model.vision.things import Thing
from model.vision.vocabulary import word_table
from stream.watches.records import Event
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


async def test_what_was_understood_of_a_watch_is_edited_where_it_stands():
    async with echo_service() as service, browser() as chromium, service.client() as client:
        sees(service)
        at = f"/v1/watches/{(await add(client))['id']}"
        async with page_of(service, chromium) as page:
            await page.click("#bell")
            edit = page.get_by_role("button", name="Edit: Tell me when a person is at the door")
            editor = page.get_by_role("form", name="Edit: Tell me when")
            seen, unseen = (page.get_by_label(f"Add what {what} seen").and_(page.locator("input"))
                            for what in ("has to be", "must not be"))  # fmt: skip

            await edit.press("Enter")
            await editor.get_by_role("button", name="Remove person").click()
            await seen.press("Escape")
            await edit.and_(page.locator(":focus")).wait_for()
            assert (await client.get(at)).json()["understood"] == "a person"

            await edit.press("Enter")
            await editor.get_by_role("button", name="Remove person").press("Enter")
            await seen.fill("flurble")
            await seen.press("Enter")
            await editor.get_by_text('"flurble" is not in the model\'s vocabulary').wait_for()
            await seen.fill("two red cars or dogs")
            await seen.press("Enter")
            await editor.locator(".words").get_by_text("at least 2").wait_for()
            await editor.get_by_role("button", name="Remove dog").press("Enter")
            await unseen.fill("cat")  # not added: what was typed is meant, too
            await editor.get_by_label("Has to last").fill("5")
            await editor.get_by_label("ask the model").check()

            other = await client.patch(at, json={"refractory_s": 7})
            await editor.get_by_role("button", name="Save").press("Enter")
            await editor.get_by_text("It is now: a person. Save again").wait_for()
            assert (await client.get(at)).json() == other.json()
            await editor.get_by_role("button", name="Save").press("Enter")
            row = page.locator("#watch-list li")
            said = "at least two red cars and no cats, for 5 seconds"
            await row.filter(has_text=said).wait_for()
            await edit.and_(page.locator(":focus")).wait_for()
            saved = (await client.get(at)).json()
            assert (saved["understood"], saved["verify"]) == (said, True)
            assert saved["refractory_s"] == 7, "what the person left is as the other client set it"


LISTEN = """permission => {
    window.notes = [];
    window.tones = 0;
    const seen = document.documentElement.dataset;
    window.Notification = class {
        static permission = "default";
        static async requestPermission() { return Notification.permission = permission; }
        constructor(title, about) {
            notes.push(`${title} | ${about.body.split(",")[0]}`);
            seen.notes = notes.length;
        }
    };
    const Tone = OscillatorNode;
    window.OscillatorNode = class extends Tone {
        start(at) { super.start(at); seen.tones = window.tones += 1; }
    };
}"""


@asynccontextmanager
async def listening(service, chromium, permission):
    """Yield the page with its watches open, which notes what it plays and of what it notifies."""
    service.engine.things_of = lambda c: [Thing(PERSON)] if c.values.any() else []
    await service.store.begin("door", 1e9)
    async with service.client() as client, page_of(service, chromium, "/#door") as page:
        reply = await client.post("/v1/watches", json={"question": "a <i>person</i>"})
        assert reply.status_code == 201
        await page.wait_for_selector("#bell[data-looked]")
        await page.evaluate(LISTEN, permission)
        await page.click("#bell")
        yield page


async def test_an_event_is_notified_and_heard_once_by_who_wished_it():
    async with (
        echo_service() as service,
        browser() as chromium,
        listening(service, chromium, "granted") as page,
    ):
        await page.check("#watch-notify")
        await page.check("#watch-sound")
        assert await page.evaluate("tones") == 2, "the sound is heard when it is chosen"
        await show(service, 0, 1, 1, 1)
        await page.wait_for_selector("html[data-notes='1']", state="attached")
        await page.locator("#alert-list li").wait_for()
        assert await page.evaluate("notes") == ["a <i>person</i> | door"]
        assert await page.evaluate("tones") == 4
        assert await page.locator("#alert-list i").count() == 0


async def test_an_event_is_told_also_after_a_younger_one_and_by_a_clock_that_is_wrong():
    async with (
        echo_service() as service,
        browser() as chromium,
        listening(service, chromium, "granted") as page,
    ):
        await page.check("#watch-notify")
        watcher = service.services.watcher
        for told, (key, at) in enumerate((("event_b", 20.0), ("event_a", 10.0)), 1):
            event = Event(key, "w", key, "door", at, 0.0, 1.0, 1.0, open=True, peak=1.0)
            await watcher.book.note(event)
            watcher._alerts.publish(event)
            await page.wait_for_selector(f"html[data-notes='{told}']", state="attached")
        assert await page.evaluate("notes") == ["event_b | door", "event_a | door"]


async def test_an_event_that_is_told_again_after_many_others_is_notified_once():
    def event(key, at, *, open_):
        return Event(key, "w", key, "door", at, 0.0, 1.0, 1.0, open=open_, peak=1.0)

    async with (
        echo_service() as service,
        browser() as chromium,
        listening(service, chromium, "granted") as page,
    ):
        await page.check("#watch-notify")
        first = event("event_a", 1.0, open_=True)
        others = [event(f"event_{number}", 10.0 + number, open_=False) for number in range(50)]
        again = [replace(first, open=False), first, event("event_z", 99.0, open_=True)]
        for told in (first, *others, *again):
            await service.services.watcher.book.note(told)
            service.services.watcher._alerts.publish(told)
        await page.wait_for_selector("html[data-notes='52']", state="attached")
        notes = await page.evaluate("notes")
        assert notes.count("event_a | door") == 1
        assert notes[-1] == "event_z | door"


async def test_a_browser_that_does_not_allow_notifications_says_so_and_rings_all_the_same():
    async with (
        echo_service() as service,
        browser() as chromium,
        listening(service, chromium, "denied") as page,
    ):
        await page.check("#watch-sound")
        await page.click("#watch-notify")
        await page.locator("text=does not allow notifications").wait_for()
        assert not await page.is_checked("#watch-notify")
        await show(service, 0, 1, 1, 1)
        await page.wait_for_selector("html[data-tones='4']", state="attached")
        assert await page.evaluate("notes") == []
