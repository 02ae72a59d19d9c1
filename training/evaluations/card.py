"""`flashback eval report`: a model card of every figure that the results of evaluations hold.

Nothing is typed in by hand: each figure stands with its data, seeds, commit, dropout, scoring and
machine, as the results themselves say. The same evaluation with several seeds is one row, with the
interval of the mean over the seeds.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Annotated, Any

import typer
from rich.console import Console

from training.command import run_command
from training.errors import BadData

T95 = (0.0, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t that leaves out one in twenty, by degrees of freedom; beyond, the normal's."""
ABOUT = ("data", "split", "scoring", "dropout", "subtitles", "frames", "limit", "paced", "haystack", "live", "known", "commit", "machine")  # fmt: skip
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Result:
    """One figure of one run.

    Attributes:
        evaluation: What was run.
        model: What answered.
        measure: What is told.
        value: Its mean.
        low: Where its interval begins; None if none was told.
        high: Where it ends.
        items: How many it was made of; None if that was not told.
        seed: Of the run.
        about: What else decides it.
    """

    evaluation: str
    model: str
    measure: str
    value: float
    low: float | None
    high: float | None
    items: int | None
    seed: int
    about: tuple[tuple[str, str], ...]


@app.command()
def report(
    results: Annotated[list[Path], typer.Argument(help="JSON results, or folders that hold some.")],
    output: Annotated[Path | None, typer.Option(help="Markdown file; else it is printed.")] = None,
) -> None:
    """Make a model card of the results of evaluations.

    Raises:
        BadData: If there are none.
    """
    found = [figure for path in results for file in _files(path) for figure in figures(file)]
    if not found:
        raise BadData(f"no results are in {', '.join(map(str, results))}")
    text = card(found)
    if output is None:
        Console(soft_wrap=True, highlight=False).print(text, markup=False)
    else:
        output.write_text(text + "\n", encoding="utf-8")


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.json")) if path.is_dir() else [path]


def figures(file: Path) -> Iterator[Result]:
    """Yield the figures of a result, or of the last line of a command's output.

    Raises:
        BadData: If it is neither.
    """
    text = file.read_text(encoding="utf-8").strip()
    try:
        told = json.loads(text if text.startswith("{") else text.splitlines()[-1])
    except (ValueError, IndexError):
        raise BadData(f"{file} holds no result: neither JSON nor a last line of JSON") from None
    if not isinstance(told, dict) or "eval" not in told:
        return
    yield from _measures(told)
    yield from _shares(told)


def _measures(told: Mapping[str, Any]) -> Iterator[Result]:
    for measure, parts in told.get("measures", {}).items():
        yield _result(told, measure, parts["all"], parts["all"]["items"])
        for name, part in parts.get("groups", {}).items():
            yield _result(told, f"{measure}, {name}", part, part["items"])


def _shares(told: Mapping[str, Any]) -> Iterator[Result]:
    for row, measures in told.get("shares", {}).items():
        for measure, share in measures.items():
            yield _result(
                told, f"{row}: {measure}", share | {"mean": share["share"]}, share.get("trials")
            )
    for kind, score in told.get("scores", {}).items():
        if isinstance(score.get("seen"), dict):
            seen = score["seen"]
            yield _result(told, kind, seen | {"mean": seen["share"]}, score.get("asked"))
        elif "right" in score:
            yield _result(told, kind, {"mean": score["right"]}, score.get("asked"))


def _result(
    told: Mapping[str, Any], measure: str, part: Mapping[str, Any], items: int | None
) -> Result:
    about = tuple((name, str(told[name])) for name in ABOUT if told.get(name) not in {None, ""})
    model = str(told.get("model") or told.get("weights") or "lite")
    return Result(str(told["eval"]), model, measure, part["mean"], part.get("low"), part.get("high"), items, int(told.get("seed", 0)), about)  # fmt: skip


def card(found: Sequence[Result]) -> str:
    """Return the card in Markdown: a part for each evaluation, what it was made with below it."""
    models = ", ".join(dict.fromkeys(one.model for one in found))
    lines = [f"# Model card: {models}", "", "Intervals hold the true value 95 times in a hundred; over seeds where there are several.", ""]  # fmt: skip
    by_run: defaultdict[tuple[Any, ...], list[Result]] = defaultdict(list)
    for one in found:
        by_run[one.evaluation, one.model, one.about].append(one)
    for (evaluation, model, about), some in by_run.items():
        lines += [f"## {evaluation}, {model}", "", "| measure | value | interval | items | seeds |", "|---|---:|---:|---:|---:|"]  # fmt: skip
        by_measure: defaultdict[str, list[Result]] = defaultdict(list)
        for one in some:
            by_measure[one.measure].append(one)
        lines += [_row(measure, runs) for measure, runs in by_measure.items()]
        lines += ["", "; ".join(f"{name}: {value}" for name, value in about) + ".", ""]
    return "\n".join(lines).rstrip()


def _row(measure: str, runs: Sequence[Result]) -> str:
    # A result that is there twice does not count as a second seed.
    runs = list({(run.seed, run.value): run for run in runs}.values())
    values, first = [run.value for run in runs], runs[0]
    mean, low, high = fmean(values), first.low, first.high
    if len(values) > 1:
        t = T95[len(values) - 1] if len(values) <= len(T95) else 1.96
        reach = t * stdev(values) / math.sqrt(len(values))
        low, high = mean - reach, mean + reach
    interval = "not told" if low is None or high is None else f"{low:.3f} to {high:.3f}"
    seeds = ", ".join(str(run.seed) for run in runs)
    return f"| {measure} | {mean:.3f} | {interval} | {first.items or ''} | {seeds} |"


if __name__ == "__main__":
    run_command(app, "flashback eval report", (BadData,))
