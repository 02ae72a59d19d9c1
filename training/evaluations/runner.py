"""Puts the items of a benchmark to a model: each film is looked at once, then asked about.

Whole films are sampled as the paper samples them. Streams pass: what comes after the moment of a
question has not been shown by then, and what it took to keep up is measured.
"""

import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from memory.local_store import LocalStore
from model.engine.contract import Engine
from model.types import GREEDY, Question
from stream.errors import NoVideo
from stream.live import LiveStream
from stream.registry import Registry
from training.evaluations.answers import TimedAnswer
from training.evaluations.items import Benchmark, Item, Options
from training.evaluations.media import show
from training.evaluations.passing import Pace, Passing
from web.ask import Stopwatch, ask_whole
from web.errors import Refusal
from web.settings import Settings
from web.stream_settings import stream_settings

STREAM = "evaluated"
EVERY = 1.0
"""Seconds between two times that the same thing is asked of a stream."""
SOON = 1.0
"""Seconds after its moment that a question of a stream that passes may be asked as if it were then."""


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """How a benchmark is run.

    Attributes:
        engine: The network.
        settings: How streams are looked at.
        benchmark: Which.
        options: What was chosen of it.
        frames: Of a whole film to look at, at most.
        pace: Makes the clock that a stream passes by; None waits for the network.
    """

    engine: Engine
    settings: Settings
    benchmark: Benchmark
    options: Options
    frames: int
    pace: Callable[[], Pace] | None = None


def shard(items: Sequence[Item], part: int, parts: int) -> list[Item]:
    """Return the items of one of `parts`, counted from 1; films stay together."""
    films = {film: n for n, film in enumerate(dict.fromkeys(_film(item) for item in items))}
    return [item for item in items if films[_film(item)] % parts == part - 1]


async def ask_all(
    run: EvaluationRun,
    items: Sequence[Item],
    known: Mapping[str, TimedAnswer],
    found: Callable[[TimedAnswer], None],
) -> None:
    """Ask every item that has no answer yet.

    Args:
        run: How.
        items: All of them.
        known: Answers that are there already, by key.
        found: Told of each answer.
    """
    answers = {key: one.answer for key, one in known.items()}

    def told(answered: TimedAnswer) -> None:
        answers[answered.key] = answered.answer
        found(answered)

    waiting = [item for item in items if item.key not in known]
    for _, some in groupby(sorted(waiting, key=_order), key=_film_and_way):
        asked = list(some)
        try:
            async with _stream(run) as live:
                await (_ask_stream if asked[0].moment else _ask_film)(
                    run, live, asked, answers, told
                )
        except NoVideo as error:
            for item in asked:
                if item.key not in answers:
                    told(TimedAnswer(item.key, "", item.prompt, error=str(error)))


@asynccontextmanager
async def _stream(run: EvaluationRun) -> AsyncIterator[LiveStream]:
    registry = Registry(
        engine=run.engine,
        store=LocalStore(run.engine.encoder, exact=run.engine.exact_columns),
        settings=stream_settings(run.settings),
        wall=time.time,
        monotonic=time.monotonic,
    )
    try:
        yield await registry.open(STREAM)
        await registry.forget(STREAM)
    finally:
        await registry.close()


async def _ask_film(
    run: EvaluationRun,
    live: LiveStream,
    items: Sequence[Item],
    answers: Mapping[str, str],
    told: Callable[[TimedAnswer], None],
) -> None:
    began = time.monotonic()
    length = await show(items[0].media, live, run.frames)
    await live.settle()
    watched = time.monotonic() - began
    for item in items:
        prompt = run.benchmark.word(item, answers)
        question = Question(prompt, tokens=item.tokens, sampling=GREEDY, duration=length)
        told(await _answer(run, live, item, question, watched))
        watched = 0.0


async def _ask_stream(
    run: EvaluationRun,
    live: LiveStream,
    items: Sequence[Item],
    answers: Mapping[str, str],
    told: Callable[[TimedAnswer], None],
) -> None:
    async with Passing(items[0].media.path, live, pace=run.pace) as film:
        lost = 0
        for item in items:
            moment = item.moment
            assert moment is not None
            at = float("inf") if moment.at is None else moment.at
            since = None if moment.context is None else max(0.0, at - moment.context)
            prompt = run.benchmark.word(item, answers)
            question = Question(prompt, tokens=item.tokens, sampling=GREEDY, since=since)
            if moment.until is not None:
                answered = await _ask_until(run, live, film, item, question)
            else:
                answered = await _ask_once(run, live, film, item, question, at)
            before, lost = lost, live.status().lost.total
            told(replace(answered, lost=lost - before))


async def _ask_once(
    run: EvaluationRun, live: LiveStream, film: Passing, item: Item, question: Question, at: float
) -> TimedAnswer:
    """Ask at a moment, or as soon after it as answers before let: then about what was there by then."""
    began = time.monotonic()
    await film.play(at)
    late = max(0.0, film.now - at)
    if late > (SOON if question.since is None else 0.0):
        question = replace(question, until=at)
    answered = await _answer(run, live, item, question, time.monotonic() - began)
    return answered if run.pace is None else replace(answered, late_ms=round(late * 1000, 1))


async def _ask_until(
    run: EvaluationRun, live: LiveStream, film: Passing, item: Item, question: Question
) -> TimedAnswer:
    """Ask again every second until the answer is yes; it then says when that was.

    In real time that is when the answer was written, and seconds that pass meanwhile are not asked at.
    """
    moment, began = item.moment, time.monotonic()
    assert moment is not None
    assert moment.at is not None
    assert moment.until is not None
    at = moment.at + EVERY
    answered = TimedAnswer(item.key, "", question.text)
    while at <= moment.until:
        await film.play(at)
        answered = await _answer(run, live, item, question, time.monotonic() - began)
        now = max(at, film.now)
        if _says_yes(answered.answer, run.options):
            return replace(answered, answer=f"{round(now, 1):g} s: {answered.answer}")
        at = max(at + EVERY, now)
    return answered


def _says_yes(answer: str, options: Options) -> bool:
    if options.published:
        return "yes" in answer.lower()
    return re.match(r"\W*yes\b", answer.lower()) is not None


async def _answer(
    run: EvaluationRun, live: LiveStream, item: Item, question: Question, watched: float
) -> TimedAnswer:
    try:
        said = await ask_whole(live, question, Stopwatch(time.monotonic))
    except Refusal as error:
        return TimedAnswer(item.key, "", question.text, error=str(error))
    return TimedAnswer(
        key=item.key,
        answer=said.text,
        prompt=question.text,
        frames=said.finish.usage.frames,
        clips=said.finish.usage.clips,
        first_token_ms=said.first_token_ms,
        total_ms=said.total_ms,
        watched_ms=round(watched * 1000, 1),
        behind=round(said.finish.usage.behind, 3),
        evidence=tuple((e.start, e.end, round(e.score, 5)) for e in said.finish.evidence)
        if run.benchmark.score_evidence
        else (),
    )


def _film(item: Item) -> Path:
    return item.media.path


def _film_and_way(item: Item) -> tuple[object, ...]:
    """Return what items that are asked after one look have in common."""
    alone = item.moment is not None and item.moment.until is not None
    media = item.media
    return media.path, media.start, media.end, item.moment is None, item.key if alone else ""


def _order(item: Item) -> tuple[object, ...]:
    at = item.moment.at if item.moment is not None and item.moment.at is not None else float("inf")
    media = item.media
    alone = item.moment is not None and item.moment.until is not None
    whole = (media.start or 0.0, media.end or 0.0)
    return str(media.path), *whole, item.moment is None, item.key if alone else "", at
