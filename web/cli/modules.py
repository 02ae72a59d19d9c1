"""Commands that run a module of `benchmarks` or `training` by its name, and which there are.

What follows the name is the module's own: it reads it, and has a `--help`.
"""

import runpy
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from web.errors import Failed

app = typer.Typer()

BENCHMARKS = {
    "live": "how live the service is: age of what is seen, time to the first word",
    "memory": "what memory takes, and how fast it is",
    "day": "a day of one stream: what grows with its age, and what has a ceiling",
    "hour": "an hour of one stream in real time: what it takes, and what is still known of it",
    "restart": "how soon the first answer about a long stream comes after a restart",
    "join": "how soon a sender is answered and seen",
    "question": "time to the first word by length of history, three ways in one run",
    "ingest": "what taking streams in costs, and whether the service falls behind",
    "flops": "what a question costs, counted by formula",
    "flops_gpu": "the same measured on a graphics card, in the shapes of a released checkpoint",
    "watches": "what many watches on many streams add to a clip",
    "soak": "hours of everything at once, with faults: what grows, and what is lost",
    "hostile": "how long the event loop stands still under expensive input and slow readers",
    "cluster": "clips and answers a second by replicas, beside one process",
}
_EXAMS = {
    "lite": ("training.exams.evaluate", "drawings that `lite` was never trained on"),
    "eyes": ("training.exams.evaluate_eyes", "what `lite` sees, apart from what it says of it"),
    "real": (
        "training.exams.evaluate_real",
        "questions about video files: --data DIR with cases.json",
    ),
    "demo": (
        "benchmarks.harness.evaluate_demo",
        "what the demo suggests to ask, as its sample plays",
    ),
    "streams": (
        "training.exams.evaluate_streams",
        "long made-up streams: what is read, apart from seen",
    ),
    "accounts": (
        "training.exams.evaluate_accounts",
        "long made-up streams told in order, at once and in parts",
    ),
    "recall": (
        "training.exams.evaluate_recall",
        "what is still known of a day, by how long ago it was",
    ),
    "report": ("training.evaluations.card", "a model card of the results of evaluations"),
    "watches": ("training.watches.evaluate", "hits and false alarms of watches in quiet streams"),
    "niah": ("training.needles.niah", "one picture hidden in a long film"),
    "mhniah": ("training.needles.mhniah", "chains of pictures hidden in a long film"),
    "mvbench": ("training.evaluations.published.mvbench", "MVBench: 20 tasks on short films"),
    "perception_test": (
        "training.evaluations.published.perception_test",
        "Perception Test, validation",
    ),
    "longvideobench": (
        "training.evaluations.published.longvideobench",
        "LongVideoBench, validation",
    ),
    "mlvu": ("training.evaluations.published.mlvu", "MLVU, multiple choice, dev and test"),
    "lvbench": (
        "training.evaluations.published.lvbench",
        "LVBench: films of half an hour and more",
    ),
    "videomme": ("training.evaluations.published.videomme", "Video-MME, with or without subtitles"),
    "charades": ("training.evaluations.published.charades", "Charades-STA: when something happens"),
    "vdc": ("training.evaluations.published.vdc", "VDC: captions, judged by a language model"),
    "streamingbench": (
        "training.evaluations.published.streamingbench",
        "StreamingBench, as a stream",
    ),
    "ovobench": ("training.evaluations.published.ovobench", "OVO-Bench, as a stream"),
}
_STAGES = {
    "alignment": ("training.finetune.command", "the projector, on images and short captions"),
    "short": ("training.finetune.command", "everything, on images and short films"),
    "joint": ("training.finetune.command", "everything, on short and long films together"),
    "high-resolution": ("training.finetune.command", "vision and projector, at 448 pixels"),
    "lite": ("training.train", "our own small model, by its own stages (--stage)"),
}
_BENCHMARKS = "NAME is one of\n\n" + "\n\n".join(
    f"[bold]{name}[/bold]  {meaning}" for name, meaning in BENCHMARKS.items()
)
_EXAMS_HELP = "NAME is one of\n\n" + "\n\n".join(
    f"[bold]{name}[/bold]  {meaning}" for name, (_, meaning) in _EXAMS.items()
)
_STAGES_HELP = "STAGE is one of\n\n" + "\n\n".join(
    f"[bold]{name}[/bold]  {meaning}" for name, (_, meaning) in _STAGES.items()
)
_BEFORE_NAMES = __name__.removesuffix("web.cli.modules")  # "flashback." in a wheel, else nothing
# What only benchmarks and training need, by the extra that brings it.
_EXTRAS = {
    "mcp": "mcp",
    "matplotlib": "bench",
    "resvg_py": "train",
    "pyarrow": "evaluate",
    "ray": "ray",
    "yaml": "train",
}

# What follows NAME is passed on, also --help; what stands before it is for us.
_PassedOn = {"allow_extra_args": True, "allow_interspersed_args": False}


@app.command(context_settings=_PassedOn, epilog=_BENCHMARKS)
def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="what to measure")],
) -> None:
    """Measure something and print a table, then one line of JSON; NAME --help says more."""
    _check(name, BENCHMARKS, "benchmark")
    _run_module(f"benchmarks.{name}", context.args)


@app.command(name="eval", context_settings=_PassedOn, epilog=_EXAMS_HELP)
def evaluate(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="what to ask about")],
) -> None:
    """Examine a model and print a table, then one line of JSON; NAME --help says more."""
    _check(name, _EXAMS, "exam")
    _run_module(_EXAMS[name][0], context.args)


@app.command(context_settings=_PassedOn, epilog=_STAGES_HELP)
def train(
    context: typer.Context,
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="what to train")],
) -> None:
    """Train a stage of the paper's recipe, or our own small model; STAGE --help says more."""
    _check(stage, _STAGES, "stage")
    module = _STAGES[stage][0]
    _run_module(module, context.args if stage == "lite" else [stage, *context.args])


@app.command(context_settings=_PassedOn)
def export(context: typer.Context) -> None:
    """Write what a training run has learned as a checkpoint for --model; --help says more."""
    _run_module("training.finetune.export", context.args)


@app.command(context_settings=_PassedOn)
def films(context: typer.Context) -> None:
    """Make long films with questions and answers about them, to train on; --help says more."""
    _run_module("training.long_films.command", context.args)


def _check(name: str, known: Iterable[str], what: str) -> None:
    if name not in known:
        raise Failed(f"unknown {what} {name}; choose {', '.join(known)}", 2)


def _run_module(module: str, arguments: list[str]) -> None:
    # By name: nothing of the service may depend on what measures or trains it.
    sys.argv = [module, *arguments]
    with naming_extras():
        runpy.run_module(_BEFORE_NAMES + module, run_name="__main__", alter_sys=True)


@contextmanager
def naming_extras() -> Iterator[None]:
    """Say of a module that is missing which extra brings it.

    Raises:
        Failed: In place of the module's own error.
        ModuleNotFoundError: If no extra brings it.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        if missing.name not in _EXTRAS:
            raise
        raise Failed(missing_extra(missing.name)) from None


def missing_extra(module: str) -> str:
    """Return what to say of a module that is not installed: which extra brings it."""
    if _BEFORE_NAMES:
        return f"{module} is not installed: pip install 'flashback[{_EXTRAS[module]}]'"
    return (
        f"{module} is not installed. In the folder of the repository: "
        f"pip install --constraint constraints.txt --editable '.[{_EXTRAS[module]}]'"
    )
