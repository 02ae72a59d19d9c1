import itertools
from contextlib import aclosing
from io import BytesIO

import pytest
from PIL import Image

from memory.errors import StoreUnavailable
from model.errors import NothingSeen
from model.types import Finish, Question, Words
from stream.registry import Registry
from stream.settings import StreamSettings
from stream.status import Changed, ClipRemembered
from tests.stream.fakes import HandClock, picture, show, until, watch

SETTINGS = StreamSettings(rate=2.0, first_rate=2.0, retry_after=0.01, close_within=30)


@pytest.fixture
def wall():
    return HandClock(1_700_000_000.0)


@pytest.fixture
def registry(registry_of, clock, wall):
    return registry_of(SETTINGS, wall=wall, monotonic=clock, capacity=2)


@pytest.fixture
async def live(registry):
    return await registry.open("yard")


async def answer(live, text="What?"):
    async with aclosing(live.ask(Question(text))) as pieces:
        found = [piece async for piece in pieces]
    assert isinstance(found[-1], Finish)
    return "".join(piece.text for piece in found if isinstance(piece, Words))


async def test_what_was_shown_is_remembered_and_can_be_asked_about(live, store, clock):
    await watch(live, live.open_feed("webrtc"), clock, seconds=4.0)
    await live.settle()
    assert [(m.start, m.end) for m in await store.moments("yard")] == [
        pytest.approx((0, 1.5)),
        pytest.approx((2, 3.5)),
    ]
    assert await answer(live) == "2 clips"


async def test_a_thumbnail_is_a_small_jpeg_of_what_was_shown(live, store, clock):
    feed = live.open_feed("webrtc")
    for _ in range(4):
        feed.push(feed.offer(clock()), picture((250, 0, 0), 480, 640))
        clock.now += 1
    await live.settle()
    [moment] = await store.moments("yard")
    image = Image.open(BytesIO(await store.thumbnail("yard", moment.start)))
    assert (image.format, image.size) == ("JPEG", (160, 120))
    assert image.getpixel((80, 60))[0] > 200


async def test_a_question_before_the_first_clip_says_that_nothing_was_seen(live):
    with pytest.raises(NothingSeen, match="Nothing has been seen"):
        await answer(live)


async def test_a_new_source_continues_the_stream_and_leaves_a_gap(live, store, clock, wall):
    first = live.open_feed("webrtc")
    show(first, clock, seconds=2.0)
    clock.now += 60
    wall.now += 62
    second = live.open_feed("webrtc")
    show(second, clock, seconds=2.0, origin=500.0)
    await live.settle()
    assert first.closed
    assert not second.closed
    starts = [round(m.start) for m in await store.moments("yard")]
    assert starts == [0, 62]
    assert live.status().frames == 40


async def test_what_a_replaced_source_still_sends_is_ignored(live, clock):
    first = live.open_feed("webrtc")
    live.open_feed("webrtc")
    assert first.offer(clock()) is None
    assert first.state == "ended"
    assert live.status().state == "connecting"


async def test_media_time_never_goes_back_when_the_wall_clock_does(live, store, clock, wall):
    await watch(live, live.open_feed("webrtc"), clock, seconds=10.0)
    wall.now -= 3600
    await watch(live, live.open_feed("webrtc"), clock, seconds=10.0)
    await live.settle()
    moments = await store.moments("yard")
    assert len(moments) == 10
    assert all(a.end <= b.start for a, b in itertools.pairwise(moments))


async def test_the_first_clip_of_a_source_comes_within_a_second(engine, store, clock):
    settings = StreamSettings(rate=1.0, close_within=30)
    registry = Registry(engine=engine, store=store, settings=settings, wall=clock, monotonic=clock)
    live = await registry.open("yard")
    for _ in range(2):
        await watch(live, live.open_feed("webrtc"), clock, seconds=9.0)
    await live.settle()
    lengths = [round(m.end - m.start, 1) for m in await store.moments("yard")]
    assert lengths == [0.3, 3.0, 3.0, 0.3, 3.0, 3.0]
    await registry.close()


async def test_a_file_at_full_speed_keeps_its_own_times_and_loses_nothing(live, store, clock):
    feed = live.open_feed("file", own_times=True)
    for i in range(200):
        await feed.room()
        if slot := feed.offer(i / 2):
            feed.push(slot, picture())
    feed.close("The file ended.")
    await live.settle()
    moments = await store.moments("yard")
    assert (len(moments), moments[-1].end) == (50, 99.5)
    assert live.status().lost.total == 0
    assert live.status().rate == 2.0


async def test_what_a_reader_picked_for_memory_is_remembered_and_nothing_else(live, store, clock):
    """However many pictures still come at the pace of a viewer who has just left."""
    feed = live.open_feed("url")
    for number in range(40):
        slot = feed.offer_selected(clock(), clock(), 3, sampled=number % 5 == 0)
        feed.push(slot, picture())
        await live.settle()
        clock.now += 0.1
    assert (live.status().frames, live.status().sampled) == (120, 8)
    assert [m.end - m.start for m in await store.moments("yard")] == pytest.approx([1.5, 1.5])


async def test_the_end_of_a_source_flushes_the_clip_begun(live, store, clock):
    feed = live.open_feed("webrtc")
    show(feed, clock, seconds=1.0)
    feed.close("The sender left.")
    await live.settle()
    assert len(await store.moments("yard")) == 1
    assert (live.status().state, live.status().reason) == ("ended", "The sender left.")


async def test_a_source_that_stops_is_stalled_until_it_goes_on(live, store, clock):
    feed = live.open_feed("webrtc")
    states = [live.status().state]
    show(feed, clock, seconds=1.0)
    states.append(live.status().state)
    clock.now += 3
    live.check()
    states.append(live.status().state)
    assert live.status().reason == "No picture for 3 seconds."
    await live.settle()
    assert len(await store.moments("yard")) == 1
    feed.offer(clock())
    states.append(live.status().state)
    assert states == ["connecting", "live", "stalled", "live"]


async def test_overload_looks_less_often_before_it_loses_clips(live, engine, clock):
    engine.gate.clear()
    feed = live.open_feed("webrtc")
    show(feed, clock, seconds=4.0)
    await engine.encoding.wait()
    show(feed, clock, seconds=4.0)
    assert live.status().lost.total == 0
    assert live.status().rate < 2.0


async def test_overload_loses_the_oldest_clips_counts_them_and_stays_current(live, engine, clock):
    feed = live.open_feed("webrtc")
    engine.gate.clear()
    show(feed, clock, seconds=1.6)
    await engine.encoding.wait()
    show(feed, clock, seconds=300.0)
    engine.gate.set()
    await live.settle()
    await watch(live, feed, clock, seconds=30.0)
    await live.settle()
    status = live.status()
    assert status.lost.overload > 10
    assert status.frame_age_p99_ms <= 1000 * SETTINGS.stale_after
    assert status.clips == len(engine.encoded)


async def test_a_picture_that_a_cut_showed_to_be_the_last_of_its_scene_is_not_old(
    live, engine, clock
):
    engine.one_scene = True
    feed = live.open_feed("webrtc")
    for value in (20, 20, 20, 200):  # the third is known to end its scene once the fourth has come
        clock.now += 1
        feed.push(feed.offer(clock()), picture((value,) * 3))
    await live.settle()
    assert len(engine.encoded) == 1
    assert live.status().frame_age_p99_ms == 0


async def test_a_refusing_encoder_is_counted_and_the_stream_goes_on(live, engine, clock):
    engine.busy = True
    feed = live.open_feed("webrtc")
    show(feed, clock, seconds=2.0)
    await live.settle()
    engine.busy = False
    show(feed, clock, seconds=8.0)
    await live.settle()
    assert live.status().lost.overload == 1
    assert live.status().clips >= 1


async def test_a_store_that_is_away_is_written_when_it_is_back(live, store, clock):
    feed = live.open_feed("webrtc")
    store.away = True
    with live.subscribe() as news:
        show(feed, clock, seconds=2.0)
        trouble = await until(lambda e: isinstance(e, Changed) and e.status.memory, news)
        assert "cannot be reached" in trouble.status.memory
        with pytest.raises(StoreUnavailable):
            await answer(live)
        store.away = False
        await live.settle()
    assert len(await store.moments("yard")) == 1
    assert live.status().memory is None
    assert await answer(live) == "1 clips"


async def test_a_minute_without_the_store_costs_no_clip(engine, store, clock):
    registry = Registry(
        engine=engine,
        store=store,
        settings=StreamSettings(retry_after=0.01),
        wall=clock,
        monotonic=clock,
    )
    live = await registry.open("yard")
    store.away = True
    feed = live.open_feed("file", own_times=True)
    for number in range(120):
        await feed.room()
        if slot := feed.offer(number / 2):
            feed.push(slot, picture())
    await live._pipeline._waiting.join()
    assert (live.status().clips, live.status().unwritten) == (0, 30)
    store.away = False
    await live.settle()
    assert [moment.start for moment in await store.moments("yard")] == [2.0 * n for n in range(30)]
    assert live.status().lost.unwritten == 0
    assert await answer(live) == "30 clips"
    await registry.close()


async def test_a_store_that_stays_away_costs_the_oldest_clips(engine, store, clock):
    settings = StreamSettings(unwritten_clips=2, retry_after=0.01, close_within=30)
    registry = Registry(engine=engine, store=store, settings=settings, wall=clock, monotonic=clock)
    live = await registry.open("yard")
    store.away = True
    feed = live.open_feed("file", own_times=True)
    for i in range(40):
        await feed.room()
        if slot := feed.offer(i / 2):
            feed.push(slot, picture())
    await live._pipeline._waiting.join()
    store.away = False
    await live.settle()
    kept = len(await store.moments("yard"))
    assert kept in {2, 3}
    assert live.status().lost.unwritten == 10 - kept
    await registry.close()


async def test_the_page_hears_of_clips_and_states(live, clock):
    with live.subscribe() as news:
        show(live.open_feed("webrtc"), clock, seconds=2.0)
        remembered = await until(lambda e: isinstance(e, ClipRemembered), news)
    assert remembered.moment.start == pytest.approx(0)


async def test_a_reader_that_never_reads_costs_a_bounded_amount(live, clock):
    with live.subscribe() as news:
        for _ in range(500):
            live.open_feed("webrtc")
        assert news.lost >= 400


async def test_a_history_the_engine_gave_up_is_rebuilt_on_a_question(live, engine, clock):
    feed = live.open_feed("webrtc")
    await watch(live, feed, clock, seconds=4.0)
    await live.settle()
    await engine.forget("yard")
    await watch(live, feed, clock, seconds=2.0)
    await live.settle()
    assert engine.histories.reach("yard") is None
    assert await answer(live) == "3 clips"


async def test_a_clip_that_fails_in_the_encoder_costs_that_clip_alone(live, engine, clock):
    feed = live.open_feed("webrtc")
    engine.broken = True
    await watch(live, feed, clock, seconds=2.0)
    engine.broken = False
    await watch(live, feed, clock, seconds=2.0)
    status = live.status()
    assert (status.state, status.clips, status.memory) == ("live", 1, None)
    assert (status.lost.failed, status.lost.total) == (1, 1)


async def test_an_encoder_that_fails_on_every_clip_is_told_and_throws_no_source_out(
    registry, live, engine, clock
):
    feed = live.open_feed("webrtc")
    engine.broken = True
    with live.subscribe() as news:
        await watch(live, feed, clock, seconds=8.0)
        told = await until(lambda e: isinstance(e, Changed) and e.status.memory, news)
        assert "encoder fails on every clip" in told.status.memory
        assert not feed.closed
        engine.broken = False
        await watch(live, feed, clock, seconds=2.0)
        assert await until(lambda e: isinstance(e, Changed) and not e.status.memory, news)
    assert await registry.open("yard") is live
    assert await answer(live) == "1 clips"


async def test_an_internal_error_costs_a_clip_and_the_source_stays(
    registry, live, store, clock, caplog
):
    store.broken = True
    feed = live.open_feed("webrtc")
    with live.subscribe() as news:
        await watch(live, feed, clock, seconds=2.0)
        told = await until(lambda e: isinstance(e, Changed) and e.status.memory, news)
        assert "internal error" in told.status.memory
        store.broken = False
        await watch(live, feed, clock, seconds=2.0)
        assert await until(lambda e: isinstance(e, Changed) and not e.status.memory, news)
    assert "this is not in the contract" in caplog.text
    status = live.status()
    assert (status.state, status.clips, status.lost.failed) == ("live", 1, 1)
    assert await registry.open("yard") is live


async def test_a_person_does_not_wait_for_what_is_begun_again_later(registry_of, store, clock):
    settings = StreamSettings(rate=2.0, first_rate=2.0, retry_after=3600, longest_retry=3600)
    registry = registry_of(settings, wall=clock, monotonic=clock)
    live = await registry.open("yard")
    store.broken = True
    feed = live.open_feed("webrtc")
    with live.subscribe() as news:
        show(feed, clock, seconds=2.0)
        assert await until(lambda e: isinstance(e, Changed) and e.status.memory, news)
    store.broken = False
    show(feed, clock, seconds=2.0)
    await live.looked()
    assert live.status().unwritten == 1
    await registry.close()
    assert (live.status().clips, live.status().unwritten) == (1, 0), "closing waits for nothing"
