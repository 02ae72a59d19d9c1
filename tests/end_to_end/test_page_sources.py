"""The page's form for addresses, and its wall of live streams, clicked in a real Chromium."""

import itertools

import pytest

from tests.end_to_end.conftest import browser
from tests.end_to_end.test_page import LIVE, page_of, serving
from tests.stream.http_server import Site, send_pictures, serve
from tests.stream.videos import write_video

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LOOPBACK = {"FLASHBACK_ALLOWED_SOURCE_NETWORKS": "127.0.0.0/8"}
SECRET = "hunter2"


class Sources:
    """What there is to add: a film, a camera that can be unplugged, and something else."""

    def __init__(self, film, pictures):
        self.site = Site()
        self.site.file("/film.mp4", film, "video/mp4")
        self.site.file("/words", b"no picture in here " * 500, "text/plain")
        self.url = ""
        self._pictures = pictures
        self.plug(True)

    def plug(self, there):
        """Let the camera be there or not."""
        self._there = there
        if there:
            self.site.answers["/cam"] = self._film
        else:
            del self.site.answers["/cam"]

    def _film(self, handler):
        gone = self.site.left
        pictures = itertools.cycle(self._pictures)
        send_pictures(handler, pictures, lambda: gone.wait(0.1) or not self._there)

    def secret(self, path):
        return self.url.replace("//", f"//ann:{SECRET}@") + f"{path}?key={SECRET}"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A film, and two pictures of a camera."""
    folder = tmp_path_factory.mktemp("sources")
    film = write_video(folder / "film.mp4", seconds=60, size=(320, 180), rate=10)
    data = write_video(folder / "two.mjpeg", seconds=0.2, codec="mjpeg").read_bytes()
    second = data.index(b"\xff\xd8\xff", 2)
    return film.read_bytes(), [data[:second], data[second:]]


@pytest.fixture
def sources(shown):
    made = Sources(*shown)
    with serve(made.site) as url:
        made.url = url
        yield made


async def open_form(page):
    await page.click("#pick-url")
    await page.wait_for_selector("#add:not([hidden])")


async def test_address(page, url):
    """Press Test; return what the page then says, and how it is meant."""
    await page.fill("#add-url", url)
    await page.click("#add-test")
    await page.wait_for_selector("#add-result[data-kind]:not([data-kind=''])")
    result = page.locator("#add-result")
    return await result.inner_text(), await result.get_attribute("data-kind")


test_address.__test__ = False


async def add(page, name, url):
    """Add a source by the form; the page turns to it."""
    if not await page.is_visible("#add"):
        await open_form(page)
    await page.fill("#add-name", name)
    await page.fill("#add-url", url)
    await page.click("#add button[type=submit]")
    await page.wait_for_selector("#picker", state="hidden")


def tile(page, name):
    return page.locator("#streams li", has_text=name)


async def test_the_test_button_says_what_an_address_is_or_why_not(tmp_path, sources):
    async with (
        serving(tmp_path, **LOOPBACK) as service,
        browser() as chromium,
        page_of(service, chromium) as page,
    ):
        await open_form(page)
        said, kind = await test_address(page, sources.secret("/film.mp4"))
        assert kind == "good", said
        assert all(word in said for word in ("mpeg4", "320", "180", "10 pictures a second")), said
        for path, words in (
            ("/gone.mp4", "nothing at this path"),
            ("/words", "is text, not video"),
        ):
            said, kind = await test_address(page, sources.secret(path))
            assert kind == "bad", said
            assert words in said
            assert SECRET not in said
        said, kind = await test_address(page, "rtsp://127.0.0.1:9/cam")
        assert kind == "bad"
        assert "nobody answers" in said
        assert await page.locator("#streams li").count() == 0, "a test adds nothing"


async def test_an_address_of_a_private_network_is_refused_with_the_reason(tmp_path, sources):
    async with (
        serving(tmp_path) as service,
        browser() as chromium,
        page_of(service, chromium) as page,
    ):
        await open_form(page)
        said, kind = await test_address(page, sources.secret("/film.mp4"))
        assert kind == "bad"
        assert "private network" in said
        assert SECRET not in said


async def test_a_source_is_added_watched_lost_found_again_and_removed(tmp_path, sources):
    async with (
        serving(tmp_path, **LOOPBACK) as service,
        browser() as chromium,
        page_of(service, chromium) as page,
    ):
        await add(page, "yard", sources.secret("/cam"))
        await page.wait_for_selector("#video[data-playing]")
        await page.wait_for_selector(".moment >> nth=0")
        await page.wait_for_selector(LIVE)

        await page.click("#change")
        assert await page.is_disabled("#send"), "nothing is being watched that could be asked about"
        yard = tile(page, "yard")
        await yard.locator(".dot[data-state=live]").wait_for()
        await yard.locator("img[src*='newest.jpg']").wait_for(state="attached")
        width = "image => image.decode().then(() => image.naturalWidth)"
        assert await yard.locator("img").evaluate(width) > 0, "a thumbnail comes"
        await yard.locator("video[data-playing]").wait_for()

        sources.plug(False)
        await yard.locator(".dot[data-state=retrying]").wait_for()
        why = await yard.locator(".why").inner_text()
        assert "next try" in why
        await yard.locator("video:not([data-playing])").wait_for()
        sources.plug(True)
        await yard.locator(".dot[data-state=live]").wait_for()
        await yard.locator("video[data-playing]").wait_for()
        assert SECRET not in await page.content()

        await yard.hover()
        await yard.locator(".remove").click()
        await page.click("#removal button[value=keep]")
        assert await yard.count() == 1
        await yard.hover()
        await yard.locator(".remove").click()
        await page.click("#removal button[value=remove]")
        await yard.wait_for(state="detached")


async def test_a_dead_address_shows_its_state_and_why(tmp_path, sources):
    async with (
        serving(tmp_path, **LOOPBACK) as service,
        browser() as chromium,
        page_of(service, chromium) as page,
    ):
        await add(page, "dead", sources.secret("/nothing"))
        await page.wait_for_selector("#caption:not([hidden]):has-text('next try')")
        assert await page.inner_text("#fact-state") == "Retrying"
        assert SECRET not in await page.inner_text("#caption")
        await page.click("#change")
        dead = tile(page, "dead")
        await dead.locator(".why:has-text('next try')").wait_for()
        assert "retrying" in await dead.locator(".what").inner_text()
        assert SECRET not in await page.content()


async def test_a_name_taken_or_unfit_is_said_and_nothing_is_added(tmp_path, sources):
    async with (
        serving(tmp_path, **LOOPBACK) as service,
        browser() as chromium,
        page_of(service, chromium) as page,
    ):
        await add(page, "yard", sources.url + "/film.mp4")
        await page.click("#change")
        await open_form(page)
        for name, url in (("back yard", "rtsp://camera.example/x"), ("b", "camera.example/x")):
            await page.fill("#add-name", name)
            await page.fill("#add-url", url)
            await page.click("#add button[type=submit]")
            assert await page.locator("#add input:invalid").count() == 1
        await page.fill("#add-name", "yard")
        await page.fill("#add-url", sources.url + "/cam")
        await page.click("#add button[type=submit]")
        await page.wait_for_selector("#add-result:has-text('has a source already')")
        assert await page.locator("#streams li").count() == 1


async def test_six_streams_play_at_once_and_hang_up_when_left(tmp_path, sources):
    named = [f"cam-{place}" for place in range(7)]
    arguments = itertools.chain(*(("--source", f"{n}={sources.url}/film.mp4") for n in named))
    async with (
        serving(tmp_path, *arguments) as service,
        browser() as chromium,
        page_of(service, chromium) as page,
    ):
        playing = page.locator("#streams video[data-playing]")
        await playing.nth(5).wait_for()
        assert await playing.count() == 6, "the seventh shows its thumbnail"
        size = "[...document.querySelectorAll('#streams video')].filter(v => v.videoWidth).length"
        assert await page.evaluate(size) == 6
        async with page.expect_event(
            "response", lambda r: r.request.method == "DELETE" and "/whep/" in r.url
        ):
            await tile(page, "cam-0").locator(".tile").click()
        await page.wait_for_selector("#video[data-playing]")
        held = "[...document.querySelectorAll('#streams video')].filter(v => v.srcObject).length"
        assert await page.evaluate(held) == 0
