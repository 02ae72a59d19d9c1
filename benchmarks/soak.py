"""Hours of everything at once, with faults: does anything grow, and is every lost clip accounted for?

    flashback bench soak --minutes 30

Cameras are pulled and others send; watches stand; a question is asked every minute; and every few
minutes something fails: cameras go away, senders vanish without a word, Redis is killed. Memory, open
files, and what Redis holds are weighed all the time.

Targets: after the first quarter nothing grows by 2 %; every stream is live in the end; every clip that is lost
was lost to a cause that the service names.
"""

import argparse
import asyncio
import itertools
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks.command.options import above_zero, at_least_one
from benchmarks.command.report import Report, benchmark_main, met
from benchmarks.harness import cameras as camera_process
from benchmarks.harness.service import (
    CannotMeasure,
    Service,
    dies_with_parent,
    free_port,
    running,
)
from benchmarks.harness.soaking import Soak, SoakClock, ask_on, for_seconds, live_again, look_on
from benchmarks.harness.video import make_video
from benchmarks.ingest import sending

SAMPLE = Path(__file__).parent.parent / "web" / "sample" / "sample.mp4"
WATCHES = (
    "Tell me when there is a person",
    "Tell me when there is a bottle",
    "Tell me when a car comes",
)
SLICES = 10
_SETTINGS = ("minutes", "cameras", "senders", "fault_every", "model", "history_mb", "quota_mb")
_COLUMNS = (
    "until (min)",
    "service (MiB)",
    "readers (MiB)",
    "Redis (MiB)",
    "open files",
    "clips",
    "lost",
    "live",
    "loop pause (ms)",
    "first word (ms)",
)
_AWAY = 10.0
"""Seconds for which cameras and senders stay away."""
_EVENTS_TOLD = 500


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--minutes", type=above_zero, default=30.0)
    parser.add_argument("--cameras", type=at_least_one, default=8)
    parser.add_argument("--senders", type=at_least_one, default=2)
    parser.add_argument(
        "--fault-every", type=above_zero, default=3.0, help="minutes between two faults"
    )
    parser.add_argument("--model", default="lite")
    parser.add_argument("--history-mb", type=at_least_one, default=256, help="for all histories")
    parser.add_argument("--quota-mb", type=at_least_one, default=4, help="of each stream's memory")


def run(options: argparse.Namespace) -> Report:
    """Let the time pass."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, transient=True, console=Console(stderr=True)) as shown:
        task = shown.add_task("starting")
        soak = asyncio.run(_soak(options, lambda words: shown.update(task, description=words)))
    return report(options, soak)


class Outside:
    """What feeds the service from processes of its own, and can be taken away and brought back."""

    def __init__(self, start: Callable[[], AbstractAsyncContextManager[Any]]) -> None:
        """Take what starts it."""
        self._start = start
        self._running = AsyncExitStack()

    async def come(self) -> None:
        """Start it."""
        await self._running.enter_async_context(self._start())

    async def go(self) -> None:
        """End it without a word to the service."""
        await self._running.aclose()

    async def leave_for_a_while(self) -> None:
        """End it, and start it again after a while."""
        await self.go()
        await asyncio.sleep(_AWAY)
        await self.come()


async def _soak(options: argparse.Namespace, tell: Callable[[str], None]) -> Soak:
    soak, port, streams = Soak(), free_port(), options.cameras + options.senders
    arguments = ["serve", "--model", options.model]
    for number in range(options.cameras):
        arguments += ["--source", f"camera{number}=http://127.0.0.1:{port}/{number}"]
    settings = {
        "HISTORY_MB": str(options.history_mb),
        "STREAM_QUOTA_MB": str(options.quota_mb),
        "MAX_STREAMS_PER_TOKEN": str(streams),
    }
    with tempfile.TemporaryDirectory(prefix="flashback-video-") as folder:
        film = Path(folder) / "sender.webm"
        await asyncio.to_thread(make_video, film, width=640, height=360, rate=15, seconds=20)
        cameras = Outside(lambda: _cameras(port))
        await cameras.come()
        async with running("web.cli", arguments, settings=settings) as service:
            senders = Outside(lambda: sending(film, options.senders, service))
            await senders.come()
            faults: Mapping[str, Callable[[], Awaitable[None]]] = {
                "cameras away": cameras.leave_for_a_while,
                "senders away": senders.leave_for_a_while,
                "Redis killed": partial(_kill_redis, service),
            }
            await _watch(service)
            if await live_again(service, streams) is None:
                raise CannotMeasure("not every stream became live; the soak was not begun")
            clock = SoakClock()
            work = (
                look_on(service, soak, clock),
                ask_on(service, soak, clock),
                _fail(service, soak, clock, faults, options, tell),
            )
            await for_seconds(60 * options.minutes, *work)
            events = await service.get(f"/v1/watches/events?limit={_EVENTS_TOLD}")
            soak.events = len(events["events"])
            await senders.go()
        await cameras.go()
    return soak


@asynccontextmanager
async def _cameras(port: int) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *dies_with_parent(sys.executable, "-m", camera_process.__name__, str(SAMPLE), str(port)),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        if await process.stdout.readline() != b"showing\n":
            raise CannotMeasure("the cameras did not start; what they said stands above")
        yield
    finally:
        process.kill()  # a camera says nothing when it goes
        await process.wait()


async def _kill_redis(service: Service) -> None:
    for redis in service.children("redis-server"):
        redis.kill()


async def _watch(service: Service) -> None:
    """Make watches on all streams.

    Raises:
        CannotMeasure: If the service does not take them.
    """
    async with httpx.AsyncClient(base_url=service.address, timeout=10) as client:
        for question in WATCHES:
            response = await client.post("/v1/watches", json={"question": question})
            if response.is_error:
                raise CannotMeasure(f"{question!r} cannot be watched for: {response.text}")


async def _fail(
    service: Service,
    soak: Soak,
    clock: SoakClock,
    faults: Mapping[str, Callable[[], Awaitable[None]]],
    options: argparse.Namespace,
    tell: Callable[[str], None],
) -> None:
    """Let one thing after the other fail, and see whether all is well again."""
    for name in itertools.cycle(faults):
        tell(f"soaking; next: {name}")
        await asyncio.sleep(60 * options.fault_every)
        tell(name)
        began = clock()
        await faults[name]()
        back = await live_again(service, options.cameras + options.senders)
        soak.faults.append((began, name, back))


def report(options: argparse.Namespace, soak: Soak) -> Report:
    """Add up what was seen."""
    span = 60 * options.minutes / SLICES
    rows = [_row(soak, n * span, (n + 1) * span) for n in range(SLICES)]
    grown = {
        name: growth_percent([(look.at, getattr(look, name)) for look in soak.looks])
        for name in ("service_mib", "readers_mib", "redis_mib", "files")
    }
    last = soak.looks[-1]
    back = [f"{name} at {at:.0f} s: {_after(took)}" for at, name, took in soak.faults]
    return Report(
        title="A soak: everything at once, with faults",
        settings={name: getattr(options, name) for name in _SETTINGS},
        columns=_COLUMNS,
        rows=rows,
        numbers={
            "looks": [asdict(look) for look in soak.looks],
            "faults": [list(fault) for fault in soak.faults],
            "first_words_ms": [list(each) for each in soak.first_words],
            "unanswered": [list(each) for each in soak.unanswered],
            "events": soak.events,
            "lost": last.lost,
            "growth_percent": grown,
        },
        notes=[
            "Live are streams at the end of a row; the others are medians, and the worst pause.",
            *(
                met(f"{name} grows by less than 2 % after the first quarter", value, 2)
                for name, value in grown.items()
            ),
            f"All streams live and remembered again after: {'; '.join(back) or 'no fault'}.",
            f"Lost, by cause: {last.lost or 'nothing'}. Watches saw {soak.events} events.",
            f"Questions: {len(soak.first_words)} answered, {len(soak.unanswered)} not"
            + "".join(f"; at {at:.0f} s {why}" for at, why in soak.unanswered)
            + ".",
        ],
    )


def _after(took: float | None) -> str:
    return "MISSED" if took is None else f"{took:g} s"


def _row(soak: Soak, begin: float, end: float) -> list[str | int | float | None]:
    looks = [look for look in soak.looks if begin <= look.at < end]
    if not looks:
        return [round(end / 60, 1), *[None] * 9]
    words = [ms for at, ms in soak.first_words if begin <= at < end]
    return [
        round(end / 60, 1),
        statistics.median(look.service_mib for look in looks),
        statistics.median(look.readers_mib for look in looks),
        statistics.median(look.redis_mib for look in looks),
        int(statistics.median(look.files for look in looks)),
        looks[-1].clips,
        sum(looks[-1].lost.values()),
        looks[-1].live,
        max(look.pause_ms for look in looks),
        statistics.median(words) if words else None,
    ]


def growth_percent(values: Sequence[tuple[float, float]]) -> float:
    """Return by how much the last quarter of the time lies above the second, in medians."""
    end = values[-1][0]
    second = [value for at, value in values if end / 4 <= at < end / 2]
    fourth = [value for at, value in values if at >= 3 * end / 4]
    if not second or not fourth:
        return 0.0
    before = statistics.median(second)
    return round(100 * (statistics.median(fourth) - before) / max(before, 1e-9), 2)


if __name__ == "__main__":
    benchmark_main("soak", __doc__, run, add_options)
