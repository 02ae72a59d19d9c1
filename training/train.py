"""Train `lite`, from the published base weights to the file that the service loads.

`python -m training.train --help`; measure the result with `flashback eval lite`.
"""

import logging
import subprocess
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from model.errors import ModelUnavailable
from model.zoo.lite import TRAINED
from training.command import run_command
from training.errors import Missing
from training.lite import stages
from training.lite.materials import TUNING, WIDE
from training.lite.reading import Lesson
from training.lite.stages import Workshop

console = Console(stderr=True)
READING_STEPS = 200
app = typer.Typer(add_completion=False, help=__doc__)


class Stage(StrEnum):
    """What can be done, in this order."""

    features = "features"
    vision = "vision"
    heads = "heads"
    closer = "closer"
    reading = "reading"
    export = "export"
    all = "all"


@app.command()
def train(
    stage: Annotated[
        list[Stage] | None,
        typer.Option(
            help="Which stage, or stages; each goes on where it stopped. Without, all of them."
        ),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Of this run: features, checkpoints.")] = Path(
        ".cache/lite"
    ),
    scenes: Annotated[int, typer.Option(min=1, help="Scenes to train on.")] = 13_000,
    wide_scenes: Annotated[
        int, typer.Option(min=1, help="Scenes that the encoder has not seen, for `heads`.")
    ] = 1_500,
    vision_steps: Annotated[
        int, typer.Option(min=1, help="Steps of the stage `vision`, 32 clips each.")
    ] = 1_500,
    heads_steps: Annotated[int, typer.Option(min=1, help="Steps of `heads`.")] = 1_200,
    close_ups: Annotated[
        int, typer.Option(min=1, help="Shards of 512 close-ups, for `closer`.")
    ] = 12,
    closer_steps: Annotated[int, typer.Option(min=1, help="Steps of `closer`.")] = 1_500,
    reading_steps: Annotated[
        int, typer.Option(min=1, help="Steps of `reading`, 64 streams each.")
    ] = READING_STEPS,
    device: Annotated[
        str, typer.Option(help="Where `reading` is trained: cpu, or cuda for minutes, not days.")
    ] = "cpu",
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that make examples for `reading`.")
    ] = 2,
    room: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens of `reading` that go through the network at once."),
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option(
            help="Photographs for `heads` and `closer`, examples of what is not drawn: any folder."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides every random choice.")] = 1,
    rank: Annotated[int, typer.Option(min=1, help="Of the language model's adapters.")] = 32,
    output: Annotated[Path, typer.Option(help="The file that `export` writes.")] = TRAINED,
) -> None:
    """Train `lite`, from the published base weights to the file that the service loads.

    Ctrl-C keeps what was done; the same command goes on from there.

    Raises:
        BadParameter: If photographs are needed and none are named.
    """
    workshop = Workshop.open(folder, console.print)
    wanted = set(Stage) if stage is None or Stage.all in stage else set(stage)
    if {Stage.heads, Stage.closer} & wanted and photos is None:
        raise typer.BadParameter("`heads` and `closer` need photographs: --photos FOLDER")
    if Stage.features in wanted:
        stages.features(workshop, range(scenes))
        stages.features(workshop, range(wide_scenes), WIDE)
        stages.features(workshop, range(500), TUNING)
    if Stage.vision in wanted:
        stages.vision(workshop, vision_steps, 32, 1.2e-3, seed)
    if Stage.heads in wanted:
        assert photos is not None
        stages.heads(workshop, photos, heads_steps, seed)
    if Stage.closer in wanted:
        assert photos is not None
        stages.closer(workshop, photos, close_ups, closer_steps, seed)
    if Stage.reading in wanted:
        lesson = Lesson(
            reading_steps,
            rank=rank,
            seed=seed,
            workers=workers,
            device=torch.device(device),
            room=room,
        )
        stages.reading(workshop, lesson)
    if Stage.export in wanted:
        steps = f"--vision-steps {vision_steps} --heads-steps {heads_steps} --closer-steps {closer_steps} --reading-steps {reading_steps}"
        examples = f"--scenes {scenes} --wide-scenes {wide_scenes} --close-ups {close_ups}"
        named = " ".join(f"--stage {one}" for one in stage or (Stage.all,))
        command = f"flashback train lite {named} {examples} {steps} --seed {seed} --rank {rank} --device {device}"
        about = {
            "command": command,
            "seed": str(seed),
            "commit": commit(),
            "made": str(date.today()),
        }
        stages.export(workshop, output, rank, about)
        console.print(f"wrote {output}, {output.stat().st_size / 1e6:.1f} MB")


def commit() -> str:
    """Return which version of this repository is at work."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - whichever git there is
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"


def main() -> None:
    """Run, and turn what a user can mend into a sentence."""
    logging.basicConfig(level=logging.WARNING)
    lacking = (Missing, ModelUnavailable)
    run_command(app, "python -m training.train", lacking)


if __name__ == "__main__":
    main()
