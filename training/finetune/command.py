"""The commands `flashback train STAGE --config FILE` and `flashback export RUN --output FOLDER`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from model.errors import ModelUnavailable
from training.command import run_command
from training.errors import BadData
from training.finetune.processes import Processes, processes
from training.finetune.recipe import Recipe, read_recipe
from training.finetune.run import StageRun, Step
from training.finetune.samples import Sample
from training.finetune.state import export
from training.loss_plot import plot_losses

console = Console(stderr=True)
LACKING = (BadData, ModelUnavailable)
app = typer.Typer(add_completion=False)


@app.command()
def train(
    stage: Annotated[str, typer.Argument(help="alignment, short, joint or high-resolution")],
    config: Annotated[
        Path, typer.Option(metavar="FILE", help="YAML or JSON: model, data, output, …")
    ],
    model: Annotated[str | None, typer.Option(help="Instead of the configuration's.")] = None,
    output: Annotated[str | None, typer.Option(help="Instead of the configuration's.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many.")] = None,
) -> None:
    """Train one of the paper's four stages. Ctrl-C keeps what was done; the same command goes on.

    On several GPUs: torchrun --nproc-per-node N $(which flashback) train STAGE --config FILE
    """
    recipe = read_recipe(stage, config, model=model, output=output, steps=steps)
    with processes() as among:
        _train(recipe, among)


def _train(recipe: Recipe, among: Processes) -> None:
    # A function of its own: what processes share must be gone before they part.
    run = StageRun(recipe, among)
    if among.first:
        console.print(f"{len(run.records.usable)} examples, {sum(run.broken.values())} cannot be used; {run.steps} steps, {run.done} done")  # fmt: skip
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, disable=not among.first) as bars:
        bar = bars.add_task(recipe.stage, total=run.steps, completed=run.done)

        def told(step: Step) -> None:
            bars.update(
                bar, completed=step.step, description=f"{recipe.stage}, loss {step.loss:.3f}"
            )

        def shown(sample: Sample) -> None:
            console.print(f"step {sample.step}: {sample.question.strip()}\n  is: {sample.expected}\n  said: {sample.said}", markup=False)  # fmt: skip

        folder = run.train(told, shown)
    if among.first:
        plot_losses(run.folder / "log.jsonl", run.folder / "loss.png")
        for reason, count in run.broken.most_common(5):
            console.print(f"left out {count} times: {reason}", markup=False)
        console.print(f"wrote {folder}: flashback serve --model {folder}", markup=False)


exporting = typer.Typer(add_completion=False)


@exporting.command()
def write(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The output folder of a training run.")
    ],
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the checkpoint goes.")],
) -> None:
    """Write what a run has learned as a checkpoint for --model; adapters are merged."""
    export(run, output)
    console.print(f"wrote {output}", markup=False)


if __name__ == "__main__":
    run_command(app, "flashback train", LACKING)
