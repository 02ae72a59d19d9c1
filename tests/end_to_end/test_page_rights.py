"""The page offers what the token may do, and nothing else, in a real Chromium."""

import pytest

from tests.end_to_end.conftest import browser
from tests.end_to_end.test_page import page_of
from tests.web.conftest import echo_service
from tests.web.test_tokens import by, made

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

OFFERED = {
    "ingest": ("#pick-camera", "#pick-url"),
    "watch": ("#bell", "#board-open", "#past-open", "#streams .tile"),
    "ask": ("#ask",),
    "forget": ("#streams .remove",),
}


async def test_what_a_token_may_not_do_is_not_offered(tmp_path):
    file = tmp_path / "tokens.json"
    wanted = {
        "all": ("admin",),
        "looks": ("watch",),
        "asks": ("watch", "ask"),
        "sends": ("ingest",),
        "forgets": ("watch", "forget"),
    }
    tokens = {name: await made(file, name, may) for name, may in wanted.items()}
    async with echo_service(token_file=file) as service, browser() as chromium:
        await service.remember("door")
        for name, may in wanted.items():
            async with page_of(service, chromium, f"/#token={tokens[name]}") as page:
                await page.locator("#connection[data-state=idle]").wait_for()
                if "watch" in may or "admin" in may:
                    await page.locator("#streams .tile").wait_for()
                for right, parts in OFFERED.items():
                    there = right in may or "admin" in may
                    for part in parts:
                        assert await page.locator(part).is_visible() == there, (name, part)
                lacks = page.locator("[data-lacks=ask]").first
                assert await lacks.is_visible() == (name not in {"all", "asks"})


async def test_who_may_look_but_not_ask_sees_a_stream_and_what_is_new_of_it(tmp_path):
    file = tmp_path / "tokens.json"
    looks = await made(file, "looks", ("watch",), ("door-*",))
    async with echo_service(token_file=file) as service, browser() as chromium:
        await service.remember("door-1")
        async with page_of(service, chromium, f"/#token={looks}") as page:
            await page.click("#streams .tile")
            await page.locator("#strip li").first.wait_for()
            await page.locator("#connection[data-state=open]").wait_for()
            assert await page.locator("#strip li").count() == 1
            await service.remember("door-1", clips=2)
            await page.locator("#strip li").nth(1).wait_for()
            assert not await page.locator("#question").is_visible()
            assert await page.locator("#notice").is_hidden()


async def test_another_token_changes_what_is_offered(tmp_path):
    file = tmp_path / "tokens.json"
    looks = await made(file, "looks", ("watch",))
    everything = await made(file, "everything", ("admin",))
    async with echo_service(token_file=file) as service, browser() as chromium:
        await service.remember("door")
        async with page_of(service, chromium) as page:
            await page.fill("#door-token", looks)
            await page.press("#door-token", "Enter")
            await page.locator("#streams .tile").wait_for()
            assert not await page.locator("#pick-camera").is_visible()
            await page.evaluate("sessionStorage.setItem('flashback.token', '')")
            await page.reload()
            await page.fill("#door-token", everything)
            await page.press("#door-token", "Enter")
            await page.locator("#pick-camera").wait_for()
            await page.locator("#streams .remove").wait_for(state="attached")


async def test_the_page_is_told_what_its_token_may_do(tmp_path):
    file = tmp_path / "tokens.json"
    door = await made(file, "door", ("watch", "ask"), ("door-*",))
    async with echo_service(token_file=file) as service, service.client() as client:
        told = (await client.get("/v1/page", headers=by(door))).json()
        assert (told["may"], told["streams"]) == (["watch", "ask"], ["door-*"])
    async with echo_service() as service, service.client() as client:
        assert "admin" in (await client.get("/v1/page")).json()["may"]
