"""What memory takes and how fast it is: the same clips in float16, int8 and int4, in one Redis.

    flashback bench memory

Clips of random tokens with a few large values, as encoders have them, go through the store into an
embedded Redis. Forms take turns, so that whatever else the machine does meets all of them. `int4` is
what clips past a quota are kept in.

Target: 64 MB an hour at one frame a second for tokens 1,024 wide, thumbnails included, in int8.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import torch
from redis.asyncio import Redis

from benchmarks.command.options import at_least_one
from benchmarks.command.report import Report, benchmark_main, met
from memory.embedded.server import EmbeddedRedis
from memory.redis.layout import StreamKeys
from memory.redis.store import RedisStore
from memory.store import Form, Moment
from model.types import ClipTokens

FORMS: tuple[Form, ...] = ("float16", "int8", "int4")
SHAPES = {"lite": (24, 140, 12), "1,024 wide": (64, 1024, 0)}
"""Rows and width of a clip's tokens, and how many columns are exact."""
SECONDS_PER_CLIP = 4
CLIPS_PER_HOUR = 3600 // SECONDS_PER_CLIP
THUMBNAIL = 4500  # bytes, as those of real films have at 160 pixels
BATCH = 50


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument(
        "--clips", type=at_least_one, default=CLIPS_PER_HOUR, help="of each form (default: an hour)"
    )


def run(options: argparse.Namespace) -> Report:
    """Write and read the clips."""
    numbers: dict[str, Measured] = {}
    for name, shape in SHAPES.items():
        numbers |= asyncio.run(_measure(name, shape, options.clips))
    rows = [[name, *found.values()] for name, found in numbers.items()]
    # In millions of bytes, as disks are sold.
    half, hour = (numbers[f"1,024 wide, {form}"]["mb_an_hour"] or 0 for form in ("float16", "int8"))
    return Report(
        title="What memory takes, and how fast it is",
        settings={"clips": options.clips, "frames": "1 a second, 4 a clip", "thumbnail": THUMBNAIL},
        columns=["", *next(iter(numbers.values()))],
        rows=rows,
        numbers={"forms": numbers, "int8_to_float16_bytes": hour / half},
        notes=[
            "MB an hour is Redis's own count of what the keys take, thumbnails and index included.",
            "Error is the mean distance of a row from what the encoder gave, as a share of its length.",
            "To rebuild is to read every clip back in order, decoded: what a history is made from.",
            "Random tokens with large values in one column of fifty; real ones may round better or worse.",
            met("1,024 wide in int8 below 64 MB an hour", hour, 64),
        ],
    )


Measured = dict[str, float | None]


async def _measure(name: str, shape: tuple[int, int, int], clips: int) -> dict[str, Measured]:
    """Write `clips` clips in every form, forms in turns, and read them back."""
    rows, width, exact = shape
    values = _tokens(rows, width)
    with tempfile.TemporaryDirectory() as folder:
        async with await EmbeddedRedis.start(Path(folder) / "redis", megabytes=2048) as server:
            stores = {
                form: RedisStore.connect(server.url, name, form=form, exact=exact) for form in FORMS
            }
            found = await _written(stores, server.url, values, clips)
            for form, store in stores.items():
                found[form] |= await _read(store, form, values[:, : width - exact], clips)
            shrinking = await _shrink(stores["int8"], min(16, clips))
            for form, store in stores.items():
                found[form]["to_int4_ms_a_clip"] = shrinking if form == "int8" else None
                await store.close()
    return {f"{name}, {form}": measured for form, measured in found.items()}


async def _written(
    stores: dict[Form, RedisStore], url: str, values: torch.Tensor, clips: int
) -> dict[Form, Measured]:
    """Return how fast clips are written, and what Redis says that they take."""
    took = dict.fromkeys(stores, 0.0)
    for form, store in stores.items():
        await store.begin(form, 0.0)
    for first in range(0, clips, BATCH):
        for form, store in stores.items():
            began = time.perf_counter()
            for number in range(first, min(first + BATCH, clips)):
                start = float(SECONDS_PER_CLIP * number)
                clip = ClipTokens(values, start, start + 3)
                await store.append(form, clip, bytes(THUMBNAIL))
            took[form] += time.perf_counter() - began
    async with Redis.from_url(url, driver_info=None) as redis:
        size = {form: await _size(redis, form) for form in stores}
    return {
        form: {
            "mb_an_hour": size[form] / clips * CLIPS_PER_HOUR / 1e6,
            "appends_a_second": clips / took[form],
        }
        for form in stores
    }


async def _size(redis: Redis, stream: str) -> int:
    """Return what Redis says that the keys of a stream take, every clip looked at."""
    keys = StreamKeys.of(stream).data
    return sum([await redis.memory_usage(key, samples=0) or 0 for key in keys])


async def _read(store: RedisStore, stream: str, coarse: torch.Tensor, clips: int) -> Measured:
    """Return how fast clips are read, and how far they are from what was written."""
    began = time.perf_counter()
    found = [clip async for clip in store.clips(stream)]
    took = time.perf_counter() - began
    return {
        "reads_a_second": clips / took,
        "rebuild_an_hour_s": took / clips * CLIPS_PER_HOUR,
        "error_percent": 100 * _error(coarse, found[-1].values[:, : coarse.shape[1]]),
    }


async def _shrink(store: RedisStore, clips: int) -> float:
    """Return how many milliseconds it takes to bring a clip from int8 to int4."""
    record = await store.find("int8")
    assert record is not None
    span = Moment(0.0, float(SECONDS_PER_CLIP * (clips - 1)))
    began = time.perf_counter()
    read = [clip async for clip in store.clips("int8", until=span.end)]
    await store.replace("int8", span, read, generation=record.generation, form="int4")
    return 1000 * (time.perf_counter() - began) / clips


def _tokens(rows: int, width: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    values = torch.randn(rows, width, generator=random)
    values[:, ::50] *= 8  # a few directions that all tokens share are large in every encoder
    return values.half()


def _error(before: torch.Tensor, after: torch.Tensor) -> float:
    off = (before.float() - after.float()).norm(dim=1)
    return float((off / before.float().norm(dim=1)).mean())


if __name__ == "__main__":
    benchmark_main("memory", __doc__, run, add_options)
