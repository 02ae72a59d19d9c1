"""What a cluster gives: clips and answers a second, by replicas, beside one process in the same run.

Each row has an engine of its own on the same Redis: one process, then a cluster with so many encoders and as
many answerers, then one process again, which says how steady the machine was. Needs the extra `ray`.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.command.options import at_least_one
from benchmarks.command.report import Report, benchmark_main, quantile
from memory.embedded.server import EmbeddedRedis
from memory.redis.store import RedisStore
from model.engine.contract import Engine, Past
from model.types import Clip, Question
from web.composition.opening import load_model
from web.settings import Settings

_QUESTION = Question("What do you see?", tokens=8)


@dataclass(frozen=True, slots=True)
class EngineRow:
    """What one engine did.

    Attributes:
        clips: Encoded, a second.
        clip_ms: From a clip to its tokens, of one clip at a time, median.
        first_word_ms: The same of a question about a stream whose history is made, median.
        answers: Written, a second, with a question about every stream at once.
        made_s: Seconds to the first word of a question about a stream of which there is no history.
    """

    name: str
    clips: float
    clip_ms: float
    first_word_ms: float
    answers: float
    made_s: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--model", default="lite", help="what looks (default: lite)")
    parser.add_argument("--streams", type=at_least_one, default=4)
    parser.add_argument("--clips", type=at_least_one, default=16, help="of each stream")
    parser.add_argument(
        "--threads",
        type=at_least_one,
        default=1,
        help="of the one process; replicas share the cores",
    )
    parser.add_argument(
        "--replicas", type=at_least_one, nargs="+", default=[1, 2], help="of each kind"
    )


def run(options: argparse.Namespace) -> Report:
    """Measure."""
    torch.set_num_threads(options.threads)
    rows = asyncio.run(_measure(options))
    base = rows[0]
    numbers = {
        row.name: {
            "clips_per_second": row.clips,
            "clip_ms_p50": row.clip_ms,
            "first_word_ms_p50": row.first_word_ms,
            "answers_per_second": row.answers,
            "history_made_s": row.made_s,
            "clips_ratio": round(row.clips / base.clips, 2),
            "answers_ratio": round(row.answers / base.answers, 2),
        }
        for row in rows
    }
    return Report(
        title="Clips and answers a second, by replicas",
        settings={
            "model": options.model,
            "streams": options.streams,
            "clips of each": options.clips,
            "pictures": "640x360",
            "threads of the one process": options.threads,
            "answer": f"{_QUESTION.tokens} tokens",
        },
        columns=[
            "",
            "clips/s",
            "ratio",
            "clip p50 (ms)",
            "first word p50 (ms)",
            "answers/s",
            "ratio",
            "history made (s)",
        ],
        rows=[
            [
                row.name,
                row.clips,
                row.clips / base.clips,
                row.clip_ms,
                row.first_word_ms,
                row.answers,
                row.answers / base.answers,
                row.made_s,
            ]
            for row in rows
        ],
        numbers=numbers,
        notes=[
            "So many encoders + so many answerers. All processes share this machine's cores: more replicas than cores cannot be faster.",
            "Ratios are to the first row; the last row says how steady the machine was.",
        ],
    )


async def _measure(options: argparse.Namespace) -> list[EngineRow]:
    rows: list[EngineRow] = []
    with tempfile.TemporaryDirectory(prefix="flashback-cluster-") as folder:
        async with await EmbeddedRedis.start(Path(folder) / "redis", megabytes=256) as redis:
            async with _one_process(options.model) as engine:
                await _remember(engine, redis.url, options)
                rows.append(await _row("one process", engine, redis.url, options))
            for count in options.replicas:
                async with _cluster(options.model, count, redis.url) as engine:
                    name = f"{count} + {count} replicas"
                    rows.append(await _row(name, engine, redis.url, options))
            async with _one_process(options.model) as engine:
                rows.append(await _row("one process, again", engine, redis.url, options))
    return rows


@asynccontextmanager
async def _one_process(model: str) -> AsyncIterator[Engine]:
    settings = Settings.from_env({}, model=model)
    engine = await asyncio.to_thread(load_model, settings, lambda _: None)
    try:
        yield engine
    finally:
        await engine.close()


@asynccontextmanager
async def _cluster(model: str, count: int, redis_url: str) -> AsyncIterator[Engine]:
    from web.cluster.opening import open_cluster  # late: `--help` works without Ray

    settings = Settings.from_env(
        {}, model=model, cluster=True, cluster_encoders=count, cluster_answerers=count
    )
    async with open_cluster(settings, redis_url) as engine:
        yield engine


async def _remember(engine: Engine, redis_url: str, options: argparse.Namespace) -> None:
    """Put every stream's clips into Redis."""
    store = RedisStore.connect(redis_url, engine.encoder, exact=engine.exact_columns)
    try:
        for stream in _streams(options):
            await store.begin(stream, 0.0)
            for clip in _clips(options.clips):
                await store.append(stream, (await engine.encode(clip)).tokens, b"")
    finally:
        await store.close()


async def _row(name: str, engine: Engine, redis_url: str, options: argparse.Namespace) -> EngineRow:
    store = RedisStore.connect(redis_url, engine.encoder, exact=engine.exact_columns)
    try:
        if (share := getattr(engine, "share", None)) is not None:
            share(store)
        streams = _streams(options)
        clips = _clips(options.clips)
        await engine.encode(clips[0])  # the first finds nothing warm
        alone = [await _timed(engine.encode(clip)) for clip in clips]
        began = time.perf_counter()
        await asyncio.gather(*(_feed(engine, clips) for _ in streams))
        together = len(clips) * len(streams) / (time.perf_counter() - began)
        made = [await _first_word(engine, Past(stream, store)) for stream in streams]
        first = [await _first_word(engine, Past(stream, store)) for stream in streams * 2]
        began = time.perf_counter()
        await asyncio.gather(*(_first_word(engine, Past(s, store)) for s in streams * 2))
        answers = 2 * len(streams) / (time.perf_counter() - began)
    finally:
        await store.close()
    return EngineRow(
        name=name,
        clips=round(together, 3),
        clip_ms=1000 * (quantile(alone, 0.5) or 0.0),
        first_word_ms=1000 * (quantile(first, 0.5) or 0.0),
        answers=round(answers, 3),
        made_s=quantile(made, 0.5) or 0.0,
    )


async def _feed(engine: Engine, clips: Sequence[Clip]) -> None:
    """Encode a stream's clips, two under way at a time, as a busy stream does."""
    for first in range(0, len(clips), 2):
        await asyncio.gather(*(engine.encode(clip) for clip in clips[first : first + 2]))


async def _timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def _first_word(engine: Engine, past: Past) -> float:
    """Ask, hear the whole answer, and return the seconds to its first piece."""
    began, first = time.perf_counter(), 0.0
    async with aclosing(engine.answer(past, _QUESTION)) as pieces:
        async for _ in pieces:
            first = first or time.perf_counter() - began
    return first


def _streams(options: argparse.Namespace) -> list[str]:
    return [f"camera-{number}" for number in range(options.streams)]


def _clips(count: int) -> list[Clip]:
    random = torch.Generator().manual_seed(0)
    shape = (4, 360, 640, 3)
    return [
        Clip(
            torch.randint(0, 256, shape, dtype=torch.uint8, generator=random), 4.0 * n, 4.0 * n + 3
        )
        for n in range(count)
    ]


if __name__ == "__main__":
    benchmark_main("cluster", __doc__, run, add_options)
