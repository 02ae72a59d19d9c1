"""An hour of one stream in real time: what it takes, how soon it answers, and how much it still knows.

    flashback bench hour --minutes 60

Starts `flashback serve` in a process of its own, shows it a picture a second over the WebSocket, and
asks about what was shown once, minutes to an hour ago. In the end the service is killed and started
anew on the same data, and asked the same: how soon it answers, and whether it says what it said.
"""

import argparse
import asyncio
import itertools
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.command.options import above_zero
from benchmarks.command.report import RESULTS, Report, benchmark_main, met
from benchmarks.harness.hour import HourAnswer, HourRun

KINDS = ("what", "when", "ever", "never")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--model", default="lite", help="what answers (default: lite)")
    parser.add_argument("--minutes", type=above_zero, default=60.0)


def run(options: argparse.Namespace) -> Report:
    """Let the time pass; draw the plot where the report is saved."""
    hour = HourRun(60 * options.minutes)
    with tempfile.TemporaryDirectory(prefix="flashback-hour-") as folder:
        asyncio.run(hour.run(options.model, folder))
    if target := options.save_to or (RESULTS if options.save else None):
        plot(hour, target / f"{datetime.now(UTC):%Y-%m-%d}-hour.png")
    return report(options, hour)


def right_of(answers: Sequence[HourAnswer], kind: str) -> str | None:
    """Return how many of `kind` are right, of how many; None of none."""
    of = [answered.right for answered in answers if answered.kind == kind]
    return f"{sum(of)} of {len(of)}" if of else None


def report(options: argparse.Namespace, hour: HourRun) -> Report:
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


def plot(hour: HourRun, path: Path) -> None:
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
            [a.right for a in of if lo <= a.age_s / 60 < hi] for lo, hi in itertools.pairwise(edges)
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
