"""A day of one stream at accelerated media time: what grows with its age, and what has a ceiling.

    flashback bench day --hours 24 --model tiny

Clips go through the store (an embedded Redis, with a quota) and into the engine's history as those of
a live stream do; after every hour of media time memory is brought within its bounds, and questions are
put to the whole history. A few clips of random pictures are encoded and shown again and again: neither bytes nor times
depend on what they show.

Target: from the fourth hour to the last, or from where the quota is reached, nothing grows by 2 %.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import matplotlib as mpl
import psutil
import torch
from matplotlib.figure import Figure

from benchmarks.command.options import at_least_one
from benchmarks.command.report import RESULTS, Report, benchmark_main, met
from memory.embedded.server import EmbeddedRedis
from memory.redis.store import RedisStore
from memory.retention import Retention, RetentionLimits
from model.engine.contract import Engine, Past
from model.folding.pair import join_pair
from model.types import Clip, ClipTokens, Finish, Question
from model.zoo.presets import load_engine
from stream.past.recall import Recall

STREAM = "day"
SECONDS_PER_CLIP = 4
CLIPS_PER_HOUR = 3600 // SECONDS_PER_CLIP
THUMBNAIL = 4500  # bytes, as those of real films have at 160 pixels
PICTURES = 16
TOGETHER = 50
"""Clips that are remembered before the history is waited for: it must not lag without a bound."""
QUESTIONS = 3
STEADY_FROM = 4  # hours


@dataclass(frozen=True, slots=True)
class HourReport:
    """What was found when the stream was so many hours old.

    Attributes:
        age: Hours of media time.
        store_mb: Tokens and thumbnails in the store, in millions of bytes.
        store_clips: Clips in the store.
        redis_mb: Resident memory of Redis.
        service_mb: Resident memory of this process.
        history_clips: Clips or blocks that a question reads from.
        history_tokens: Their visual tokens.
        frames: Frames that they stand for.
        first_word_ms: Median of a few questions, the first of which has the history read.
        reading_ms: To remember a clip and fold it into the history, the mean of the hour.
        shrinking_s: To bring what is kept within its bounds.
    """

    age: int
    store_mb: float
    store_clips: int
    redis_mb: float
    service_mb: float
    history_clips: int
    history_tokens: int
    frames: int
    first_word_ms: float
    reading_ms: float
    shrinking_s: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--hours", type=at_least_one, default=24)
    parser.add_argument("--model", default="tiny", help="a preset (default: tiny)")
    parser.add_argument("--quota-mb", type=at_least_one, default=16, help="of the stream")


def run(options: argparse.Namespace) -> Report:
    """Let the day pass; draw the plot where the report is saved."""
    hours = asyncio.run(_day(options.model, options.hours, options.quota_mb * 2**20))
    if folder := options.save_to or (RESULTS if options.save else None):
        plot(hours, folder / f"{datetime.now(UTC):%Y-%m-%d}-day.png")
    growth = growth_percent(hours)
    return Report(
        title="A day of one stream: what grows with its age",
        settings={
            "model": options.model,
            "quota_mb": options.quota_mb,
            "frames": "1 a second, 4 a clip",
            "thumbnail": THUMBNAIL,
        },
        columns=list(asdict(hours[0])),
        rows=[list(asdict(hour).values()) for hour in hours],
        numbers={"hours": [asdict(hour) for hour in hours], "growth_percent": growth},
        notes=[
            "Frames are those that what a question reads stands for.",
            f"Growth is from the first quarter of the hours after hour {STEADY_FROM - 1} to the last, medians.",
            *(met(f"{name} grows by less than 2 %", value, 2) for name, value in growth.items()),
        ],
    )


def growth_percent(hours: Sequence[HourReport]) -> dict[str, float]:
    """Return by how much the last quarter lies above the quarter from where it should be steady on."""
    steady = [hour for hour in hours if hour.age >= STEADY_FROM] or list(hours)
    quarter = max(1, len(steady) // 4)
    grown = {}
    for name in ("store_mb", "redis_mb", "service_mb", "history_tokens", "first_word_ms"):
        first, last = (
            statistics.median(getattr(hour, name) for hour in part)
            for part in (steady[:quarter], steady[-quarter:])
        )
        grown[name] = 100 * (last / first - 1)
    return grown


async def _day(model: str, hours: int, quota: int) -> list[HourReport]:
    engine = await asyncio.to_thread(load_engine, model)
    try:
        shown = await _encoded(engine)
        with tempfile.TemporaryDirectory() as folder:
            async with await EmbeddedRedis.start(Path(folder) / "redis", megabytes=2048) as server:
                store = RedisStore.connect(server.url, engine.encoder, exact=engine.exact_columns)
                try:
                    return await _hours(engine, store, server.pid, shown, hours, quota)
                finally:
                    await store.close()
    finally:
        await engine.close()


async def _encoded(engine: Engine) -> list[ClipTokens]:
    """Return clips of random pictures, as the engine encodes them."""
    random = torch.Generator().manual_seed(0)
    side, frames = engine.image_size, engine.frames_per_clip
    shape = (PICTURES, frames, side, side, 3)
    pixels = torch.randint(0, 256, shape, generator=random, dtype=torch.uint8)
    return [(await engine.encode(Clip(picture, 0.0, 3.0))).tokens for picture in pixels]


async def _hours(
    engine: Engine,
    store: RedisStore,
    redis: int,
    shown: list[ClipTokens],
    hours: int,
    quota: int,
) -> list[HourReport]:
    recall = Recall(STREAM, engine, store)
    join = partial(join_pair, engine.rows)
    retention = Retention(
        store, RetentionLimits(each=quota), frames=engine.frames_per_clip, join=join
    )
    await store.begin(STREAM, 0.0)
    found, end = [], None
    for age in range(1, hours + 1):
        began = time.perf_counter()
        for number in range((age - 1) * CLIPS_PER_HOUR, age * CLIPS_PER_HOUR):
            start = float(SECONDS_PER_CLIP * number)
            clip = replace(shown[number % len(shown)], start=start, end=start + 3)
            kept = await store.append(STREAM, clip, bytes(THUMBNAIL))
            await engine.learn(STREAM, kept, after=end)
            end = kept.end
            if number % TOGETHER == 0:
                await recall.catch_up()
        await recall.catch_up()
        reading = (time.perf_counter() - began) / CLIPS_PER_HOUR
        began = time.perf_counter()
        await retention.enforce(3600.0 * age)
        await recall.catch_up()
        shrinking = time.perf_counter() - began
        found.append(await _look(age, engine, store, redis, reading, shrinking))
        sys.stderr.write(f"{found[-1]}\n")
    return found


async def _look(
    age: int, engine: Engine, store: RedisStore, redis: int, reading: float, shrinking: float
) -> HourReport:
    record = await store.find(STREAM)
    assert record is not None
    asked = [await _ask(engine, store) for _ in range(QUESTIONS)]
    usage = asked[-1][1].usage
    return HourReport(
        age,
        record.bytes / 1e6,
        record.clips,
        _resident_mb(redis),
        _resident_mb(None),
        usage.clips,
        usage.visual_tokens,
        usage.frames,
        1000 * statistics.median(first for first, _ in asked),
        1000 * reading,
        shrinking,
    )


async def _ask(engine: Engine, store: RedisStore) -> tuple[float, Finish]:
    """Return the seconds to the first word, and the end of the answer, read from the whole history.

    The engine is asked itself: what a question is about says what is read of a long past, and of the
    beginning that is twelve clips.
    """
    began = time.perf_counter()
    question = Question("What was there first?", tokens=1)
    async with aclosing(engine.answer(Past(STREAM, store), question)) as pieces:
        told = [(time.perf_counter() - began, piece) async for piece in pieces]
    (first, _), (_, finish) = told[0], told[-1]
    assert isinstance(finish, Finish)
    return first, finish


def _resident_mb(process: int | None) -> float:
    return float(psutil.Process(process).memory_info().rss / 1e6)


def plot(hours: Sequence[HourReport], path: Path) -> None:
    """Draw what grows and what does not, one panel each, by the stream's age."""
    mpl.use("Agg")
    panels = {
        "MB in the store": ("store_mb",),
        "resident MB": ("redis_mb", "service_mb"),
        "clips": ("store_clips", "history_clips"),
        "ms to the first word": ("first_word_ms",),
    }
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    axes = figure.subplots(2, 2).flat
    ages = [hour.age for hour in hours]
    for panel, (title, names) in zip(axes, panels.items(), strict=True):
        for name in names:
            panel.plot(ages, [getattr(hour, name) for hour in hours], marker=".", label=name)
        panel.set(title=title, xlabel="hours of media time")
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
        panel.legend(fontsize="small")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    benchmark_main("day", __doc__, run, add_options)
