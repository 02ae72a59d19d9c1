"""How soon a sender is answered and seen: one after the other joins with a new stream.

Targets: the answer within 200 ms of the offer, the first frames in memory within 1 s of it.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import Progress

from benchmarks.command.options import at_least_one
from benchmarks.command.report import Report, benchmark_main, met, quantile
from benchmarks.harness.senders import send
from benchmarks.harness.service import Service, serving
from benchmarks.harness.video import make_video

_POLL = 0.01
_PATIENCE = 30.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--model", default="lite", help="what looks (default: lite)")
    parser.add_argument(
        "--joins", type=at_least_one, default=20, help="senders, one after the other"
    )


def run(options: argparse.Namespace) -> Report:
    """Let senders join."""
    with Progress(transient=True, console=Console(stderr=True)) as shown:
        task = shown.add_task("joining", total=options.joins)
        answers, clips = asyncio.run(measure(options, lambda: shown.advance(task)))
    numbers = {
        "answer_p50_ms": quantile(answers, 0.5),
        "answer_p95_ms": quantile(answers, 0.95),
        "first_clip_p50_ms": quantile(clips, 0.5),
        "first_clip_p95_ms": quantile(clips, 0.95),
    }
    return Report(
        title="From the offer to the answer, and to the first clip in memory",
        settings={"model": options.model, "joins": options.joins, "video": "640x360 at 30"},
        columns=["", "value"],
        rows=[[name.replace("_", " "), value] for name, value in numbers.items()],
        numbers=numbers,
        notes=[
            "The first clip holds four frames. One sender at a time is connected.",
            met("answer p95 below 200 ms", numbers["answer_p95_ms"], 200),
            met("first clip p95 below 1,000 ms", numbers["first_clip_p95_ms"], 1000),
        ],
    )


async def measure(
    options: argparse.Namespace, joined: Callable[[], None]
) -> tuple[list[float], list[float]]:
    """Return milliseconds from the offer to the answer and to the first clip, of every sender."""
    answers, clips = [], []
    with tempfile.TemporaryDirectory(prefix="flashback-video-") as folder:
        video = await asyncio.to_thread(
            make_video, Path(folder) / "small.webm", width=640, height=360, rate=30, seconds=20
        )
        async with serving(options.model) as service, httpx.AsyncClient(timeout=30) as client:
            for number in range(options.joins + 1):
                answer, clip = await join(service, client, video, f"join{number}")
                if number > 0:  # the first one finds nothing warm
                    answers.append(answer)
                    clips.append(clip)
                    joined()
    return answers, clips


async def join(
    service: Service, client: httpx.AsyncClient, video: Path, name: str
) -> tuple[float, float]:
    """Return milliseconds from the offer to the answer and to the first clip of a new stream."""
    offered = time.perf_counter()
    peer, answered = await send(client, video, f"{service.address}/whip/{name}")
    try:
        async with asyncio.timeout(_PATIENCE):
            remembered = False
            while not remembered:
                await asyncio.sleep(_POLL)
                remembered = await remembers(service, name)
        seen = time.perf_counter() - offered
    finally:
        await peer.close()
    return 1000 * answered.total_seconds(), 1000 * seen


async def remembers(service: Service, name: str) -> bool:
    """Say whether a clip of the stream is in memory."""
    listed = await service.get("/v1/streams")
    return any(each["name"] == name and each["clips"] > 0 for each in listed["streams"])


if __name__ == "__main__":
    benchmark_main("join", __doc__, run, add_options)
