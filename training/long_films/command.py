"""`flashback films DIR`: long films with questions, in the format that training and `eval` read.

DIR/films/N.mp4
DIR/annotations.json   records with `video`, `conversations`, `start`, `end`
DIR/list.json          the data list that `flashback train` reads
DIR/charades.json      when things were shown, as Charades-STA has it
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from training.command import run_command
from training.drawn.drawings import TRAINING_SETS, load_sprites
from training.errors import Missing
from training.long_films.drawing import write_film
from training.long_films.plan import FilmPlan, plan_film
from training.long_films.questions import pairs

console = Console(stderr=True)
app = typer.Typer(add_completion=False)
PHOTOS = (".jpg", ".jpeg", ".png", ".webp")


@app.command()
def films(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where they go.")],
    count: Annotated[int, typer.Option(min=1, help="How many films.")] = 4,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long each is.")] = 10.0,
    questions: Annotated[int, typer.Option(min=1, help="About each, at most.")] = 40,
    rate: Annotated[int, typer.Option(min=1, help="Frames a second.")] = 8,
    side: Annotated[int, typer.Option(min=32, help="Height of a frame; it is 4:3.")] = 240,
    photos: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Photographs of your own for backgrounds.")
    ] = None,
    shapes: Annotated[bool, typer.Option("--shapes", help="Shapes alone, no drawings.")] = False,
    seed: Annotated[int, typer.Option(help="Decides everything.")] = 1,
) -> None:
    """Make long films with dense events, and questions and answers about them."""
    sprites = {} if shapes else load_sprites(TRAINING_SETS, progress=console.print)
    found = tuple(sorted(p for p in photos.rglob("*") if p.suffix.lower() in PHOTOS)) if photos else ()  # fmt: skip
    (folder / "films").mkdir(parents=True, exist_ok=True)
    size = (round(side * 4 / 3 / 2) * 2, side // 2 * 2)
    records: list[dict[str, Any]] = []
    spans: list[dict[str, Any]] = []
    for number in track(range(count), "films", console=console, transient=True):
        plan = plan_film(seed * 10_007 + number, minutes * 60, sprites, found)
        name = f"{seed}-{number:04}.mp4"
        write_film(plan, sprites, folder / "films" / name, rate, size)
        records += _records(plan, f"films/{name}", questions)
        spans += _spans(plan, name, questions)
    _write(folder / "annotations.json", records)
    _write(folder / "charades.json", spans)
    listed = {"json_path": "annotations.json", "sampling_strategy": "all", "data_root": "."}
    _write(folder / "list.json", {"datasets": [listed]})
    console.print(f"wrote {count} films and {len(records)} questions into {folder}", markup=False)


def _records(plan: FilmPlan, video: str, questions: int) -> list[dict[str, Any]]:
    return [
        {
            "video": video,
            "kind": pair.kind,
            "span": pair.span,
            "conversations": [
                {"from": "human", "value": f"<image>\n{pair.question}"},
                {"from": "gpt", "value": pair.answer},
            ],
        }
        for pair in pairs(plan, questions)
    ]


def _spans(plan: FilmPlan, name: str, questions: int) -> list[dict[str, Any]]:
    found = (pair for pair in pairs(plan, questions) if pair.kind == "when")
    return [
        {"video": name, "caption": pair.question, "timestamp": list(pair.span)}
        for pair in found
        if pair.span is not None
    ]


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run_command(app, "flashback films", (Missing,))
