"""An hour of one stream in real time: what it takes, how soon it answers, and how much it still knows.

    flashback bench hour --minutes 60

Starts `flashback serve` in a process of its own, shows it a picture a second over the WebSocket, and
asks about what was shown once, minutes to an hour ago. In the end the service is killed and started
anew on the same data, and asked the same: how soon it answers, and whether it says what it said.
"""

import argparse
import asyncio
import base64
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import matplotlib as mpl
from matplotlib.figure import Figure
from websockets.asyncio.client import connect

from benchmarks.command.options import above_zero
from benchmarks.command.report import RESULTS, Report, benchmark_main, met
from benchmarks.harness.asking import NoAnswer, ask
from benchmarks.harness.programme import Programme, Query, pictures
from benchmarks.harness.service import Service, serving

STREAM = "hour"
ASKED_AT = (0.08, 0.25, 0.5, 0.75, 0.985)
"""Shares of the time at which is asked."""
AGAIN = 6
"""Questions that are asked once more after a restart."""
KINDS = ("what", "when", "ever", "never")
_ANSWER_TOKENS = 24


@dataclass(frozen=True, slots=True)
class Answered:
    """One question, and what was answered.

    Attributes:
        kind: See `Query`.
        age_s: How long ago it was shown, in seconds.
        question: In words.
        answer: In words.
        right: Whether it is.
        first_word_ms: From asking to the first word; None if there was none.
        clips: Clips or blocks that it was answered from.
    """

    kind: str
    age_s: float
    question: str
    answer: str
    right: bool
    first_word_ms: float | None
    clips: int


@dataclass(frozen=True, slots=True)
class Point:
    """What the service took when the stream was so old.

    Attributes:
        seconds: Age of the stream.
        service_mib: Resident memory of the service.
        redis_mib: Resident memory of its Redis.
        stored_bytes: Of what is remembered, as the service counts it.
        clips: Clips remembered.
        cpu_s: Processor time used so far.
    """

    seconds: float
    service_mib: float
    redis_mib: float
    stored_bytes: int
    clips: int
    cpu_s: float


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--model", default="lite", help="what answers (default: lite)")
    parser.add_argument("--minutes", type=above_zero, default=60.0)


def run(options: argparse.Namespace) -> Report:
    """Let the time pass; draw the plot where the report is saved."""
    hour = Hour(60 * options.minutes)
    with tempfile.TemporaryDirectory(prefix="flashback-hour-") as folder:
        asyncio.run(hour.run(options.model, folder))
    if target := options.save_to or (RESULTS if options.save else None):
        plot(hour, target / f"{datetime.now(UTC):%Y-%m-%d}-hour.png")
    return report(options, hour)


class Hour:
    """One run.

    Args:
        seconds: How long.

    Attributes:
        points: One for every minute.
        answers: By how old the stream was, in seconds.
        again: The last questions before the service was killed, and the same after.
        restart_s: To the first word, asked when the service was ready again.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.points: list[Point] = []
        self.answers: dict[float, list[Answered]] = {}
        self.again: list[tuple[Answered, Answered]] = []
        self.restart_s: float | None = None
        self._programme = Programme(seconds)
        self._began = 0.0

    async def run(self, model: str, folder: str) -> None:
        """Show, ask, kill, start anew and ask again."""
        queries: list[Query] = []
        async with AsyncExitStack() as first:
            service = await first.enter_async_context(serving(model, DATA=folder))
            async with asyncio.TaskGroup() as tasks:
                showing = tasks.create_task(self._show(service))
                weighing = tasks.create_task(self._weigh(service))
                for share in ASKED_AT:
                    await asyncio.sleep(max(0.0, share * self.seconds - self._age))
                    age = self._age
                    queries = list(self._programme.queries(age))
                    self.answers[age] = [await self._ask(service, query) for query in queries]
                    self._say(age)
                showing.cancel()
                weighing.cancel()
            # Nothing is shown any more, so the same question has the same answer.
            before = [await self._ask(service, query) for query in queries[-AGAIN:]]
            service.kill()
        async with serving(model, DATA=folder) as service:
            for earlier, query in zip(before, queries[-AGAIN:], strict=True):
                self.again.append((earlier, await self._ask(service, query)))
                if self.restart_s is None:
                    told = self.again[0][1].first_word_ms
                    self.restart_s = None if told is None else told / 1000

    @property
    def _age(self) -> float:
        return time.perf_counter() - self._began if self._began else 0.0

    def _say(self, age: float) -> None:
        right = sum(answered.right for answered in self.answers[age])
        sys.stderr.write(
            f"{age:.0f} s: {right} of {len(self.answers[age])} right, {self.points[-1:]}\n"
        )

    async def _show(self, service: Service) -> None:
        """Send a picture a second, until cancelled; one that is late is left out."""
        shown = await asyncio.to_thread(pictures)
        url = f"{service.address.replace('http', 'ws', 1)}/v1/realtime?stream={STREAM}"
        async with connect(url) as socket, asyncio.TaskGroup() as reading:
            reader = reading.create_task(_drain(socket))
            self._began = time.perf_counter()
            try:
                while True:
                    second = round(self._age)
                    at = int(self._programme.sample_second(second)) % len(shown)
                    await socket.send(_picture(shown[at]))
                    await asyncio.sleep(max(0.0, second + 1 - self._age))
            finally:
                reader.cancel()

    async def _weigh(self, service: Service) -> None:
        while True:
            await asyncio.sleep(min(60.0, self.seconds / 10))
            redis, rest = service.memory_of("redis", "valkey")
            try:
                status = await service.get(f"/v1/streams/{STREAM}")
            except httpx.HTTPError as error:  # busy for ten seconds: a minute is left out
                sys.stderr.write(f"no state: {error!r}\n")
                continue
            self.points.append(
                Point(
                    self._age,
                    rest,
                    redis,
                    status["held"]["bytes"],
                    status["clips"],
                    service.cpu_seconds(),
                )
            )

    async def _ask(self, service: Service, query: Query) -> Answered:
        age = self._age - query.event.start
        try:
            told = await ask(service.address, STREAM, query.text, tokens=_ANSWER_TOKENS)
        except NoAnswer as none:
            return Answered(query.kind, age, query.text, str(none), False, None, 0)
        text = told.text.strip()
        return Answered(
            query.kind, age, query.text, text, query.is_right(text), told.first_word_ms, told.clips
        )


async def _drain(socket: Any) -> None:  # noqa: ANN401
    async for _ in socket:
        pass


def _picture(jpeg: bytes) -> str:
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    content = [{"type": "input_image", "image_url": url}]
    item = {"type": "message", "role": "user", "content": content}
    return json.dumps({"type": "conversation.item.create", "item": item})


def right_of(answers: Sequence[Answered], kind: str) -> str | None:
    """Return how many of `kind` are right, of how many; None of none."""
    of = [answered.right for answered in answers if answered.kind == kind]
    return f"{sum(of)} of {len(of)}" if of else None


def report(options: argparse.Namespace, hour: Hour) -> Report:
    """Add up what was seen."""
    rows: list[list[str | int | float | None]] = []
    for age, answers in hour.answers.items():
        point = next((p for p in hour.points if p.seconds >= age), hour.points[-1])
        first = [a.first_word_ms for a in answers if a.first_word_ms is not None]
        rows.append(
            [
                f"{age / 60:.0f} min",
                *(right_of(answers, kind) for kind in KINDS),
                statistics.median(first) if first else None,
                max(first, default=None),
                point.clips,
                point.stored_bytes / 1e6,
                point.redis_mib,
                point.service_mib,
            ]
        )
    same = sum(before.answer == after.answer for before, after in hour.again)
    hourly = [p.stored_bytes / p.seconds * 3.6e-3 for p in hour.points[-1:]]
    return Report(
        title="A stream in real time: what it takes, and what is still known of it",
        settings={"model": options.model, "minutes": options.minutes, "pictures": "1 a second"},
        columns=[
            "age",
            *KINDS,
            "first word p50 (ms)",
            "max (ms)",
            "clips",
            "stored MB",
            "redis MiB",
            "service MiB",
        ],
        rows=rows,
        numbers={
            "minutes": [asdict(point) for point in hour.points],
            "answers": {f"{age:.0f}": [asdict(a) for a in of] for age, of in hour.answers.items()},
            "again": [[asdict(before), asdict(after)] for before, after in hour.again],
            "restart_first_word_s": hour.restart_s,
        },
        notes=[
            "Of each age: right answers about things that were shown once, from a minute ago to nearly as long ago as the stream is old.",
            *(f"An hour takes {mb:.1f} MB in memory, pictures included." for mb in hourly),
            f"Killed with SIGKILL and started anew, it said the same to {same} of {len(hour.again)} questions.",
            met("first word after a restart within 5 s", hour.restart_s, 5),
        ],
    )


def plot(hour: Hour, path: Path) -> None:
    """Draw memory, first word and right answers by age."""
    mpl.use("Agg")
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    memory, first, right = figure.subplots(1, 3)
    minutes = [point.seconds / 60 for point in hour.points]
    for name in ("service_mib", "redis_mib"):
        memory.plot(minutes, [getattr(p, name) for p in hour.points], label=name)
    memory.set(title="resident MiB", xlabel="minutes of the stream")
    every = [answered for of in hour.answers.values() for answered in of if answered.clips]
    first.scatter([a.age_s / 60 for a in every], [a.first_word_ms for a in every], s=8)
    first.set(title="ms to the first word", xlabel="minutes ago")
    for kind in KINDS[:3]:
        of = [answered for answered in every if answered.kind == kind]
        edges = [0, 5, 15, 30, 60]
        bins = [
            [a.right for a in of if lo <= a.age_s / 60 < hi]
            for lo, hi in zip(edges, edges[1:], strict=False)
        ]
        known = [(n, sum(b) / len(b)) for n, b in enumerate(bins) if b]
        right.plot([n for n, _ in known], [share for _, share in known], marker="o", label=kind)
    right.set(title="share right", xlabel="minutes ago")
    right.set_xticks(range(4), ["< 5", "5-15", "15-30", "30-60"])
    for panel in (memory, first, right):
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
    memory.legend(fontsize="small")
    right.legend(fontsize="small")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    benchmark_main("hour", __doc__, run, add_options)
