"""What watches cost: milliseconds added to a clip, with many watches on many streams.

Made-up clips of many streams are held against the watches on the event loop, as a service does beside its
other work, and read by the same code that reads the tokens of `lite`.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch

from benchmarks.command.options import at_least_one
from benchmarks.command.report import Report, benchmark_main, met, quantile
from memory.local_documents import LocalDocuments
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

TARGET_MS = 5.0
CLIP_SECONDS = 4.0


class Reader:
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
    return Report(
        title=f"{options.watches} watches on {options.streams} streams, a clip at a time",
        settings={"watches": options.watches, "streams": options.streams, "clips": options.clips},
        columns=("added a clip, p50 (ms)", "p99 (ms)", "events", "clips lost"),
        rows=[(middle, worst, events, lost)],
        numbers={
            "added_ms_p50": middle,
            "added_ms_p99": worst,
            "events": events,
            "lost": lost,
            "target_ms": TARGET_MS,
        },
        notes=[met(f"below {TARGET_MS:g} ms a clip, p50", middle, TARGET_MS)],
    )


async def _measure(watches: int, streams: int, clips: int) -> tuple[list[float], int, int]:
    """Return milliseconds of each clip, events, and clips lost."""
    table, random = word_table(), np.random.default_rng(0)
    world = World(table, likeness(table))
    names = [f"stream-{n}" for n in range(streams)]
    scenes = [world.stream(random, Mix(longest=64)).seen for _ in names]
    now = [0.0]
    watcher = Watcher(
        cast("Engine", Reader()),  # all that watching asks of an engine
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
    parser.add_argument("--clips", type=at_least_one, default=100, help="of each stream")


if __name__ == "__main__":
    benchmark_main("watches", __doc__, run, add_options)
