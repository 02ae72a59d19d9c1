"""Films of events: which pictures, where they are kept, and what bounds them."""

import asyncio
from contextlib import asynccontextmanager
from io import BytesIO
from types import SimpleNamespace

import av
import pytest

from memory.local_documents import LocalDocuments
from memory.local_store import LocalStore
from memory.store import Moment
from stream.reel import Reel
from stream.watches.recorder import Recorder
from stream.watches.records import Event
from tests.stream.fakes import picture


def event(key="e", fired=20.0, start=12.0, at=1000.0):
    return Event(key, "w", "a dog?", "yard", at, start, fired, fired, open=True, peak=1.0)


@asynccontextmanager
async def recording(seconds=20.0, most_bytes=2**20, within=60.0):
    store = LocalStore("encoder")
    await store.begin("yard", 0.0)
    work = SimpleNamespace(store=store, reel=Reel(seconds), documents=LocalDocuments())
    reels = {"yard": work.reel}
    work.recorder = Recorder(
        work.documents, store.recordings(), reels.get, most_bytes=most_bytes, timeout=within
    )

    async def show(*times):
        for time in times:
            work.reel.push(time, picture((int(time) * 5, 0, 0)))
            await work.reel.reached(time)

    work.show = show
    tasks = [asyncio.create_task(run) for run in (work.reel.run(), work.recorder.run())]
    try:
        yield work
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def shown(film):
    """Return the times of a film's pictures."""
    with av.open(BytesIO(film)) as container:
        video = container.streams.video[0]
        assert video.codec_context.name == "h264"
        assert video.codec_context.pix_fmt == "yuv420p"
        return [round(float(frame.time), 2) for frame in container.decode(video)]


async def test_a_film_shows_what_was_before_an_event_and_what_comes_after_it():
    async with recording() as work:
        await work.show(*range(21))
        assert work.recorder.begin(event())
        assert work.recorder.coming("e").id == "e"
        assert await work.recorder.kept("yard") == {"e"}
        await work.show(*range(21, 28))
        film = await work.recorder.film(event())
        # From five seconds before it began, 7, to five after it fired, 25; the last one stays for a while.
        assert shown(film) == [*range(19), 18.5]
        assert film.index(b"moov") < film.index(b"mdat")  # it plays before all of it is there
        assert await work.recorder.kept("yard") == {"e"}
        assert work.recorder.coming("e") is None


async def test_what_began_long_ago_is_shown_as_long_as_pictures_are_kept():
    async with recording(seconds=10) as work:
        await work.show(*range(100, 121))
        assert work.recorder.begin(event(fired=120, start=3))
        work.reel.rest()  # its source ends
        assert shown(await work.recorder.film(event())) == [0, 1, 2, 3, 4, 5, 5.5]


async def test_a_source_that_hangs_is_not_waited_for_any_longer():
    async with recording(within=0.0) as work:
        await work.show(*range(10, 21))
        work.recorder.begin(event())
        assert len(shown(await work.recorder.film(event()))) == 12


async def test_without_pictures_there_is_no_film():
    async with recording() as work:
        assert not work.recorder.begin(event())
        assert await work.recorder.film(event()) is None
    async with recording(seconds=0) as work:
        await work.show(20)
        assert not work.recorder.begin(event())


@pytest.mark.parametrize("span", [Moment(0, 13), Moment(22, 23)])
async def test_what_is_forgotten_while_a_film_is_made_is_in_none(span):
    async with recording() as work:
        await work.show(*range(10, 21))
        work.recorder.begin(event())
        await work.show(21, 22, 23)
        work.reel.forget(span)
        await work.show(24, 25)
        assert await work.recorder.film(event()) is None


async def test_the_film_of_a_stream_that_is_deleted_meanwhile_is_not_kept(caplog):
    async with recording() as work:
        await work.show(20)
        work.recorder.begin(event())
        await work.store.forget("yard")
        work.reel.rest()
        assert await work.recorder.film(event()) is None
        assert not caplog.records


async def test_the_oldest_films_make_room_for_new_ones():
    async with recording(most_bytes=20_000) as work:
        await work.show(20)
        work.reel.rest()
        for number in range(5):
            made = event(f"e{number}", at=1000.0 + number)
            work.recorder.begin(made)
            film = await work.recorder.film(made)
        assert len(film) < 20_000 < 5 * len(film)
        kept = await work.recorder.kept("yard")
        assert "e4" in kept
        assert "e0" not in kept
        assert len(kept) * len(film) <= 20_000


async def test_how_many_films_wait_is_bounded():
    async with recording() as work:
        await work.show(20)
        begun = [work.recorder.begin(event(f"e{number}")) for number in range(30)]
        assert begun == [True] * 16 + [False] * 14
        work.reel.rest()
        assert await work.recorder.film(event("e15")) is not None
