"""`flashback eval NAME --data DIR` for every public benchmark: asks, keeps answers, adds up."""

import asyncio
import json
import os
import platform
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import Progress

from training.command import run_command
from training.errors import BadData
from training.evaluations.answers import AnswerFile, TimedAnswer, read_answers
from training.evaluations.engines import open_engine
from training.evaluations.items import Benchmark, Item, Options, Scoring
from training.evaluations.judge import Judge
from training.evaluations.passing import RealTime
from training.evaluations.runner import EvaluationRun, ask_all, shard
from training.evaluations.summary import summarise, table
from training.train import commit
from web.cli.source.ask import frames_at_most
from web.errors import BadValue, Failed
from web.settings import Settings, read_settings

console = Console(stderr=True)
LONG = 3000
"""Characters of a question that may be more tokens than are read otherwise."""


class Switch(StrEnum):
    """On or off."""

    on = "on"
    off = "off"


def run_benchmark(benchmark: Benchmark) -> None:
    """Run `benchmark` as this process's command line and end."""
    name = f"flashback eval {benchmark.name}"
    run_command(command(benchmark), name, (BadValue, BadData, Failed))


def command(benchmark: Benchmark) -> typer.Typer:
    """Return the command that asks a model the items of `benchmark` and scores the answers."""
    app = typer.Typer(add_completion=False)
    splits = ", ".join(benchmark.splits) or "none here"

    @app.command(help=f"{benchmark.title}: ask a model, keep its answers, score them.")
    def evaluate(
        data: Annotated[
            Path, typer.Option(metavar="DIR", help="Annotations and media, as published.")
        ],
        scoring: Annotated[
            Scoring,
            typer.Option(help="Exact, or as the public harness does it, mistakes included."),
        ] = Scoring.strict,
        dropout: Annotated[
            Switch, typer.Option(help="Drop visual tokens inside the language model, or none.")
        ] = Switch.on,
        model: Annotated[
            str | None, typer.Option(help="lite, tiny, flash-2b, a folder, a hub id.")
        ] = None,
        split: Annotated[str, typer.Option(help=f"Which part: {splits}.")] = "",
        subtitles: Annotated[
            bool, typer.Option("--subtitles", help="Show them, where there are.")
        ] = False,
        frames: Annotated[int, typer.Option(min=8, help="Of a whole film, at most.")] = 512,
        paced: Annotated[
            bool,
            typer.Option("--paced", help="Let streams pass in real time: what is late is lost."),
        ] = False,
        part: Annotated[
            str, typer.Option("--shard", metavar="I/N", help="The I-th of N parts.")
        ] = "1/1",
        resume: Annotated[
            bool, typer.Option("--resume", help="Go on with the answers there are.")
        ] = False,
        output: Annotated[Path | None, typer.Option(help="Folder of answers and results.")] = None,
        limit: Annotated[
            int | None, typer.Option(min=1, help="So many items, spread evenly.")
        ] = None,
        judge: Annotated[
            str, typer.Option(metavar="URL", help="OpenAI-compatible, up to /v1.")
        ] = "",
        judge_model: Annotated[str, typer.Option(help="What it is called there.")] = "default",
        skip_missing: Annotated[
            bool, typer.Option("--skip-missing", help="Leave out items whose film is not there.")
        ] = False,
        only_json: Annotated[
            bool, typer.Option("--json", help="Print the line of JSON alone.")
        ] = False,
    ) -> None:
        if split and split not in benchmark.splits:
            raise typer.BadParameter(f"{benchmark.name} has no part {split}; there is {splits}")
        if subtitles and not benchmark.has_subtitles:
            raise typer.BadParameter(f"{benchmark.name} has no subtitles")
        asker = Judge(judge.rstrip("/"), judge_model).ask if judge else None
        chosen = split or next(iter(benchmark.splits), "")
        options = Options(scoring, subtitles, chosen, asker)
        settings = read_settings(model=model)
        items = _items(benchmark, data, options, limit, skip_missing=skip_missing)
        about = {
            "eval": benchmark.name, "split": chosen, "model": settings.model, "data": data.name,
            "scoring": str(scoring), "dropout": str(dropout), "subtitles": subtitles,
            "frames": frames, "limit": limit, "paced": paced, "seed": 0,
        }  # fmt: skip
        folder = output or Path("evaluations") / "-".join(filter(None, [benchmark.name, chosen, settings.model.replace("/", "_"), str(scoring), f"dropout-{dropout}"]))  # fmt: skip
        number, parts = _shard(part)
        kept = AnswerFile(folder / f"answers-{number}-of-{parts}.jsonl", about, resume=resume)
        mine = shard(items, number, parts)
        _ask(
            settings,
            benchmark,
            options,
            mine,
            kept,
            frames,
            dropout=dropout is Switch.on,
            paced=paced,
        )
        answers = _together(folder, kept, parts)
        summary = (
            about
            | summarise(benchmark, options, items, answers)
            | machine()
            | dict(benchmark.about)
        )
        _show(benchmark, folder, summary, only_json=only_json)

    return app


def _items(
    benchmark: Benchmark, data: Path, options: Options, limit: int | None, *, skip_missing: bool
) -> list[Item]:
    """Return what to ask.

    Raises:
        BadData: If the data cannot be used, or a film is not there and none may be skipped.
    """
    items = list(benchmark.read(data.absolute(), options))
    missing = [item for item in items if not item.media.path.exists()]
    if missing and not skip_missing:
        raise BadData(
            f"{len(missing)} of {len(items)} items have no film, the first is "
            f"{missing[0].media.path}: put it there, or leave them out with --skip-missing"
        )
    if missing:
        console.print(f"{len(missing)} of {len(items)} items are left out: their films are missing")
    there = [item for item in items if item.media.path.exists()]
    if not there:
        raise BadData(f"not one film of {benchmark.title} is in {data}")
    count = len(there) if limit is None else min(limit, len(there))
    return [there[n * len(there) // count] for n in range(count)]


def _shard(part: str) -> tuple[int, int]:
    """Return which part of how many.

    Raises:
        BadParameter: If it is not `I/N` with I from 1 to N.
    """
    number, _, parts = part.partition("/")
    if not (number.isdecimal() and parts.isdecimal() and 1 <= int(number) <= int(parts)):
        raise typer.BadParameter(f"--shard takes I/N with I from 1 to N, got {part}")
    return int(number), int(parts)


def _ask(
    settings: Settings,
    benchmark: Benchmark,
    options: Options,
    items: Sequence[Item],
    kept: AnswerFile,
    frames: int,
    *,
    dropout: bool,
    paced: bool,
) -> None:
    if all(item.key in kept.answers for item in items):
        return
    with Progress(console=console, transient=True) as progress:
        done = sum(item.key in kept.answers for item in items)
        task = progress.add_task("items", total=len(items), completed=done)

        def found(answered: TimedAnswer) -> None:
            kept.add(answered)
            progress.advance(task)

        async def run() -> None:
            engine = await asyncio.to_thread(
                open_engine,
                settings,
                dropout=dropout,
                subtitled=any(len(item.prompt) > LONG for item in items),
                progress=console.print,
            )
            try:
                most = frames_at_most(frames, engine)
                how = EvaluationRun(
                    engine, settings, benchmark, options, most, RealTime if paced else None
                )
                await ask_all(how, items, dict(kept.answers), found)
            finally:
                await engine.close()

        asyncio.run(run())


def _together(folder: Path, kept: AnswerFile, parts: int) -> Mapping[str, TimedAnswer]:
    """Return the answers of all parts that are there."""
    answers: dict[str, TimedAnswer] = {}
    for number in range(1, parts + 1):
        path = folder / f"answers-{number}-of-{parts}.jsonl"
        if path.exists():
            answers |= kept.answers if path == kept.path else read_answers(path)[1]
    return answers


def machine() -> dict[str, str]:
    """Return what a figure was made with."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    cores = f"{os.cpu_count()} cores"
    return {"commit": commit(), "machine": f"{device}, {cores}", "torch": torch.__version__}


def _show(
    benchmark: Benchmark, folder: Path, summary: Mapping[str, Any], *, only_json: bool
) -> None:
    line = json.dumps(summary)
    shown = table(summary)
    about = f"{benchmark.title}: {summary['model']}, scoring {summary['scoring']}, dropout {summary['dropout']}, {summary['answered']} of {summary['items']} items answered, {summary['not_counted']} not counted, {summary['unreadable']} unreadable, {summary['frames_each']} frames each; commit {summary['commit']}, {summary['machine']}."  # fmt: skip
    (folder / "result.json").write_text(line + "\n", encoding="utf-8")
    (folder / "result.md").write_text(f"{about}\n\n{shown}\n", encoding="utf-8")
    out = Console(soft_wrap=True, highlight=False)
    if not only_json:
        out.print(f"{shown}\n{about}", markup=False)
    out.print(line, markup=False)
