"""Films that pass in real time: by a clock that the test moves."""

import asyncio
import json

import pytest

from tests.training import published
from tests.training.test_benchmark_runs import YesEngine
from tests.waiting import holds
from training.evaluations.answers import TimedAnswer
from training.evaluations.items import Options, Scoring
from training.evaluations.passing import RealTime
from training.evaluations.published import ovobench, streamingbench
from training.evaluations.runner import EvaluationRun, ask_all
from training.evaluations.summary import summarise
from web.settings import Settings

BETWEEN = 0.25
"""A little more than the seconds from one frame of `published.film` to the next."""


class HandPace:
    """A film comes as far as the test says.

    Attributes:
        waited: Moments that somebody waited for.
    """

    def __init__(self):
        self.now = 0.0
        self.waited = []
        self._moved = asyncio.Condition()

    async def reach(self, moment):
        self.waited.append(moment)
        async with self._moved:
            await self._moved.wait_for(lambda: self.now >= moment)

    async def come(self, to):
        """Come to `to`."""
        async with self._moved:
            self.now = to
            self._moved.notify_all()

    async def move(self, to):
        """Come to `to`, and return once every frame up to there was given: the film waits for the next."""
        await self.come(to)
        await holds(lambda: any(to < moment < to + BETWEEN for moment in self.waited))


class SlowEngine(YesEngine):
    """Begins an answer when the test lets it."""

    def __init__(self, yes_at=float("inf")):
        super().__init__(yes_at)
        self.answering = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def answer(self, past, question):
        self.answering.set()
        await self.go_on.wait()
        async for piece in super().answer(past, question):
            yield piece


@pytest.fixture
def folder(tmp_path):
    return published.streamingbench(tmp_path)


class Showing:
    """A benchmark that is asked while a film passes."""

    def __init__(self, folder, options, engine, benchmark=streamingbench.STREAMINGBENCH):
        self.pace, self.engine, self.found = HandPace(), engine, []
        self.items = benchmark.read(folder, options)
        how = EvaluationRun(engine, Settings(), benchmark, options, 16, lambda: self.pace)
        self._asking = ask_all(how, self.items, {}, self.found.append)

    async def __aenter__(self):
        self._task = asyncio.create_task(self._asking)
        await holds(lambda: self.pace.waited)
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def end(self):
        async with asyncio.timeout(60):
            await self._task


async def test_a_film_that_passes_goes_on_while_an_answer_is_written_and_the_next_is_late(folder):
    published.film(folder / "videos/sample_1_real.mp4", seconds=10)
    engine = SlowEngine()
    async with Showing(folder, Options(), engine) as showing:
        await showing.pace.move(1.5)
        assert not engine.answering.is_set()  # it is asked at 2
        engine.go_on.clear()
        await showing.pace.move(2.0)
        await engine.answering.wait()
        await showing.pace.move(8.5)
        await holds(lambda: engine.encoded[-1].end > 5)  # nobody stands still for the answer
        engine.go_on.set()
        await showing.end()
    first, second = showing.found
    assert (first.late_ms, second.late_ms) == (0.0, 3500.0)
    assert [asked.until for asked, _ in engine.asked] == [None, 5.0]  # what came later is not shown
    summary = summarise(streamingbench.STREAMINGBENCH, Options(), showing.items, {one.key: one for one in showing.found})  # fmt: skip
    assert (summary["median_late_ms"], summary["clips_lost"]) == (1750.0, 0)


async def test_what_the_encoder_cannot_keep_up_with_is_lost_and_counted(folder):
    published.film(folder / "videos/sample_1_real.mp4", seconds=24)
    file = folder / "questions_real.json"
    [one, _] = json.loads(file.read_text())
    one["questions"][0]["time_stamp"] = "00:00:22"
    file.write_text(json.dumps([one]))
    engine = SlowEngine()
    engine.gate.clear()
    async with Showing(folder, Options(), engine) as showing:
        await showing.pace.move(21.0)
        engine.gate.set()
        await showing.pace.come(22.0)
        await showing.end()
    [told] = showing.found
    assert told.lost >= 2
    assert told.clips <= 4


async def test_who_says_yes_late_has_said_it_when_it_was_said(folder):
    engine = SlowEngine(yes_at=0.0)
    options = Options(Scoring.strict, split="proactive")
    async with Showing(folder, options, engine) as showing:
        engine.go_on.clear()
        await showing.pace.move(2.0)
        await engine.answering.wait()
        await showing.pace.move(3.4)
        engine.go_on.set()
        await showing.end()
    [told] = showing.found
    assert told.answer.startswith("3.4 s: Yes")


async def test_at_the_end_of_a_film_that_passes_all_of_it_was_shown(tmp_path):
    folder = published.ovobench(tmp_path)
    engine = SlowEngine()
    async with Showing(folder, Options(split="backward"), engine, ovobench.OVOBENCH) as showing:
        await showing.pace.move(2.7)
        assert not engine.asked
        await showing.pace.come(3.0)
        await showing.end()
    assert engine.asked[0][1][-1] == pytest.approx(2.5, abs=0.5)
    assert showing.found[0].late_ms == 0.0


async def test_a_film_that_breaks_as_it_passes_is_told(tmp_path):
    folder = published.ovobench(tmp_path)
    (folder / "chunked_videos/1.mp4").write_text("no film")
    items = ovobench.read(folder, Options(split="backward"))
    found: list[TimedAnswer] = []
    how = EvaluationRun(YesEngine(), Settings(), ovobench.OVOBENCH, Options(), 16, HandPace)
    await ask_all(how, items, {}, found.append)
    assert found[0].error


async def test_real_time_passes_and_what_is_over_is_not_waited_for():
    pace = RealTime()
    await pace.reach(-1.0)
    before = pace.now
    await pace.reach(before + 0.001)
    assert pace.now > before
