"""Measure a model on video files of the real world: `flashback eval real --data DIR`.

What is asked stands in `DIR/cases.json` (`training/exams/film_cases.py`), how in `training/exams/film_exam.py`.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from model.errors import ModelUnavailable
from training.command import run_command
from training.errors import BadData
from training.exams.film_cases import FilmCase, choose, read_cases
from training.exams.film_exam import FilmAnswer, examine
from training.exams.film_scores import as_json, scores, table
from training.train import commit
from web.composition.opening import load_model
from web.errors import BadValue, Failed
from web.settings import Settings, read_settings

CONTROLS = (
    "In brackets: where the true share lies, 19 times in 20 (Wilson). Blind: the same clips at the "
    "same times, every pixel grey. Last 4 frames: the film's last clip alone."
)

console = Console(stderr=True)
app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder with cases.json and the films it names.")
    ],
    model: Annotated[
        str | None, typer.Option(help="lite, tiny, flash-2b, …, a folder or a hub id.")
    ] = None,
    kinds: Annotated[
        str | None, typer.Option(metavar="KIND,…", help="Only questions of these kinds.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="So many questions at most, spread evenly.")
    ] = None,
    controls: Annotated[
        bool, typer.Option(help="Also ask who saw nothing, and who saw the last 4 frames alone.")
    ] = True,
    times: Annotated[
        bool, typer.Option(help="Take words of time as a range, as users' questions are taken.")
    ] = True,
    show: Annotated[bool, typer.Option("--show", help="Show every answer.")] = False,
    only_json: Annotated[
        bool, typer.Option("--json", help="Print the line of JSON alone.")
    ] = False,
) -> None:
    """Ask about real films as `flashback ask FILE` does; a table, then one line of JSON."""
    settings = read_settings(model=model)
    cases = _chosen(data, kinds, limit)
    answers = measure(settings, cases, controls=controls, times=times)
    out = Console(soft_wrap=True, highlight=False)
    found = scores(answers)
    if not only_json:
        for answered in answers if show else ():
            out.print(_line(answered), markup=False)
        out.print(table(found), markup=False)
        out.print(CONTROLS if controls else "Without controls.", markup=False)
    about = {"data": data.name, "model": settings.model, "dropout": "on", "commit": commit()}
    out.print(as_json(found, about), markup=False)


def _chosen(data: Path, kinds: str | None, limit: int | None) -> list[FilmCase]:
    """Return what to ask.

    Raises:
        BadParameter: If the folder or the options cannot be used.
    """
    wanted = None if kinds is None else [kind.strip() for kind in kinds.split(",")]
    try:
        return choose(read_cases(data.absolute()), wanted, limit)
    except BadData as error:
        raise typer.BadParameter(str(error)) from None


def measure(
    settings: Settings, cases: list[FilmCase], *, controls: bool, times: bool = True
) -> list[FilmAnswer]:
    """Load the model, ask everything, and show how far it is.

    Raises:
        Failed: If the model cannot be loaded, or a film not be seen.
    """
    answers: list[FilmAnswer] = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("questions", total=len(cases))

        def answered(one: FilmAnswer) -> None:
            answers.append(one)
            progress.advance(task)

        async def run() -> None:
            try:
                engine = await asyncio.to_thread(load_model, settings, console.print)
            except ModelUnavailable as error:
                raise Failed(str(error)) from None
            try:
                await examine(engine, settings, cases, answered, controls=controls, times=times)
            finally:
                await engine.close()

        asyncio.run(run())
    return answers


def _line(answered: FilmAnswer) -> str:
    case = answered.case
    mark = "right" if case.is_right(answered.seen) else "WRONG"
    parts = [mark, case.film.name, case.kind, case.question, answered.seen]
    if answered.blind is not None and answered.last is not None:
        parts += [f"blind: {answered.blind}", f"last: {answered.last}"]
    return " | ".join(parts)


if __name__ == "__main__":
    run_command(app, "flashback eval real", (BadValue, Failed))
