"""How a benchmark speaks: a table for people, then one line of JSON; and a dated report on request.

    def run(options: argparse.Namespace) -> Report: ...

    if __name__ == "__main__":
        benchmark_main("ingest", __doc__, run, add_options)

A number counts only as a report under `benchmarks/results/`: it names hardware, commit and settings.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.command.machine import commit, this_machine
from benchmarks.harness.service import CannotMeasure
from web.cli.signals import STOPPED, signals_as_interrupt

RESULTS = Path(__file__).parent.parent / "results"
Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Report:
    """What a benchmark found.

    Attributes:
        title: What was measured, in one line.
        settings: What the numbers depend on and the reader could choose.
        columns: Headings of the table.
        rows: One list of cells per row of the table; numbers are rounded for people.
        numbers: Everything measured, for programs; becomes the line of JSON.
        notes: Sentences a reader needs beside the table: targets met or missed, what is unfair.
    """

    title: str
    settings: Mapping[str, Json]
    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | float | None]]
    numbers: Mapping[str, Json]
    notes: Sequence[str] = field(default=())


def benchmark_main(
    name: str,
    description: str | None,
    run: Callable[[argparse.Namespace], Report],
    add_options: Callable[[argparse.ArgumentParser], None] = lambda _: None,
    arguments: Sequence[str] | None = None,
) -> None:
    """Read the options, run the benchmark, and print what it found.

    Args:
        name: The benchmark's name; `--save` puts it into the names of the files.
        description: For `--help`.
        run: Measures.
        add_options: Adds the benchmark's own options.
        arguments: The command line; None is the real one.
    """
    parser = argparse.ArgumentParser(
        prog=f"flashback bench {name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print the line of JSON alone")
    parser.add_argument("--save", action="store_true", help=f"write a dated report to {RESULTS}")
    parser.add_argument(
        "--save-to", type=Path, default=None, help="write it to this folder instead"
    )
    add_options(parser)
    options = parser.parse_args(arguments)
    folder = options.save_to or (RESULTS if options.save else None)
    try:
        if folder is not None:  # before the minutes, or hours, of measuring
            folder.mkdir(parents=True, exist_ok=True)
        with signals_as_interrupt():
            report = run(options)
    except CannotMeasure as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    except OSError as error:
        parser.exit(1, f"{parser.prog}: {error.filename or 'this machine'}: {error.strerror}\n")
    except KeyboardInterrupt:
        parser.exit(STOPPED)
    record = _record(name, report)
    if not options.json:
        _show(report, Console())
    if folder is not None:
        _save(folder, name, report, record)
    sys.stdout.write(json.dumps(record, allow_nan=False) + "\n")


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the value that `share` of `values` do not exceed; None of nothing."""
    return round(float(np.quantile(values, share)), 3) if values else None


def met(target: str, value: float | None, most: float) -> str:
    """Return a note that says whether `value` stayed below `most`, as `target` wants."""
    verdict = "met" if value is not None and value < most else "MISSED"
    return f"Target {target}: {verdict} ({cell(value)})."


def cell(value: str | float | None) -> str:
    """Return `value` as people read it: three digits that matter, and a dash for nothing."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _record(name: str, report: Report) -> dict[str, Json]:
    return {
        "benchmark": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": asdict(this_machine()),
        "settings": dict(report.settings),
        **report.numbers,
    }


def _show(report: Report, console: Console) -> None:
    table = Table(title=report.title, title_justify="left")
    for index, column in enumerate(report.columns):
        table.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
    for row in report.rows:
        table.add_row(*map(cell, row))
    console.print(table)
    for note in report.notes:
        console.print(f"- {note}", markup=False, highlight=False)


def _save(folder: Path, name: str, report: Report, record: Mapping[str, Json]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    base = folder / f"{str(record['date'])[:10]}-{name}"
    base.with_suffix(".json").write_text(json.dumps(record, indent=2, allow_nan=False) + "\n")
    base.with_suffix(".md").write_text(_markdown(name, report, record))


def _markdown(name: str, report: Report, record: Mapping[str, Json]) -> str:
    settings = ", ".join(f"{key} {value}" for key, value in report.settings.items())
    lines = [
        f"# {report.title}",
        "",
        f"- `flashback bench {name}`, {record['date']}",
        f"- commit `{record['commit']}`" + _plus(str(record["commit"])),
        f"- {this_machine()}",
        f"- settings: {settings or 'none'}",
        "",
        _row(report.columns),
        _row(["---", *["---:"] * (len(report.columns) - 1)]),
        *(_row([cell(value).replace("|", "\\|") for value in row]) for row in report.rows),
        "",
        *(f"- {note}" for note in report.notes),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _plus(name: str) -> str:
    return " and changes that were not committed" if name.endswith("+") else ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
