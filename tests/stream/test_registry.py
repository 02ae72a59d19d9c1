import asyncio

import pytest

from memory.store import StoreUnavailable
from stream.live import LiveSettings
from stream.registry import BadName, Registry, TooManyStreams, UnknownStream
from tests.stream.fakes import FakeEngine, FakeStore, HandClock, show, tokens

SETTINGS = LiveSettings(retry_after=0.01, close_within=0.5)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
async def registry(store, engine, clock):
    registry = Registry(
        engine=engine,
        store=store,
        settings=SETTINGS,
        wall=clock,
        monotonic=clock,
        capacity=2,
        idle=1,
    )
    yield registry
    await registry.close()


@pytest.mark.parametrize("name", ["", "a" * 65, "a b", "../x", "é", "a\n", "{a}"])
async def test_names_that_could_mean_something_else_are_refused(registry, name):
    for call in (registry.open, registry.find, registry.forget):
        with pytest.raises(BadName):
            await call(name)


async def test_the_same_name_is_the_same_stream(registry):
    first, second = await asyncio.gather(registry.open("a"), registry.open("a"))
    assert first is second


async def test_only_streams_with_a_source_take_places(registry):
    first = (await registry.open("a")).open_feed("webrtc")
    (await registry.open("b")).open_feed("webrtc")
    with pytest.raises(TooManyStreams, match="2 places"):
        await registry.open("c")
    assert await registry.open("a")
    first.close("The sender left.")
    (await registry.open("c")).open_feed("webrtc")


async def test_a_place_taken_between_opening_and_feeding_is_refused_too(registry):
    streams = [await registry.open(name) for name in "abc"]
    streams[0].open_feed("webrtc")
    streams[1].open_feed("webrtc")
    with pytest.raises(TooManyStreams):
        streams[2].open_feed("webrtc")
    assert streams[0].open_feed("webrtc")


async def test_a_stream_nobody_knows_is_unknown(registry):
    with pytest.raises(UnknownStream, match="nobody"):
        await registry.find("nobody")


async def test_a_remembered_stream_is_found_and_goes_on_where_it_ended(registry, store, clock):
    await store.begin("old", clock() - 3600)
    await store.append("old", tokens(0.0, 1.5), b"")
    live = await registry.find("old")
    assert (live.status().state, live.status().clips) == ("ended", 1)
    show(live.open_feed("webrtc"), clock, seconds=2.0)
    await live.settle()
    assert (await store.moments("old"))[-1].start == pytest.approx(3600)


async def test_streams_without_a_source_make_room(registry):
    for i in range(10):
        (await registry.open(f"s{i}")).open_feed("webrtc").close("The sender left.")
    assert len(registry._streams) <= 3
    assert (await registry.find("s0")).name == "s0"


async def test_the_list_shows_live_and_remembered_streams_in_order(registry, store, clock):
    await store.begin("zoo", clock())
    (await registry.open("bar")).open_feed("webrtc")
    assert [(s.name, s.state) for s in await registry.list()] == [
        ("bar", "connecting"),
        ("zoo", "ended"),
    ]
    store.away = True
    assert [s.name for s in await registry.list()] == ["bar"]


async def test_a_forgotten_stream_is_gone_everywhere(registry, store, engine, clock):
    live = await registry.open("a")
    feed = live.open_feed("webrtc")
    show(feed, clock, seconds=2.0)
    await live.settle()
    await registry.forget("a")
    assert feed.closed
    assert await store.streams() == []
    assert engine.reach("a") is None
    with pytest.raises(UnknownStream):
        await registry.find("a")


async def test_a_new_stream_is_refused_while_the_store_is_away(registry, store):
    store.away = True
    with pytest.raises(StoreUnavailable):
        await registry.open("a")
    store.away = False
    assert await registry.open("a")


async def test_the_trouble_of_one_stream_does_not_reach_another(registry, engine, clock):
    one, other = await registry.open("one"), await registry.open("other")
    feed = other.open_feed("webrtc")
    one.open_feed("webrtc").close("The sender left.")
    show(feed, clock, seconds=2.0)
    await other.settle()
    assert other.status().clips == 1
    assert one.status().clips == 0
