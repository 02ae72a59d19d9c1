"""Measure `lite`: `flashback eval lite`. What is asked stands in `training/exams/exam.py`."""

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import Progress

from model.errors import ModelUnavailable
from model.video_chat import VideoChat
from model.zoo.lite import TRAINED, lite
from training.command import run_command
from training.drawn.drawings import HELD_OUT_SET, load_sprites
from training.errors import Missing
from training.exams.exam import ExamOutcome, Size, as_json, cases, examine, scores, table
from training.train import commit

console = Console(stderr=True)
app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    weights: Annotated[Path, typer.Option(help="What training exported.")] = TRAINED,
    naming: Annotated[int, typer.Option("--name", min=0, help="Single things to name.")] = 228,
    direction: Annotated[
        int, typer.Option(min=0, help="Movements to tell, of each of the five equally many.")
    ] = 150,
    others: Annotated[int, typer.Option(min=0, help="Scenes for places, colours, counts.")] = 120,
    shows: Annotated[int, typer.Option(min=0, help="Shows for questions about the past.")] = 40,
    answers: Annotated[bool, typer.Option("--answers", help="Show every answer as well.")] = False,
    only_json: Annotated[
        bool, typer.Option("--json", help="Print the line of JSON alone.")
    ] = False,
) -> None:
    """Measure on drawings and backgrounds never trained on; a table, then one line of JSON."""
    outcomes = measure(weights, Size(naming, direction, others, shows))
    found = scores(outcomes)
    out = Console(soft_wrap=True, highlight=False)
    for o in outcomes if answers and not only_json else ():
        parts = (o.asked.kind, o.asked.question, o.asked.answer, o.seen, o.last, o.blind)
        out.print(" | ".join(parts), markup=False)
    if not only_json:
        out.print(table(found), markup=False)
    about = {
        "weights": weights.name,
        "drawings": HELD_OUT_SET.name,
        "dropout": "on",
        "commit": commit(),
    }
    out.print(as_json(found, about), markup=False)


def measure(weights: Path, size: Size) -> list[ExamOutcome]:
    """Ask the network of `weights` everything, with the progress shown."""
    service = VideoChat(lite(torch.device("cpu"), torch.bfloat16, console.print, weights))
    sprites = load_sprites((HELD_OUT_SET,), progress=console.print)
    total = sum(len(show.asked) for _, show in cases(sprites, size))
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("questions", total=total)
        return examine(service, sprites, size, lambda count: progress.advance(task, count))


if __name__ == "__main__":
    run_command(app, "flashback eval lite", (Missing, ModelUnavailable))
