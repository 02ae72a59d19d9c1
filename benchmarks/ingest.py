"""What it costs to take streams in, and whether the service ever falls behind.

Four parts, with real WebRTC senders that send a file as it is:

- scale: 1, 4 and 16 streams; pictures and clips per second of processor time, frame age, memory.
- plain: processor time for a 720p stream, beside a loop that receives with aiortc and turns every
  picture into RGB, in the same run. Target: at least 3 times less.
- slow: an encoder 15 times too slow, for 10 minutes. Targets: frame age p99 below 500 ms, memory
  growth below 20 MiB.
- many: 16 cameras that are pulled and 4 senders (real browsers with --chromium), with the network that
  the service runs by default.
  Target: no more clips lost in the second half than in the first.

Elsewhere the network is a tiny one with random weights: what is measured is the way to it.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks.command.options import above_zero, at_least_one
from benchmarks.command.report import Report, benchmark_main, met, quantile
from benchmarks.harness.browsers import browsing
from benchmarks.harness.service import (
    START_PATIENCE,
    CannotMeasure,
    Service,
    dies_with_parent,
    free_port,
    running,
    serving,
    stop,
)
from benchmarks.harness.video import make_video, repeat_video

FRAMES_PER_CLIP = 4
PARTS = ("scale", "plain", "slow", "many")
Tell = Callable[[str], None]


@dataclass(slots=True)
class IngestRun:
    """One service under load for a while.

    Attributes:
        what: A name for the row.
        seconds: How long it was measured.
        streams: How many were sent.
        cores: Processor seconds per second, of the service and its Redis.
        pictures: Pictures that came in.
        clips: Clips remembered.
        ages: Of every stream: median and 99th percentile frame age, in milliseconds.
        lost: Clips lost.
        lost_late: Clips lost in the second half of the time.
        rates: Frames sampled per second in the end, of every stream.
        each_mib: Memory per stream, above what the service holds without any.
        grown_mib: Memory gained while it was measured.
    """

    what: str
    seconds: float
    streams: int
    cores: float
    pictures: int
    clips: int = 0
    ages: list[tuple[float, float]] = field(default_factory=list)
    lost: int = 0
    lost_late: int = 0
    rates: list[float] = field(default_factory=list)
    each_mib: float | None = None
    grown_mib: float | None = None

    def numbers(self) -> dict[str, Any]:
        """Return what was measured, for programs."""
        spent = max(self.cores * self.seconds, 1e-9)
        return {
            "seconds": round(self.seconds, 1),
            "streams": self.streams,
            "cores": round(self.cores, 3),
            "cores_per_stream": round(self.cores / self.streams, 4),
            "pictures_per_second": round(self.pictures / self.seconds, 1),
            "clips": self.clips,
            "pictures_per_core_second": round(self.pictures / spent, 1),
            "clips_per_core_second": round(self.clips / spent, 2),
            "frame_age_p50_ms": quantile([middle for middle, _ in self.ages], 0.5),
            "frame_age_p99_ms": max((worst for _, worst in self.ages), default=None),
            "clips_lost": self.lost,
            "clips_lost_in_second_half": self.lost_late,
            "lowest_rate": min(self.rates, default=None),
            "memory_per_stream_mib": self.each_mib,
            "memory_growth_mib": self.grown_mib,
        }


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--streams", type=at_least_one, nargs="+", default=[1, 4, 16])
    parser.add_argument("--plain-streams", type=at_least_one, default=4, help="of the part `plain`")
    parser.add_argument("--seconds", type=above_zero, default=30.0, help="to measure each run for")
    parser.add_argument("--warm-up", type=float, default=10.0, help="seconds before that")
    parser.add_argument("--slow-seconds", type=above_zero, default=600.0, help="for the slow part")
    parser.add_argument("--times", type=above_zero, default=15.0, help="how many times too slow")
    parser.add_argument("--cameras", type=at_least_one, default=16, help="of the part `many`")
    parser.add_argument("--browsers", type=int, default=4, help="of the part `many`")
    parser.add_argument("--chromium", action="store_true", help="browsers there, not mere senders")
    parser.add_argument("--many-seconds", type=above_zero, default=180.0, help="for that part")
    parser.add_argument("--model", default="lite", help="of that part")
    parser.add_argument(
        "--rate", type=above_zero, default=1.0, help="pictures looked at per second"
    )


def run(options: argparse.Namespace) -> Report:
    """Measure the parts that were asked for."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, transient=True, console=Console(stderr=True)) as shown:
        task = shown.add_task("starting")
        runs = asyncio.run(measure(options, lambda words: shown.update(task, description=words)))
    numbers = {one.what: one.numbers() for one in runs}
    rows = [
        [name.replace("_", " "), *(each[name] for each in numbers.values())]
        for name in runs[0].numbers()
    ]
    settings = {
        "pictures looked at per second": options.rate,
        "scale": "640x360 at 15",
        "plain": "1280x720 at 30",
        "slow": f"640x360 at 30, {options.times:g} times too slow",
        "many": f"{options.cameras} cameras pulled at 640x360 at 15, {_others(options)}",
        "network": f"tiny; many: {options.model}",
    }
    title = "Streams taken in, and never behind"
    return Report(title, settings, ["", *numbers], rows, numbers, notes(runs))


async def measure(options: argparse.Namespace, tell: Tell) -> list[IngestRun]:
    """Run the parts one after the other."""
    runs: list[IngestRun] = []
    with tempfile.TemporaryDirectory(prefix="flashback-video-") as name:
        folder = Path(name)
        if "scale" in options.parts:
            video = _video(folder / "small.webm", tell, width=640, height=360, rate=15)
            runs += [await scale(options, tell, video, count) for count in options.streams]
        if "plain" in options.parts:
            video = _video(folder / "hd.webm", tell, width=1280, height=720, rate=30)
            runs += [await plain(options, tell, video), await ours(options, tell, video)]
        if "slow" in options.parts:
            video = _video(folder / "fast.webm", tell, width=640, height=360, rate=30)
            runs.append(await slow(options, tell, video))
        if "many" in options.parts:
            small = _video(folder / "small.webm", tell, width=640, height=360, rate=15)
            runs.append(await many(options, tell, small, folder))
    return runs


async def scale(options: argparse.Namespace, tell: Tell, video: Path, count: int) -> IngestRun:
    """Measure the service with `count` streams."""
    tell(f"{count} streams")
    async with serving("tiny", SAMPLE_RATE=str(options.rate), **_places(count)) as service:
        return await under_load(
            options, service, sending(video, count, service), f"{count} streams"
        )


async def ours(options: argparse.Namespace, tell: Tell, video: Path) -> IngestRun:
    """Measure the service with 720p streams."""
    count = options.plain_streams
    tell(f"{count} 720p streams")
    async with serving("tiny", SAMPLE_RATE=str(options.rate), **_places(count)) as service:
        return await under_load(options, service, sending(video, count, service), "720p, ours")


async def slow(options: argparse.Namespace, tell: Tell, video: Path) -> IngestRun:
    """Measure the service with an encoder that is too slow."""
    tell(f"an encoder {options.times:g} times too slow, for {options.slow_seconds:g} s")
    settings = {"SAMPLE_RATE": str(options.rate)}
    arguments = ["--times", str(options.times)]
    async with running("benchmarks.harness.slow_service", arguments, settings=settings) as service:
        what = f"{options.times:g} times too slow"
        # What the first clip loads, once it is encoded at last, does not count as growth.
        first = options.times * FRAMES_PER_CLIP / options.rate
        senders = sending(video, 1, service)
        return await under_load(options, service, senders, what, options.slow_seconds, first)


async def many(options: argparse.Namespace, tell: Tell, video: Path, folder: Path) -> IngestRun:
    """Measure the service with cameras that it pulls beside senders."""
    seconds = int(options.many_seconds + options.warm_up + START_PATIENCE)
    film = repeat_video(video, folder / "camera.webm", seconds=seconds)
    what = f"{options.cameras} cameras, {_others(options)}"
    tell(what)
    settings = {"SAMPLE_RATE": str(options.rate), **_places(options.cameras + options.browsers)}
    async with cameras(film) as address:
        arguments = ["serve", "--model", options.model]
        for number in range(options.cameras):
            arguments += ["--source", f"camera{number}={address}/{film.name}"]
        async with running("web.cli", arguments, settings=settings) as service:
            count = options.browsers
            chosen = options.chromium
            senders = browsing(service, count) if chosen else sending(video, count, service)
            return await under_load(options, service, senders, what, options.many_seconds)


async def plain(options: argparse.Namespace, tell: Tell, video: Path) -> IngestRun:
    """Measure the loop that turns every picture of 720p streams into RGB."""
    count = options.plain_streams
    tell(f"{count} 720p streams, received by a plain loop")
    async with (
        running("benchmarks.harness.plain_receiver", ready="/count") as service,
        sending(video, count, service),
    ):
        await asyncio.sleep(options.warm_up)
        before = await service.get("/count")
        spent, began = service.cpu_seconds(), _now()
        await asyncio.sleep(options.seconds)
        took, spent = _now() - began, service.cpu_seconds() - spent
        after = await service.get("/count")
    pictures = after["pictures"] - before["pictures"]
    return IngestRun("720p, plain loop", took, count, spent / took, pictures)


async def under_load(
    options: argparse.Namespace,
    service: Service,
    senders: AbstractAsyncContextManager[None],
    what: str,
    seconds: float | None = None,
    first_clip: float = 0.0,
) -> IngestRun:
    """Let `senders` into `service` and weigh it for `seconds`, some time after `first_clip`."""
    idle = service.memory_mib()
    async with senders:
        await asyncio.sleep(first_clip + options.warm_up)
        before, held = await _streams(service), service.memory_mib()
        spent, began = service.cpu_seconds(), _now()
        half = (seconds or options.seconds) / 2
        await asyncio.sleep(half)
        middle = await _streams(service)
        await asyncio.sleep(half)
        took, spent = _now() - began, service.cpu_seconds() - spent
        after, now_held = await _streams(service), service.memory_mib()
    return IngestRun(
        what=what,
        seconds=took,
        streams=len(after),
        cores=spent / took,
        pictures=_total(after, "frames") - _total(before, "frames"),
        clips=_total(after, "clips") - _total(before, "clips"),
        ages=[
            (each["frame_age_p50_ms"], each["frame_age_p99_ms"])
            for each in after
            if each["frame_age_p99_ms"] is not None
        ],
        lost=_lost(after),
        lost_late=_lost(after) - _lost(middle),
        rates=[each["rate"] for each in after],
        each_mib=round((now_held - idle) / len(after), 1),
        grown_mib=round(now_held - held, 1),
    )


@asynccontextmanager
async def sending(video: Path, count: int, service: Service) -> AsyncIterator[None]:
    """Send `video` `count` times into `service` from a process of its own.

    Raises:
        CannotMeasure: If the senders do not get in.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"{__package__}.harness.senders", str(video), str(count)),
        f"{service.address}/whip/stream{{}}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if await process.stdout.readline() != b"sending\n":
            raise CannotMeasure("the senders did not get in; what they said stands above")
        yield
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def cameras(film: Path) -> AsyncIterator[str]:
    """Serve `film` over HTTP from a process of its own; yield the address."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *dies_with_parent(sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"),
        *("--directory", str(film.parent)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await stop(process)


def notes(runs: list[IngestRun]) -> list[str]:
    """Return which targets were met."""
    by_name = {one.what: one for one in runs}
    said = ["Senders run on the same cores; their processor time is not counted."]
    if "720p, ours" in by_name:
        plain_loop, ours = by_name["720p, plain loop"], by_name["720p, ours"]
        ratio = plain_loop.cores / ours.cores
        verdict = "met" if ratio >= 3 else "MISSED"
        said.append(f"Target 3 times less processor time than the plain loop: {verdict} ({ratio:.2f}).")  # fmt: skip
    for one in runs:
        if one.what.endswith("too slow"):
            age = one.numbers()["frame_age_p99_ms"]
            said.append(met("frame age p99 below 500 ms, too slow", age, 500))
            said.append(met("memory growth below 20 MiB, too slow", one.grown_mib, 20))
        if "cameras" in one.what:
            early = one.lost - one.lost_late
            verdict = "met" if one.lost_late <= early else "MISSED"
            said.append(
                f"Target losses that do not grow, {one.what}: {verdict} ({early} clips lost in the "
                f"first half, {one.lost_late} in the second)."
            )
            said.append(
                "Memory grows there by what streams' histories hold, nearly a MiB a clip with lite, "
                "until FLASHBACK_HISTORY_MB is full."
            )
    return said


def _video(path: Path, tell: Tell, *, width: int, height: int, rate: int) -> Path:
    tell(f"making a {width}x{height} video")
    return make_video(path, width=width, height=height, rate=rate, seconds=20)


def _others(options: argparse.Namespace) -> str:
    return f"{options.browsers} {'browsers' if options.chromium else 'senders'}"


def _places(count: int) -> dict[str, str]:
    return {"MAX_STREAMS": str(count), "MAX_STREAMS_PER_TOKEN": str(count)}


async def _streams(service: Service) -> list[dict[str, Any]]:
    listed = await service.get("/v1/streams")
    return list(listed["streams"])


def _total(streams: list[dict[str, Any]], what: str) -> int:
    return sum(int(each[what]) for each in streams)


def _lost(streams: list[dict[str, Any]]) -> int:
    return sum(sum(each["lost"].values()) for each in streams)


def _now() -> float:
    return asyncio.get_running_loop().time()


if __name__ == "__main__":
    benchmark_main("ingest", __doc__, run, add_options)
