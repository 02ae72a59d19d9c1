import asyncio
from collections import Counter, deque

import pytest
import torch

from model.types import Clip
from stream.encoder import FAILURES_TOLD, ClipEncoder
from stream.rate import RateController
from stream.registry import Registry
from stream.settings import StreamSettings
from tests.stream.fakes import FakeEngine, FakeStore, HandClock, picture, tokens

SETTINGS = StreamSettings(rate=2.0, first_rate=2.0, close_within=0.5)


def clip(start=0.0, height=4):
    return Clip(torch.zeros(4, height, 6, 3, dtype=torch.uint8), start, start + 1.5)


class QueueEngine(FakeEngine):
    """Takes clips one after the other, in order of arrival, each when the test says so."""

    def __init__(self):
        super().__init__()
        self.waiting = deque()
        self._arrived = asyncio.Condition()

    async def encode(self, clip, begun=lambda: None):
        turn = asyncio.get_running_loop().create_future()
        async with self._arrived:
            self.waiting.append((turn, begun, clip))
            self._arrived.notify_all()
        await turn
        return tokens(clip.start, clip.end)

    async def take(self, once_there_are=1):
        """Encode the clip that has waited longest, once that many wait."""
        await self.until(once_there_are)
        turn, begun, clip = self.waiting.popleft()
        begun()
        self.encoded.append(clip)
        turn.set_result(None)

    async def until(self, there_are):
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: len(self.waiting) >= there_are)


class Bench:
    """A clip encoder at work, with a hand clock."""

    def __init__(self, engine):
        self.clock = HandClock()
        self.entries, self.troubles = [], []
        self.encoder = ClipEncoder(
            "yard",
            engine,
            pace=RateController(2.0, 0.5),
            waiting=2,
            stale_after=0.3,
            thumbnail_width=160,
            monotonic=self.clock,
            on_encoded=self.entries.append,
            on_trouble=lambda: self.troubles.append(self.encoder.trouble),
        )
        self._work = asyncio.create_task(self.encoder.run())

    async def give(self, clip, age=0.0):
        self.encoder.put(clip, self.clock() - age, paced=True)
        await self.encoder.settled()

    async def close(self):
        self.encoder.close()
        await self._work


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
async def bench(engine):
    bench = Bench(engine)
    yield bench
    await bench.close()


async def test_the_age_of_a_clip_counts_from_its_arrival_to_the_engine(bench):
    await bench.give(clip(), age=0.2)
    assert bench.encoder.ages() == [pytest.approx(0.2)]


async def test_the_age_of_a_clip_counts_the_wait_for_its_turn_at_the_engine():
    engine = QueueEngine()
    bench = Bench(engine)
    bench.encoder.put(clip(), bench.clock(), paced=True)
    await engine.until(1)
    bench.clock.now += 0.2
    await engine.take()
    await bench.encoder.settled()
    assert bench.encoder.ages() == [pytest.approx(0.2)]
    await bench.close()


async def test_a_clip_that_the_engine_refuses_has_no_age(bench, engine):
    engine.busy = True
    await bench.give(clip())
    assert (bench.encoder.ages(), bench.encoder.lost, bench.encoder.failed) == ([], 1, 0)


async def test_a_clip_that_fails_is_lost_and_logged_and_the_next_ones_are_encoded(
    bench, engine, caplog
):
    engine.broken = True
    await bench.give(clip(0.0))
    engine.broken = False
    await bench.give(clip(2.0))
    assert [entry.tokens.start for entry in bench.entries] == [2.0]
    assert (bench.encoder.failed, bench.encoder.lost) == (1, 0)
    assert "stream yard" in caplog.text
    assert "the device is gone" in caplog.text
    assert bench.troubles == [], "one bad clip is no trouble of the stream"


async def test_a_clip_without_a_thumbnail_is_lost_as_well(bench, caplog):
    await bench.give(clip(0.0, height=0))
    await bench.give(clip(2.0))
    assert [entry.tokens.start for entry in bench.entries] == [2.0]
    assert bench.encoder.failed == 1


async def test_an_engine_that_fails_on_every_clip_is_said_once_until_it_works_again(
    bench, engine, caplog
):
    engine.broken = True
    for number in range(FAILURES_TOLD + 3):
        assert bench.encoder.trouble is None or number >= FAILURES_TOLD
        await bench.give(clip(float(number)))
    assert "RuntimeError" in bench.encoder.trouble
    assert "the device is gone" not in bench.encoder.trouble, "what it says is for the log"
    engine.broken = False
    await bench.give(clip(60.0))
    assert [bool(trouble) for trouble in bench.troubles] == [True, False]
    assert len(caplog.records) == 1


async def test_a_close_that_does_not_wait_takes_the_clip_out_of_the_engine():
    engine = QueueEngine()
    bench = Bench(engine)
    bench.encoder.put(clip(), bench.clock(), paced=True)
    await engine.until(1)
    bench._work.cancel()
    await asyncio.wait([bench._work])
    [(turn, *_)] = engine.waiting
    await asyncio.sleep(0)
    assert turn.cancelled()


async def test_a_stream_that_floods_takes_nothing_from_the_others():
    """Three streams, an engine too slow for each, and one brings fifty times what the others do."""
    engine, clock = QueueEngine(), HandClock()
    registry = Registry(
        engine=engine, store=FakeStore(), settings=SETTINGS, wall=clock, monotonic=clock
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
                if slot := feeds[name].accepts(number * 1000 + frame / 2):
                    feeds[name].give(slot, picture(colour))
        await engine.take(once_there_are=3)
        encoded[list(amounts)[engine.encoded[-1].pixels[0, 0, 0].argmax()]] += 1
        assert max(encoded.values()) - min(encoded.values()) <= 1
    assert set(encoded.values()) == {10}
    await registry.close()
