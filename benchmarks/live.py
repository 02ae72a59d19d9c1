"""How live the service is: a real sender, real questions, measured from outside.

Starts `flashback serve` in a process of its own, plays a video into it over WebRTC in real time,
and asks questions over the WebSocket when the stream is 1 and 5 minutes old, while it plays on.

Targets on two cores: frame age p99 below 500 ms, first word below 2.5 s.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks.command.options import above_zero, at_least_one, video_file
from benchmarks.command.report import Report, benchmark_main, met, quantile
from benchmarks.harness.asking import Timed, ask
from benchmarks.harness.service import Service, serving
from stream.webrtc.whip_client import play

SAMPLE = Path(__file__).parent.parent / "web" / "sample" / "sample.mp4"
STREAM = "bench"
QUESTIONS = (
    "What do you see?",
    "What was shown first?",
    "Which way does it move?",
    "What was shown before this?",
    "What colour is it?",
)
_POLL = 0.25  # seconds
_PAUSE_WINDOW = (
    61.0  # seconds; /health reports the last minute, and loading the model is in the first
)


@dataclass(slots=True)
class Watched:
    """What polling the service from outside saw.

    Attributes:
        ages: Frame age of every clip, in milliseconds.
        encodes: Time to encode every clip, in milliseconds.
        first_picture_ms: From the offer to the first picture that was looked at.
        first_clip_ms: From the offer to the first clip in memory.
        pause_ms: Longest pause of the event loop, from a minute after the start on.
        peak_mib: The most memory the service and its Redis held.
        status: The stream as it was last.
    """

    ages: list[float] = field(default_factory=list)
    encodes: list[float] = field(default_factory=list)
    first_picture_ms: float | None = None
    first_clip_ms: float | None = None
    pause_ms: float | None = None
    peak_mib: float = 0.0
    status: dict[str, Any] = field(default_factory=dict)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--model", default="lite", help="what answers (default: lite)")
    parser.add_argument("--video", type=video_file, default=SAMPLE, help="what plays")
    parser.add_argument(
        "--minutes", type=above_zero, nargs="+", default=[1.0, 5.0], help="when to ask"
    )
    parser.add_argument("--questions", type=at_least_one, default=10, help="how many each time")


def run(options: argparse.Namespace) -> Report:
    """Measure a service as it runs."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, transient=True, console=Console(stderr=True)) as shown:
        task = shown.add_task("starting the service")
        return asyncio.run(measure(options, lambda words: shown.update(task, description=words)))


async def measure(options: argparse.Namespace, progress: Callable[[str], None]) -> Report:
    """Start the service and the sender, wait, ask, and add up."""
    answers: dict[float, list[Timed]] = {}
    watched = Watched()
    async with serving(options.model) as service, asyncio.TaskGroup() as tasks:
        offered = time.perf_counter()
        playing = tasks.create_task(play(options.video, f"{service.address}/whip/{STREAM}"))
        await first_times(service, watched, offered)
        watching = tasks.create_task(watch(service, watched))
        for minutes in sorted(options.minutes):
            progress(f"playing until the stream is {minutes:g} minutes old")
            await grown(service, 60 * minutes)
            progress(f"asking at {minutes:g} minutes")
            answers[minutes] = [
                await ask(service.address, STREAM, QUESTIONS[index % len(QUESTIONS)])
                for index in range(options.questions)
            ]
        watched.peak_mib = service.peak_memory_mib()
        for task in (watching, playing):
            task.cancel()
    return report(options, watched, answers)


async def grown(service: Service, seconds: float) -> None:
    """Wait until the stream remembers `seconds` of media."""
    end = 0.0
    while end < seconds:
        await asyncio.sleep(_POLL)
        end = (await _status(service)).get("end") or 0.0


async def first_times(service: Service, watched: Watched, offered: float) -> None:
    """Note how long after the offer the first picture was looked at and the first clip kept."""
    while watched.first_clip_ms is None:
        await asyncio.sleep(0.02)
        status = await _status(service)
        now = 1000 * (time.perf_counter() - offered)
        if status.get("sampled") and watched.first_picture_ms is None:
            watched.first_picture_ms = now
        if status.get("clips"):
            watched.first_clip_ms = now


async def watch(service: Service, watched: Watched) -> None:
    """Note the numbers of every new clip, until cancelled."""
    began, clips = time.perf_counter(), -1
    while True:
        status = watched.status = await _status(service)
        if status.get("clips", 0) != clips and status.get("encode_ms") is not None:
            clips = status["clips"]
            watched.ages.append(status["frame_age_ms"])
            watched.encodes.append(status["encode_ms"])
        if time.perf_counter() - began > _PAUSE_WINDOW:
            health = await service.get("/health")
            watched.pause_ms = max(watched.pause_ms or 0.0, health["loop_pause_ms"])
        await asyncio.sleep(_POLL)


async def _status(service: Service) -> dict[str, Any]:
    listed = await service.get("/v1/streams")
    return next((status for status in listed["streams"] if status["name"] == STREAM), {})


def report(
    options: argparse.Namespace, watched: Watched, answers: dict[float, list[Timed]]
) -> Report:
    """Add up what was seen."""
    lost = sum(watched.status["lost"].values())
    numbers: dict[str, Any] = {
        "first_picture_ms": watched.first_picture_ms,
        "first_clip_ms": watched.first_clip_ms,
        "frame_age_p50_ms": quantile(watched.ages, 0.5),
        "frame_age_p99_ms": quantile(watched.ages, 0.99),
        "encode_p50_ms": quantile(watched.encodes, 0.5),
        "encode_p99_ms": quantile(watched.encodes, 0.99),
        "clips": watched.status["clips"],
        "clips_lost": lost,
        "loop_pause_ms": watched.pause_ms,
        "peak_memory_mib": watched.peak_mib,
        "questions": {f"{minutes:g} min": asked(timed) for minutes, timed in answers.items()},
    }
    rows: list[list[str | float | None]] = [
        [name.replace("_", " "), value] for name, value in numbers.items() if name != "questions"
    ]
    for age, of in numbers["questions"].items():
        rows += [[f"{name.replace('_', ' ')} at {age}", value] for name, value in of.items()]
    late = [timed.first_word_ms for each in answers.values() for timed in each]
    notes = [
        "The sender encodes on the same cores as the service decodes, sees and answers.",
        met("frame age p99 below 500 ms", numbers["frame_age_p99_ms"], 500),
        met("first word p95 below 2,500 ms", quantile(late, 0.95), 2500),
    ]
    settings = {
        "model": options.model,
        "video": options.video.name,
        "questions each": options.questions,
    }
    title = "A live stream, watched and asked about"
    return Report(title, settings, ["", "value"], rows, numbers, notes)


def asked(timed: Sequence[Timed]) -> dict[str, Any]:
    """Add up the answers to the questions of one age of the stream."""
    first = [each.first_word_ms for each in timed]
    paces = [pace for each in timed if (pace := each.words_per_second) is not None]
    slowest = max(range(len(first)), key=first.__getitem__)
    return {
        "first_word_p50_ms": quantile(first, 0.5),
        "first_word_p95_ms": quantile(first, 0.95),
        "slowest_first_word": f"question {slowest + 1}: {QUESTIONS[slowest % len(QUESTIONS)]}",
        "each_first_word_ms": ", ".join(f"{each:,.0f}" for each in first),
        "words_per_second": quantile(paces, 0.5),
        "clips_drawn_on": timed[0].clips,
    }


if __name__ == "__main__":
    benchmark_main("live", __doc__, run, add_options)
