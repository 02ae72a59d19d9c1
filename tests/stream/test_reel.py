"""The newest pictures of a stream."""

import asyncio

import pytest

from memory.store import Moment
from stream import reel as reel_module
from stream.reel import Reel
from tests.stream.fakes import picture


@pytest.fixture
async def reel():
    kept = Reel(10.0)
    running = asyncio.create_task(kept.run())
    yield kept
    kept.close()
    await running


async def shown(reel, *times):
    for time in times:
        reel.push(time, picture())
        reel.rest()  # else a picture that is passed over would be waited for
        await reel.reached(time)


def times(reel):
    return [still.time for still in reel.stills(-1e9, 1e9)]


async def test_so_many_seconds_are_kept_and_no_more(reel):
    await shown(reel, *range(15))
    assert times(reel) == list(range(4, 15))
    assert [still.time for still in reel.stills(6, 8)] == [6, 7, 8]
    assert reel.stills(6, 6)[0].jpeg.startswith(b"\xff\xd8")


async def test_of_ten_pictures_a_second_every_other_is_kept(reel):
    await shown(reel, *(n / 10 for n in range(11)))
    assert times(reel) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]


async def test_it_never_takes_more_than_its_bytes(reel, monkeypatch):
    await shown(reel, 0)
    monkeypatch.setattr(reel_module, "_MOST_BYTES", 3 * reel.bytes)
    await shown(reel, *range(1, 9))
    assert times(reel) == [6, 7, 8]


async def test_what_is_forgotten_is_gone_also_on_its_way(reel):
    await shown(reel, 1, 2, 3)
    reel.push(2.5, picture())
    reel.forget(Moment(2, 2.9))
    await shown(reel, 4)
    assert times(reel) == [1, 3, 4]
    assert reel.bytes == sum(len(still.jpeg) for still in reel.stills(0, 9))
    assert reel.has_forgotten(0, 2)
    assert not reel.has_forgotten(3, 4)


async def test_who_waits_for_a_picture_is_told_when_none_comes_any_more(reel):
    await shown(reel, 1)
    reel.push(2, picture())
    waiting = asyncio.create_task(reel.reached(5))
    await reel.reached(2)
    assert not waiting.done()
    reel.rest()
    await waiting


async def test_nothing_is_kept_that_nobody_may_ask_for():
    for reel in (Reel(0.0), Reel(10.0, lambda: False)):
        reel.push(1, picture())
        assert reel.lost == 0
        await reel.reached(1)  # there is nothing to wait for


async def test_what_comes_too_fast_loses_the_oldest_and_is_counted():
    reel = Reel(10.0)
    for time in range(6):
        reel.push(time, picture())
    assert reel.lost == 2
    reel.close()
