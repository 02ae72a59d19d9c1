"""Measure the eyes of `lite`: `flashback eval eyes`. What is compared stands in `training/exams/eyes_exam.py`."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import track

from model.errors import ModelUnavailable
from model.video_chat import VideoChat
from model.vision.vocabulary import word_table
from model.zoo.lite import TRAINED, lite, things_of
from training.command import run_command
from training.drawn.drawings import HELD_OUT_SET, load_sprites
from training.errors import Missing
from training.exams.eyes_exam import EyesVerdict, Seeing, calibration, drawn, judge, sample
from training.exams.film_scores import wilson
from training.train import commit

console = Console(stderr=True)
app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    weights: Annotated[Path, typer.Option(help="What training exported.")] = TRAINED,
    scenes: Annotated[
        int, typer.Option(min=0, help="Clips of drawings and backgrounds never trained on.")
    ] = 400,
    film: Annotated[bool, typer.Option(help="Look at the sample film as well.")] = True,
    only_json: Annotated[
        bool, typer.Option("--json", help="Print the line of JSON alone.")
    ] = False,
) -> None:
    """Compare what clips are encoded to with what they show; a table, then one line of JSON."""
    service = VideoChat(lite(torch.device("cpu"), torch.bfloat16, console.print, weights))
    sprites = load_sprites((HELD_OUT_SET,), progress=console.print) if scenes else {}
    sets: dict[str, Iterable[Seeing]] = {"drawn": drawn(sprites, scenes)}
    if film:
        vision = service.parts.config.vision
        sets["sample"] = sample(vision.frame_side or vision.image_size)
    out = Console(soft_wrap=True, highlight=False)
    rows = {}
    for name, seeings in sets.items():
        verdicts = [verdict for seeing in track(seeings, name, console=console, transient=True) for verdict in _look(service, seeing)]  # fmt: skip
        asked, right = (Counter(v.kind for v in some) for some in (verdicts, [v for v in verdicts if v.right]))  # fmt: skip
        rows[name] = {kind: {"asked": asked[kind], **asdict(wilson(right[kind], asked[kind]))} for kind in asked}  # fmt: skip
    if not only_json:
        out.print(_table(rows), markup=False)
    out.print(json.dumps({"eval": "eyes", "weights": weights.name, "commit": commit(), "scores": rows}), markup=False)  # fmt: skip


def _look(service: VideoChat, seeing: Seeing) -> Iterable[EyesVerdict]:
    [tokens] = service.encode([seeing.clip])
    things, table = things_of(tokens), word_table()
    return [*judge(seeing, things, table), *calibration(seeing, things, table)]


def _table(rows: dict[str, dict[str, dict[str, float]]]) -> str:
    lines = ["| shown | what | asked | right (95 % interval) |", "|---|---|---:|---:|"]
    lines += [
        f"| {name} | {kind} | {row['asked']} | {row['share']:.1%} ({row['low']:.0%} to {row['high']:.0%}) |"
        for name, scores in rows.items()
        for kind, row in sorted(scores.items())
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    run_command(app, "flashback eval eyes", (Missing, ModelUnavailable))
