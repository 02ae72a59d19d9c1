"""What watches cost: milliseconds added to a clip, with many watches on many streams.

Made-up clips of many streams are held against the watches on the event loop, as a service does beside its
other work, and read by the same code that reads the tokens of `lite`. With `--verified` also what a person's
first word waits for while `lite` is asked whether an event is true.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch

from benchmarks.command.options import at_least_one
from benchmarks.command.report import Json, Report, benchmark_main, met, quantile
from benchmarks.harness.verifying import FirstWords, pairs
from memory.local_documents import LocalDocuments
from memory.local_store import LocalStore
from model.engine.contract import Engine
from model.types import ClipTokens
from model.vision.things import CODE, Thing, pack
from model.vision.vocabulary import word_table
from model.zoo.lite import LOOK, THINGS, TOKENS_KEPT, things_of
from stream.watches.book import WatchBook
from stream.watches.condition import Clause, Condition
from stream.watches.records import Event, Verdict, Watch
from stream.watches.watcher import Watcher
from training.streams.world import Mix, World
from training.watches.evaluate import likeness
from web.composition.opening import load_model
from web.settings import Settings

TARGET_MS, TARGET_RATIO = 5.0, 1.1
CLIP_SECONDS = 4.0


class ThingReader:
    """Reads the things of `lite`'s tokens, as its engine does."""

    name = "lite"

    async def things(self, clips: Sequence[ClipTokens]) -> list[Sequence[Thing]] | None:
        """See `Engine.things`."""
        return [things_of(clip) for clip in clips]


async def _unverified(_watch: Watch, _event: Event) -> tuple[Verdict, str]:
    return "unverified", ""


def run(options: argparse.Namespace) -> Report:
    """Measure."""
    each, events, lost = asyncio.run(_measure(options.watches, options.streams, options.clips))
    middle, worst = quantile(each, 0.5), quantile(each, 0.99)
    numbers: dict[str, Json] = {
        "added_ms_p50": middle,
        "added_ms_p99": worst,
        "events": events,
        "lost": lost,
        "target_ms": TARGET_MS,
    }
    notes = [met(f"below {TARGET_MS:g} ms a clip, p50", middle, TARGET_MS)]
    if options.verified:
        more, said = _verified(options)
        numbers |= more
        notes += said
    return Report(
        title=f"{options.watches} watches on {options.streams} streams, a clip at a time",
        settings={"watches": options.watches, "streams": options.streams, "clips": options.clips},
        columns=("added a clip, p50 (ms)", "p99 (ms)", "events", "clips lost"),
        rows=[(middle, worst, events, lost)],
        numbers=numbers,
        notes=notes,
    )


def _verified(options: argparse.Namespace) -> tuple[dict[str, Json], list[str]]:
    """Return what verification does to a person's first word, as numbers and in words."""
    found = asyncio.run(_pairs(options.verified, options.history))
    ratios = [pair.ratio for pair in found]
    middle, worst = quantile(ratios, 0.5), quantile(ratios, 0.9)
    alone = 1000 * (quantile([pair.alone for pair in found], 0.5) or 0.0)
    numbers: dict[str, Json] = {
        "verified_ratio_p50": middle,
        "verified_ratio_p90": worst,
        "first_word_ms_p50": alone,
        "target_ratio": TARGET_RATIO,
    }
    about = (
        f"times as long as alone ({alone:.0f} ms), median of {len(found)} pairs; p90 {worst:.2f}"
    )
    return numbers, [met(f"a person's first word during a verification, {about}", middle, TARGET_RATIO)]  # fmt: skip


async def _pairs(count: int, clips: int) -> list[FirstWords]:
    engine = await asyncio.to_thread(load_model, Settings.from_env({}, model="lite"), lambda _: None)  # fmt: skip
    try:
        table, random = word_table(), np.random.default_rng(1)
        seen = World(table, likeness(table)).stream(random, Mix(longest=clips)).seen
        store = LocalStore(engine.encoder, exact=engine.exact_columns)
        await store.begin("door", 0.0)
        tokens = [_tokens(seen[n % len(seen)], n * CLIP_SECONDS) for n in range(clips)]
        for clip in tokens:
            await store.append("door", clip, b"")
        return await pairs(engine, store, "door", [clip.start for clip in tokens], count)
    finally:
        await engine.close()


async def _measure(watches: int, streams: int, clips: int) -> tuple[list[float], int, int]:
    """Return milliseconds of each clip, events, and clips lost."""
    table, random = word_table(), np.random.default_rng(0)
    world = World(table, likeness(table))
    names = [f"stream-{n}" for n in range(streams)]
    scenes = [world.stream(random, Mix(longest=64)).seen for _ in names]
    now = [0.0]
    watcher = Watcher(
        cast("Engine", ThingReader()),  # all that watching asks of an engine
        WatchBook(LocalDocuments()),
        wall=lambda: now[0],
        verify=_unverified,
    )
    took: list[float] = []
    async with watcher.at_work():
        for number in range(watches):
            words = tuple({table[world.word(random)].name for _ in range(2)})
            await watcher.save(Watch(f"w{number}", "", (), Condition((Clause(words),))))
        for number in range(clips):
            now[0] = number * CLIP_SECONDS
            for name, seen in zip(names, scenes, strict=True):
                clip = _tokens(seen[number % len(seen)], now[0])
                began = time.perf_counter()
                watcher.seen(name, clip)
                await watcher.settle()
                took.append((time.perf_counter() - began) * 1000)
        events = len(await watcher.book.events(2000))
        return took, events, watcher.lost


def _tokens(things: Sequence[Thing], start: float) -> ClipTokens:
    values = torch.zeros(TOKENS_KEPT + THINGS, LOOK + CODE, dtype=torch.float16)
    values[:THINGS, LOOK:] = pack(things, THINGS)
    return ClipTokens(values, start, start + 3)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--watches", type=at_least_one, default=50, help="on every stream")
    parser.add_argument("--streams", type=at_least_one, default=16)
    parser.add_argument(
        "--verified", type=int, default=0, metavar="PAIRS", help="questions beside a verification"
    )
    parser.add_argument("--history", type=at_least_one, default=64, help="clips asked about there")
    parser.add_argument("--clips", type=at_least_one, default=100, help="of each stream")


if __name__ == "__main__":
    benchmark_main("watches", __doc__, run, add_options)
