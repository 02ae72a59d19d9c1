"""Measure `lite`: `flashback eval lite`. What is asked stands in `training/exam.py`."""

import sys
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import Progress

from model.lite import TRAINED, lite
from model.lite_base import BaseWeightsMissing
from model.video_chat import VideoChat
from training.drawings import HELD_OUT_SET, DrawingsMissing, load_sprites
from training.exam import Size, as_json, cases, examine, scores, table
from training.train import commit

console = Console(stderr=True)
app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    weights: Annotated[Path, typer.Option(help="What training exported.")] = TRAINED,
    naming: Annotated[int, typer.Option("--name", help="Single things to name.")] = 228,
    direction: Annotated[int, typer.Option(help="Movements to tell.")] = 150,
    others: Annotated[int, typer.Option(help="Scenes for places, colours, counts.")] = 120,
    shows: Annotated[int, typer.Option(help="Shows for questions about the past.")] = 40,
    answers: Annotated[bool, typer.Option(help="Show every answer as well.")] = False,
) -> None:
    """Measure on drawings and backgrounds never trained on; a table, then one line of JSON."""
    size = Size(naming, direction, others, shows)
    service = VideoChat(lite(torch.device("cpu"), torch.bfloat16, console.print, weights))
    sprites = load_sprites((HELD_OUT_SET,), progress=console.print)
    total = sum(len(show.asked) for _, show in cases(sprites, size))
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("questions", total=total)
        outcomes = examine(service, sprites, size, lambda count: progress.advance(task, count))
    found = scores(outcomes)
    out = Console(soft_wrap=True, highlight=False)
    for o in outcomes if answers else ():
        parts = (o.asked.kind, o.asked.question, o.asked.answer, o.seen, o.last, o.blind)
        out.print(" | ".join(parts), markup=False)
    out.print(table(found), markup=False)
    about = {
        "weights": weights.name,
        "drawings": HELD_OUT_SET.name,
        "dropout": "on",
        "commit": commit(),
    }
    out.print(as_json(found, about), markup=False)


if __name__ == "__main__":
    try:
        app(prog_name="flashback eval lite")
    except (DrawingsMissing, BaseWeightsMissing) as error:
        console.print(str(error), markup=False)
        sys.exit(1)
