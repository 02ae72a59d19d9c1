import asyncio

import pytest

from memory.errors import StoreUnavailable
from stream.errors import BadInput, NoRoom, UnknownStream
from stream.settings import StreamSettings
from tests.stream.fakes import show, tokens

SETTINGS = StreamSettings(retry_after=0.01, close_within=30)


@pytest.fixture
def registry(registry_of, clock):
    return registry_of(SETTINGS, wall=clock, monotonic=clock, capacity=2, idle=1, kept=20)


@pytest.mark.parametrize("name", ["", "a" * 65, "a b", "../x", "é", "a\n", "{a}"])
async def test_names_that_could_mean_something_else_are_refused(registry, name):
    for call in (registry.open, registry.find, registry.forget):
        with pytest.raises(BadInput):
            await call(name)


async def test_the_same_name_is_the_same_stream(registry):
    first, second = await asyncio.gather(registry.open("a"), registry.open("a"))
    assert first is second


async def test_only_streams_with_a_source_take_places(registry):
    first = (await registry.open("a")).open_feed("webrtc")
    (await registry.open("b")).open_feed("webrtc")
    with pytest.raises(NoRoom, match="2 places"):
        await registry.open("c")
    assert await registry.open("a")
    first.close("The sender left.")
    (await registry.open("c")).open_feed("webrtc")


async def test_a_place_taken_between_opening_and_feeding_is_refused_too(registry):
    streams = [await registry.open(name) for name in "abc"]
    streams[0].open_feed("webrtc")
    streams[1].open_feed("webrtc")
    with pytest.raises(NoRoom):
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


async def test_the_stream_asked_for_longest_ago_makes_room_first(registry):
    for name in "abc":
        await registry.open(name)
    asked_for = await registry.find("a")
    await registry.open("d")
    assert await registry.find("a") is asked_for
    assert sorted(registry._streams) == ["a", "c", "d"]


async def test_the_list_shows_live_and_remembered_streams_in_order(registry, store, clock):
    await store.begin("zoo", clock())
    (await registry.open("bar")).open_feed("webrtc")
    assert [(s.name, s.state) for s in await registry.list()] == [
        ("bar", "connecting"),
        ("zoo", "ended"),
    ]
    store.away = True
    assert [s.name for s in await registry.list()] == ["bar"]


async def test_the_list_comes_in_parts_in_order_of_name(registry, store, clock):
    for name in ("a", "c", "e"):
        await store.begin(name, clock())
    for name in ("b", "d"):
        (await registry.open(name)).open_feed("webrtc")

    async def names(*args):
        return [status.name for status in await registry.list(*args)]

    assert await names() == ["a", "b", "c", "d", "e"]
    assert await names("", 2) == ["a", "b"]
    assert await names("b", 2) == ["c", "d"]
    assert await names("d", 2) == ["e"]
    assert await names("e", 2) == []


async def test_the_list_says_of_a_remembered_stream_what_it_says_itself(registry, store, clock):
    await store.begin("old", clock() - 3600)
    await store.append("old", tokens(0.0, 1.5), b"")
    [listed] = await registry.list()
    assert registry._streams == {}, "nothing is opened for the list"
    assert listed == (await registry.find("old")).status()


async def test_no_new_stream_is_begun_once_as_many_are_remembered_as_may_be(registry, store, clock):
    for i in range(20):
        await store.begin(f"s{i}", clock())
        await store.append(f"s{i}", tokens(0.0, 1.5), b"")
    with pytest.raises(NoRoom, match="20 streams are remembered"):
        await registry.open("new")
    assert await registry.open("s3"), "one that is remembered goes on"
    await registry.forget("s5")
    assert await registry.open("new")


async def test_streams_that_never_showed_anything_give_way_to_new_ones(registry, store, clock):
    for i in range(18):
        await store.begin(f"empty{i}", clock())
    await store.begin("full", clock())
    await store.append("full", tokens(0.0, 1.5), b"")
    (await registry.open("fed")).open_feed("webrtc")
    await registry.open("new")
    assert [record.name for record in await store.streams()] == ["fed", "full", "new"]


@pytest.fixture
async def deleting(registry, engine, clock):
    """Delete stream `a` while its encoder is slow."""
    show((await registry.open("a")).open_feed("webrtc"), clock, seconds=2.0)
    engine.gate.clear()
    await engine.encoding.wait()
    task = asyncio.create_task(registry.forget("a"))
    await asyncio.sleep(0)
    yield task
    engine.gate.set()
    await task


async def test_a_stream_that_is_slow_to_close_keeps_no_other_waiting(registry, deleting):
    assert await registry.open("b")
    assert await registry.find("b")
    assert [status.name for status in await registry.list()] == ["a", "b"]
    await registry.forget("b")
    assert not deleting.done()


async def test_the_same_name_opens_anew_once_its_old_stream_is_closed(
    registry, engine, store, deleting
):
    opening = asyncio.create_task(registry.open("a"))
    await registry.open("b")
    assert not opening.done()
    engine.gate.set()
    live = await opening
    assert deleting.done()
    assert live.status().clips == 0
    assert await store.find("a") is not None


async def test_a_store_that_is_slow_about_one_name_keeps_no_other_waiting(registry, store):
    begin, asked, answers = store.begin, asyncio.Event(), asyncio.Event()

    async def slow(stream, now):
        if stream == "slow":
            asked.set()
            await answers.wait()
        return await begin(stream, now)

    store.begin = slow
    opening = asyncio.create_task(registry.open("slow"))
    await asked.wait()
    assert await registry.open("b")
    assert not opening.done()
    answers.set()
    assert (await opening).name == "slow"


async def test_a_forgotten_stream_is_gone_everywhere(registry, store, engine, clock):
    live = await registry.open("a")
    feed = live.open_feed("webrtc")
    show(feed, clock, seconds=2.0)
    await live.settle()
    await registry.forget("a")
    assert feed.closed
    assert await store.streams() == []
    assert engine.histories.reach("a") is None
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
