import asyncio
from collections import Counter, deque
from dataclasses import replace

import pytest
import torch

from model.types import Clip, Encoded
from stream.channels import Broadcast
from stream.health import FAILURES_TOLD
from stream.past.record import LiveRecord
from stream.pipeline import Pipeline
from stream.registry import Registry
from stream.settings import StreamSettings
from stream.status import Losses
from tests.stream.fakes import FakeEngine, FakeStore, HandClock, picture, tokens

SETTINGS = StreamSettings(rate=2.0, first_rate=2.0, close_within=30)


def clip(start=0.0, height=4):
    return Clip(torch.zeros(4, height, 6, 3, dtype=torch.uint8), start, start + 1.5)


class QueueEngine(FakeEngine):
    """Takes clips one after the other, in order of arrival, each when the test says so."""

    def __init__(self):
        super().__init__()
        self.clock = HandClock()
        self.waiting = deque()
        self._arrived = asyncio.Condition()

    async def encode(self, clip):
        turn, given = asyncio.get_running_loop().create_future(), self.clock()
        async with self._arrived:
            self.waiting.append((turn, clip))
            self._arrived.notify_all()
        return Encoded(tokens(clip.start, clip.end), await turn - given)

    async def take(self, once_there_are=1):
        """Encode the clip that has waited longest, once that many wait."""
        await self.until(once_there_are)
        turn, clip = self.waiting.popleft()
        self.encoded.append(clip)
        turn.set_result(self.clock())

    async def until(self, there_are):
        async with asyncio.timeout(60), self._arrived:
            await self._arrived.wait_for(lambda: len(self.waiting) >= there_are)


class Bench:
    """A pipeline at work over a store in this process, with a hand clock."""

    def __init__(self, engine):
        self.clock = engine.clock if isinstance(engine, QueueEngine) else HandClock()
        self.troubles = []
        self.store = FakeStore()
        self.engine = engine

    async def open(self):
        record = await self.store.begin("yard", 0.0)
        self.pipeline = Pipeline(
            LiveRecord(record, self.store, self.engine),
            engine=self.engine,
            news=Broadcast(64),
            settings=SETTINGS,
            monotonic=self.clock,
            on_trouble=lambda: self.troubles.append(self.pipeline.health.trouble),
            on_deleted=lambda: None,
        )
        self.pipeline.start()
        return self

    async def starts(self):
        return [moment.start for moment in await self.store.moments("yard")]

    async def give(self, clip, age=0.0, late=0.0):
        self.pipeline.put(clip, self.clock() - age, late=late, paced=True)
        await self.pipeline.settle()


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
async def bench(engine):
    bench = await Bench(engine).open()
    yield bench
    await bench.pipeline.close()


async def test_the_age_of_a_clip_counts_from_its_arrival_to_the_engine(bench):
    await bench.give(clip(), age=0.2, late=0.2)
    assert list(bench.pipeline.health.ages) == [pytest.approx(0.2)]


async def test_the_age_of_a_clip_counts_the_wait_for_its_turn_at_the_engine():
    engine = QueueEngine()
    bench = await Bench(engine).open()
    bench.pipeline.put(clip(), bench.clock(), paced=True)
    await engine.until(1)
    bench.clock.now += 0.2
    await engine.take()
    await bench.pipeline.settle()
    assert list(bench.pipeline.health.ages) == [pytest.approx(0.2)]
    await bench.pipeline.close()


async def test_a_clip_that_the_engine_refuses_has_no_age(bench, engine):
    engine.busy = True
    await bench.give(clip())
    assert (list(bench.pipeline.health.ages), bench.pipeline.lost) == ([], Losses(overload=1))


async def test_a_clip_that_fails_is_lost_and_logged_and_the_next_ones_are_encoded(
    bench, engine, caplog
):
    engine.broken = True
    await bench.give(clip(0.0))
    engine.broken = False
    await bench.give(clip(2.0))
    assert await bench.starts() == [2.0]
    assert bench.pipeline.lost == Losses(failed=1)
    assert "stream yard" in caplog.text
    assert "the device is gone" in caplog.text
    assert bench.troubles == [], "one bad clip is no trouble of the stream"


async def test_a_clip_without_a_thumbnail_is_lost_as_well(bench, caplog):
    await bench.give(clip(0.0, height=0))
    await bench.give(clip(2.0))
    assert await bench.starts() == [2.0]
    assert bench.pipeline.lost == Losses(failed=1)


async def test_an_engine_that_fails_on_every_clip_is_said_once_until_it_works_again(
    bench, engine, caplog
):
    engine.broken = True
    for number in range(FAILURES_TOLD + 3):
        assert bench.pipeline.health.trouble is None or number >= FAILURES_TOLD
        await bench.give(clip(float(number)))
    assert "RuntimeError" in bench.pipeline.health.trouble
    assert "the device is gone" not in bench.pipeline.health.trouble, "what it says is for the log"
    engine.broken = False
    await bench.give(clip(60.0))
    assert [bool(trouble) for trouble in bench.troubles] == [True, False]
    assert len(caplog.records) == 1


async def test_a_close_that_does_not_wait_takes_the_clip_out_of_the_engine():
    engine = QueueEngine()
    bench = await Bench(engine).open()
    bench.pipeline.put(clip(), bench.clock(), paced=True)
    await engine.until(1)
    closing = asyncio.create_task(bench.pipeline.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    [(turn, *_)] = engine.waiting
    await asyncio.sleep(0)
    assert turn.cancelled()


async def test_a_stream_that_floods_takes_nothing_from_the_others():
    """Three streams, an engine too slow for each, and one brings fifty times what the others do."""
    engine = QueueEngine()
    clock = engine.clock
    registry = Registry(
        engine=engine,
        store=FakeStore(),
        settings=replace(SETTINGS, close_within=0.5),
        wall=clock,
        monotonic=clock,
    )
    amounts = {"red": 8, "green": 400, "blue": 8}
    feeds = {
        name: (await registry.open(name)).open_feed("file", own_times=True) for name in amounts
    }
    encoded = Counter(dict.fromkeys(amounts, 0))
    for number in range(30):
        for place, (name, frames) in enumerate(amounts.items()):
            colour = [200 * (place == channel) for channel in range(3)]
            for frame in range(frames):
                if slot := feeds[name].offer(number * 1000 + frame / 2):
                    feeds[name].push(slot, picture(colour))
        await engine.take(once_there_are=3)
        encoded[list(amounts)[engine.encoded[-1].pixels[0, 0, 0].argmax()]] += 1
        assert max(encoded.values()) - min(encoded.values()) <= 1
    assert set(encoded.values()) == {10}
    await registry.close()
