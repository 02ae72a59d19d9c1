import asyncio
from contextlib import aclosing

import pytest

from model.errors import NothingSeen
from model.types import Finish, Question
from stream.channels import Mailbox
from stream.settings import StreamSettings
from tests.stream.fakes import show

SETTINGS = StreamSettings(rate=2.0, first_rate=2.0, close_within=30, waiting_clips=8)


@pytest.fixture
async def live(registry_of, clock):
    return await registry_of(SETTINGS, wall=clock, monotonic=clock).open("yard")


@pytest.fixture
async def impatient(registry_of, clock):
    settings = StreamSettings(rate=2.0, first_rate=2.0, close_within=30, question_waits=0.01)
    return await registry_of(settings, wall=clock, monotonic=clock).open("yard")


async def usage_of(live, since=None, until=None):
    async with aclosing(live.ask(Question("What?", since=since, until=until))) as pieces:
        found = [piece async for piece in pieces]
    assert isinstance(found[-1], Finish)
    return found[-1].usage


async def test_a_question_is_answered_with_clips_that_are_in_the_encoder_as_it_comes(
    live, engine, clock
):
    show(live.open_feed("webrtc"), clock, seconds=4.0)
    usage = await usage_of(live)
    assert (usage.clips, usage.end, usage.behind) == pytest.approx((2, 3.5, 0.0))


async def test_a_question_about_the_first_clip_does_not_find_that_nothing_was_seen(live, clock):
    show(live.open_feed("webrtc"), clock, seconds=2.0)
    assert (await usage_of(live, since=0.0)).clips == 1


async def test_an_answer_says_how_far_it_is_behind_an_encoder_that_takes_too_long(
    impatient, engine, clock
):
    feed = impatient.open_feed("webrtc")
    show(feed, clock, seconds=2.0)
    await impatient.settle()
    engine.gate.clear()
    show(feed, clock, seconds=2.0)
    usage = await usage_of(impatient)
    assert (usage.clips, usage.end, usage.behind) == pytest.approx((1, 1.5, 2.0))
    engine.gate.set()


async def test_an_answer_says_how_far_it_is_behind_pictures_that_make_no_clip_yet(live, clock):
    feed = live.open_feed("webrtc")
    show(feed, clock, seconds=3.0)
    usage = await usage_of(live)
    assert (usage.end, usage.behind) == pytest.approx((1.5, 1.0))


async def test_a_question_about_what_was_before_does_not_wait_and_lacks_nothing(
    registry_of, engine, clock
):
    settings = StreamSettings(rate=2.0, first_rate=2.0, close_within=30, question_waits=3600)
    live = await registry_of(settings, wall=clock, monotonic=clock).open("yard")
    feed = live.open_feed("webrtc")
    show(feed, clock, seconds=2.0)
    await live.settle()
    engine.gate.clear()
    show(feed, clock, seconds=2.0)
    assert (await usage_of(live, until=1.0)).behind == 0.0
    engine.gate.set()


async def test_an_answer_says_what_memory_that_was_away_has_not_taken_yet(
    registry_of, store, clock
):
    settings = StreamSettings(rate=2.0, first_rate=2.0, retry_after=3600, longest_retry=3600)
    live = await registry_of(settings, wall=clock, monotonic=clock).open("yard")
    feed = live.open_feed("webrtc")
    show(feed, clock, seconds=2.0)
    await live.settle()
    store.away = True
    show(feed, clock, seconds=2.0)
    await live.looked()
    store.away = False
    usage = await usage_of(live)
    assert (usage.clips, usage.behind) == pytest.approx((1, 2.0))


async def test_who_waits_for_an_encoder_does_not_lose_the_stream(registry_of, engine, clock):
    registry = registry_of(SETTINGS, wall=clock, monotonic=clock, capacity=1)
    live = await registry.open("yard")
    engine.gate.clear()
    feed = live.open_feed("webrtc")
    show(feed, clock, seconds=2.0)
    asking = asyncio.create_task(usage_of(live))
    await asyncio.sleep(0)
    assert live.asked
    engine.gate.set()
    assert (await asking).clips == 1
    assert not live.asked


async def test_a_stream_that_was_never_fed_still_says_that_nothing_was_seen(live):
    with pytest.raises(NothingSeen):
        await usage_of(live)


async def test_who_waits_for_a_mailbox_waits_for_what_was_given_before_and_no_longer():
    box = Mailbox[int](4)
    box.put(1)
    box.put(2)
    waiting = asyncio.create_task(box.join())
    await asyncio.sleep(0)
    assert await box.get() == 1
    box.put(3)
    assert await box.get() == 2
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await box.get() == 3
    await waiting
    assert box.unfinished == [3]


async def test_what_a_full_mailbox_lost_is_not_waited_for_but_what_is_in_hand_is():
    box = Mailbox[int](1)
    box.put(1)
    assert await box.get() == 1
    box.put(2)
    waiting = asyncio.create_task(box.join())
    await asyncio.sleep(0)
    box.put(3)
    await asyncio.sleep(0)
    assert not waiting.done()
    box.drop()
    await waiting
    assert (box.unfinished, box.lost) == ([3], 1)
