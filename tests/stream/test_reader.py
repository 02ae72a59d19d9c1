import asyncio

import pytest

from model.types import Finish, Question
from stream.live import LiveSettings
from stream.reader import NoVideo, VideoFile, feed_file
from stream.registry import Registry
from tests.stream.fakes import FakeEngine, FakeStore
from tests.stream.videos import write_video


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
async def live(store):
    clock = asyncio.get_running_loop().time
    registry = Registry(
        engine=FakeEngine(),
        store=store,
        settings=LiveSettings(first_rate=2.0),
        wall=clock,
        monotonic=clock,
    )
    yield await registry.open("film")
    await registry.close()


async def test_a_file_is_seen_to_its_end_at_its_own_times(live, store, tmp_path):
    film = write_video(tmp_path / "film.mp4", seconds=20.0)
    seen = []
    await feed_file(film, live, progress=lambda at, length: seen.append((at, length)))
    await live.settle()
    moments = await store.moments("film")
    assert (moments[0].start, moments[-1].end) == (0.0, pytest.approx(19.5, abs=0.2))
    assert len(moments) == 10
    assert live.status().lost.total == 0
    assert seen[-1] == (pytest.approx(19.5, abs=0.2), pytest.approx(20.0, abs=0.2))
    pieces = [piece async for piece in live.ask(Question("What?"))]
    assert isinstance(pieces[-1], Finish)


async def test_the_last_seconds_keep_their_times(live, store, tmp_path):
    film = write_video(tmp_path / "film.mp4", seconds=20.0)
    await feed_file(film, live, last=6.0)
    await live.settle()
    moments = await store.moments("film")
    assert moments[0].start == pytest.approx(14.0, abs=0.2)


async def test_in_real_time_media_time_is_the_clocks(live, store, tmp_path):
    film = write_video(tmp_path / "film.mp4", seconds=1.0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await feed_file(film, live, paced=True)
    assert loop.time() - began >= 0.9
    await live.settle()
    assert len(await store.moments("film")) == 1


async def test_times_count_from_the_beginning_whatever_the_file_calls_it(live, store, tmp_path):
    film = write_video(tmp_path / "film.ts", seconds=4.0, container={"output_ts_offset": "90000"})
    await feed_file(film, live)
    await live.settle()
    moments = await store.moments("film")
    assert moments[0].start == pytest.approx(0.0, abs=0.2)
    assert len(moments) == 2


async def test_a_damaged_file_is_seen_as_far_as_it_goes(live, store, tmp_path):
    film = write_video(tmp_path / "film.ts", seconds=8.0, codec="mpeg2video")
    data = bytearray(film.read_bytes())
    data[len(data) // 3 : len(data) // 2] = b"\x55" * (len(data) // 2 - len(data) // 3)
    film.write_bytes(data)
    await feed_file(film, live)
    await live.settle()
    assert len(await store.moments("film")) >= 2


@pytest.mark.parametrize(("name", "content"), [("text.mp4", b"no film at all"), ("empty.mp4", b"")])
async def test_a_file_that_is_no_video_is_named(live, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NoVideo, match=name):
        await feed_file(path, live)


async def test_a_missing_file_is_named(live, tmp_path):
    with pytest.raises(NoVideo, match="nowhere"):
        await feed_file(tmp_path / "nowhere.mp4", live)


async def test_a_file_says_how_long_and_how_large_it_is(tmp_path):
    film = write_video(tmp_path / "film.mp4", seconds=2.0, size=(96, 64))
    async with VideoFile(film) as file:
        assert (file.film.width, file.film.height) == (96, 64)
        assert file.film.length == pytest.approx(2.0, abs=0.1)
