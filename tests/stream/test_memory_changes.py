"""What a stream makes of memory that changes behind its back, and of an end in the middle of work."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
import torch

from memory.errors import StoreUnavailable
from model.errors import NothingSeen
from model.types import ClipTokens, Encoded, Question, Words
from stream.errors import UnknownStream
from stream.registry import Registry
from stream.settings import StreamSettings
from stream.status import Changed
from tests.stream.fakes import picture, show, until, watch

SETTINGS = StreamSettings(rate=2.0, first_rate=2.0, retry_after=0.01, close_within=30)


@pytest.fixture
def registry(registry_of, clock):
    return registry_of(SETTINGS, wall=clock, monotonic=clock, capacity=2, idle=0)


@pytest.fixture
async def live(registry):
    return await registry.open("yard")


@pytest.fixture
def hurried(registry_of, clock):
    """A registry that waits for next to nothing when it is closed."""
    return registry_of(replace(SETTINGS, close_within=0.2), wall=clock, monotonic=clock)


async def answer(live):
    async with aclosing(live.ask(Question("What?"))) as pieces:
        return "".join([piece.text async for piece in pieces if isinstance(piece, Words)])


async def test_a_fed_stream_that_memory_lost_is_remembered_again_from_then_on(live, store, clock):
    began = live.status().began
    feed = live.open_feed("webrtc")
    await watch(live, feed, clock, seconds=4.0)
    assert await answer(live) == "2 clips"
    store.lose()
    await watch(live, feed, clock, seconds=2.0)
    assert not feed.closed
    assert (await store.find("yard")).began == began
    assert (live.status().clips, live.status().memory) == (1, None)
    assert await answer(live) == "1 clips", "of what is remembered, not of what was lost"


async def test_a_stream_that_another_process_deletes_stays_deleted(registry, live, store, clock):
    feed = live.open_feed("webrtc")
    await watch(live, feed, clock, seconds=4.0)
    await store.forget("yard")
    show(feed, clock, seconds=2.0)
    await live.settle()
    assert (feed.closed, feed.reason) == (True, "The stream was deleted.")
    assert await store.streams() == []
    with pytest.raises(UnknownStream):
        await registry.find("yard")
    again = await registry.open("yard")
    assert again is not live
    await watch(again, again.open_feed("webrtc"), clock, seconds=2.0)
    assert (await store.find("yard")).clips == 1


async def test_a_stream_that_was_deleted_while_memory_was_away_is_not_begun_by_what_waits(
    registry, live, store, clock
):
    feed = live.open_feed("webrtc")
    await watch(live, feed, clock, seconds=2.0)
    store.away = True
    show(feed, clock, seconds=2.0)
    await live.looked()
    store.away = False
    await store.forget("yard")
    await live.settle()
    assert feed.closed
    assert await store.streams() == []


async def test_a_source_that_connects_to_a_stream_deleted_at_rest_begins_it_anew(
    registry, live, store, clock
):
    feed = live.open_feed("webrtc")
    await watch(live, feed, clock, seconds=2.0)
    feed.close("The sender left.")
    await store.forget("yard")
    clock.now += 100.0
    again = await registry.open("yard")
    assert again is not live
    assert again.status().began > 1100.0


async def test_what_is_learnt_is_what_memory_keeps(registry, live, engine, store, clock):
    append = store.append

    async def rounded(*args):
        kept = await append(*args)
        return replace(kept, values=torch.zeros(1, 3))

    store.append = rounded
    await watch(live, live.open_feed("webrtc"), clock, seconds=2.0)
    assert torch.equal(engine.histories.held["yard"][0].values, torch.zeros(1, 3))


async def test_a_stream_at_rest_that_memory_lost_is_not_answered_from_its_history(
    registry, live, store, clock
):
    feed = live.open_feed("webrtc")
    await watch(live, feed, clock, seconds=4.0)
    feed.close("The sender left.")
    assert await answer(live) == "2 clips"
    store.lose()
    with pytest.raises(NothingSeen):
        await answer(live)
    [status] = await registry.list()
    assert (status.clips, status.end) == (0, None)


async def test_the_list_takes_nothing_back_that_was_remembered_while_it_was_asked_for(
    registry, live, store, clock
):
    feed = live.open_feed("webrtc")
    await watch(live, feed, clock, seconds=2.0)
    streams = store.streams

    async def slow(*args):
        found = await streams(*args)
        await watch(live, feed, clock, seconds=2.0)
        return found

    store.streams = slow
    [status] = await registry.list()
    assert status.clips == len(await store.moments("yard")) == 2


async def test_a_clip_written_twice_because_its_reply_was_lost_counts_once(live, store, clock):
    append = store.append

    async def deaf(*args):
        store.append = append
        await append(*args)
        raise StoreUnavailable("The store did not answer in time.")

    store.append = deaf
    await watch(live, live.open_feed("webrtc"), clock, seconds=2.0)
    assert live.status().clips == len(await store.moments("yard")) == 1
    assert await answer(live) == "1 clips"


async def test_a_clip_that_was_written_but_counted_as_lost_is_answered_from(
    registry, engine, store, clock
):
    settings = replace(SETTINGS, unwritten_clips=1)
    registry = Registry(engine=engine, store=store, settings=settings, wall=clock, monotonic=clock)
    live = await registry.open("yard")
    feed = live.open_feed("webrtc")
    await watch(live, feed, clock, seconds=2.0)
    assert await answer(live) == "1 clips"
    append, lost = store.append, asyncio.Event()

    async def deaf(*args):
        await append(*args)
        await lost.wait()
        raise StoreUnavailable("The store did not answer in time.")

    store.append = deaf
    show(feed, clock, seconds=2.0)
    await store.written.wait()
    store.written.clear()
    await store.written.wait()
    show(feed, clock, seconds=2.0)
    store.append = append
    lost.set()
    await live.settle()
    assert live.status().clips == len(await store.moments("yard")) == 3
    assert await answer(live) == "3 clips"
    await registry.close()


async def test_a_history_is_not_made_anew_from_a_stream_that_was_deleted(
    registry, engine, store, clock
):
    live = await registry.open("yard")
    feed = live.open_feed("webrtc")
    await watch(live, feed, clock, seconds=4.0)
    await engine.forget("yard")
    clips, reading, deleted = store.clips, asyncio.Event(), asyncio.Event()

    async def slow(*args, **kwargs):
        async for tokens in clips(*args, **kwargs):
            yield tokens
        reading.set()
        await deleted.wait()

    store.clips = slow
    asking = asyncio.create_task(answer(live))
    await reading.wait()
    await registry.forget("yard")
    deleted.set()
    with pytest.raises(NothingSeen):
        await asking
    assert engine.histories.reach("yard") is None


async def test_a_stream_that_is_being_asked_about_is_not_put_away(registry, live, engine, clock):
    await watch(live, live.open_feed("webrtc"), clock, seconds=2.0)
    live.open_feed("webrtc").close("The sender left.")
    async with aclosing(live.ask(Question("What?"))) as pieces:
        await anext(pieces)
        for name in "abc":
            await registry.open(name)
        assert await registry.find("yard") is live
    for name in "de":
        await registry.open(name)
    assert await registry.find("yard") is not live


async def test_a_source_that_takes_over_at_once_replaces_no_clip(live, store, clock):
    for colour in range(3):
        feed = live.open_feed("webrtc")
        await live.settle()
        feed.push(feed.offer(clock()), picture((colour, 0, 0)))
    live.open_feed("webrtc").close("The sender left.")
    await live.settle()
    assert len(await store.moments("yard")) == 3
    assert await answer(live) == "3 clips"


async def test_files_one_after_another_replace_no_clip(live, store):
    for _ in range(3):
        feed = live.open_feed("file", own_times=True)
        feed.push(feed.offer(0.0), picture())
        feed.close("The file is at its end.")
        await live.settle()
    assert len(await store.moments("yard")) == 3


async def test_a_clip_of_values_that_are_no_numbers_costs_that_clip_alone(
    live, engine, clock, caplog
):
    encode = engine.encode

    async def broken(clip):
        return Encoded(ClipTokens(torch.full((1, 3), float("nan")), clip.start, clip.end), 0.0)

    engine.encode = broken
    feed = live.open_feed("webrtc")
    with live.subscribe() as news:
        await watch(live, feed, clock, seconds=2.0)
        told = await until(lambda e: isinstance(e, Changed) and e.status.memory, news)
    assert "cannot be kept" in told.status.memory
    engine.encode = encode
    await watch(live, feed, clock, seconds=2.0)
    status = live.status()
    assert (status.state, status.clips, status.memory) == ("live", 1, None)
    assert (status.lost.failed, status.lost.total) == (1, 1)


async def test_what_a_slow_encoder_did_not_get_done_before_the_end_is_counted(
    hurried, engine, clock, caplog
):
    live = await hurried.open("yard")
    engine.gate.clear()
    show(live.open_feed("webrtc"), clock, seconds=2.0)
    await engine.encoding.wait()
    show(live.open_feed("webrtc"), clock, seconds=2.0)
    waiting = asyncio.create_task(live.settle())
    await hurried.close()
    await waiting
    assert (live.status().clips, live.status().lost.overload) == (0, 2)
    assert "not encoded" in caplog.text


async def test_what_a_silent_store_did_not_take_before_the_end_is_counted(
    hurried, store, clock, caplog
):
    live = await hurried.open("yard")
    asked = asyncio.Event()

    async def silent(*args):
        asked.set()
        await asyncio.Event().wait()

    store.append = silent
    feed = live.open_feed("webrtc")
    show(feed, clock, seconds=2.0)
    await asked.wait()
    show(feed, clock, seconds=2.0)
    waiting = asyncio.create_task(live.settle())
    await hurried.close()
    await waiting
    assert live.status().lost.unwritten == 2
    assert "2 clips could not be written" in caplog.text


async def test_a_range_is_forgotten_also_of_what_is_on_its_way(
    registry, live, engine, store, clock
):
    feed = live.open_feed("webrtc")
    await watch(live, feed, clock, seconds=6.0)
    store.away = True
    show(feed, clock, seconds=2.0)
    await live.looked()
    store.away = False
    first = (await store.moments("yard"))[0]
    assert await registry.forget_range("yard", first.end + 0.1, float("inf")) >= 2
    await live.settle()
    assert await store.moments("yard") == [first]
    assert live.status().clips == 1
    assert await answer(live) == "1 clips"
    await watch(live, feed, clock, seconds=4.0)
    assert len(await store.moments("yard")) >= 2, "the stream goes on"
    assert not feed.closed


async def test_a_clip_that_lands_while_its_time_is_forgotten_does_not_stay(
    registry, live, store, clock
):
    feed = live.open_feed("webrtc")
    await watch(live, feed, clock, seconds=2.0)
    append, begun, go_on = store.append, asyncio.Event(), asyncio.Event()

    async def slow(*args):
        begun.set()
        await go_on.wait()
        return await append(*args)

    store.append = slow
    show(feed, clock, seconds=2.0)
    await begun.wait()
    await registry.forget_range("yard", 0.0, float("inf"))
    go_on.set()
    await live.settle()
    assert await store.moments("yard") == []


async def test_how_long_a_stream_is_kept_is_in_its_status(registry, live, store):
    status = await registry.keep("yard", 3600.0)
    assert status.held.keep_seconds == 3600.0
    assert (await registry.keep("yard", None)).held.keep_seconds is None
    with pytest.raises(UnknownStream):
        await registry.keep("nobody", 1.0)
