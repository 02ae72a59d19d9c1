"""What each part of reading is worth: `python -m training.ablate`.

The stage `reading` (`training/lite/reading.py`) in small, once for every variant: the same seed, streams
and steps, from the published language model; then the same exam on made-up streams that training never
draws. `again` is the baseline with another seed: what differs less than it does is noise. A variant that
was trained is not trained again, and one that was stopped goes on.

With `--shipped` nothing is trained: the shipped weights read without a part that they were taught with.
That says what they lean on, not what they could have learned without it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from os import getloadavg
from pathlib import Path
from time import process_time
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from model.errors import ModelUnavailable
from model.zoo.lite_base import convert
from training.command import run_command
from training.errors import Missing
from training.exams.compared import Exam, as_rows, table
from training.lite.forms import FORM, Form
from training.lite.made_up import Batch, Course, Maker
from training.lite.reading import Lesson, Student, Told, learn_to_read, shipped, told_of
from training.streams.world import Mix
from training.train import commit

BASELINE = "baseline"
_KEPT_ASIDE = 2_000_003
"""First number of the seeds of the exam; training and its other exams draw from others."""
_ROOM = 2048


@dataclass(frozen=True, slots=True)
class Variant:
    """What is done another way.

    Attributes:
        form: What is read of a clip.
        rank: Of the adapters; 0 trains the language model whole.
        seed: Added to the seed of training.
        pointer: Added, when answering, to the logits of what the captions spell; trained is the baseline.
    """

    form: Form = FORM
    rank: int = 32
    seed: int = 0
    pointer: float = 0.0

    @property
    def fits_shipped(self) -> bool:
        """Whether the shipped weights can be read in this way."""
        return self.form.anchored and self.rank == 32 and not self.seed


VARIANTS = {
    BASELINE: Variant(),
    "again": Variant(seed=1),
    "free": Variant(Form(anchored=False)),
    "sums": Variant(Form(words="summed")),
    "looks": Variant(Form(words="none")),
    "words": Variant(Form(seen=0)),
    "16-looks": Variant(Form(seen=16)),
    "rank-8": Variant(rank=8),
    "whole": Variant(rank=0),
    "no-notes": Variant(Form(notes=False)),
    "sums-no-notes": Variant(Form(words="summed", notes=False)),
    "pointer-1": Variant(pointer=1.0),
    "pointer-3": Variant(pointer=3.0),
}

console = Console(stderr=True)
app = typer.Typer(add_completion=False, help=__doc__)


@dataclass(frozen=True, slots=True)
class SmallRecipe:
    """How every variant is trained and examined.

    Attributes:
        steps: Of training.
        streams: Of a step.
        longest: Most clips of a stream.
        questions: About each stream.
        seed: Decides every random choice of training.
        exam: Streams of the exam.
    """

    steps: int
    streams: int
    longest: int
    questions: int
    seed: int
    exam: int

    @property
    def courses(self) -> tuple[Course, ...]:
        """What the streams are like."""
        scenes = max(2, self.longest // 2)
        mix = Mix(longest=self.longest, single=0.2, scenes=scenes, cuts=True)
        return (Course(1.0, mix, self.questions, past=2.0),)

    def lesson(self, variant: Variant) -> Lesson:
        """Return how `variant` is trained: without the deep stage of dropout, since it is not compared."""
        return Lesson(
            self.steps, self.streams, rank=variant.rank, seed=self.seed + variant.seed, deep=0.0,
            room=_ROOM, workers=0, courses=self.courses, judged=4, every=10, form=variant.form,
        )  # fmt: skip

    def asked(self, base: Path, form: Form) -> Iterator[Batch]:
        """Yield the streams of the exam as they are read in `form`, one by one."""
        maker = Maker(base, self.courses, 0.0, form)
        for number in range(self.exam):
            yield Batch.of([maker.example(np.random.default_rng([_KEPT_ASIDE, number]))])


@app.command()
def ablate(
    names: Annotated[
        list[str] | None, typer.Argument(help="Variants; without, all of them.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Of checkpoints and answers.")] = Path(
        ".cache/ablations"
    ),
    steps: Annotated[int, typer.Option(min=1, help="Of training, for each.")] = 60,
    streams: Annotated[int, typer.Option(min=1, help="Of a step.")] = 4,
    longest: Annotated[int, typer.Option(min=4, help="Most clips of a stream.")] = 8,
    questions: Annotated[int, typer.Option(min=1, help="About each stream.")] = 12,
    seed: Annotated[int, typer.Option(help="Decides every random choice of training.")] = 1,
    exam: Annotated[int, typer.Option(min=2, help="Streams of the exam.")] = 60,
    as_shipped: Annotated[
        bool, typer.Option("--shipped", help="Train nothing: examine the shipped weights.")
    ] = False,
) -> None:
    """Train variants of reading and compare them; tables and a line of JSON.

    Ctrl-C keeps what was done; the same command goes on from there.

    Raises:
        BadParameter: If there is no such variant.
    """
    recipe = SmallRecipe(steps, streams, longest, questions, seed, exam)
    bench, results = Bench(recipe, convert(), folder, as_shipped), dict[str, Examined]()
    for name in _wanted(names or list(VARIANTS), as_shipped=as_shipped):
        results[name] = bench.result(name)
    exams = {name: result.told for name, result in results.items()}
    seconds = {name: result.seconds for name, result in results.items()}
    out = Console(soft_wrap=True, highlight=False)
    out.print(table(exams, seconds), markup=False)
    about = {"eval": "ablations", "shipped": as_shipped, "commit": commit(), **asdict(recipe)}
    out.print(json.dumps(about | {"seconds": seconds, "variants": as_rows(exams)}), markup=False)


def _wanted(names: Sequence[str], *, as_shipped: bool) -> list[str]:
    """Return the variants to compare, the baseline first.

    Raises:
        BadParameter: If one is not known.
    """
    if unknown := sorted(set(names) - set(VARIANTS)):
        raise typer.BadParameter(f"there is no {unknown[0]!r}: {', '.join(VARIANTS)}")
    found = [name for name in VARIANTS if name in names or name == BASELINE]
    return [name for name in found if not as_shipped or VARIANTS[name].fits_shipped]


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of a variant.

    Attributes:
        told: Its answers in the exam.
        seconds: Of a processor, that it was trained.
    """

    told: Exam
    seconds: float


@dataclass(frozen=True, slots=True)
class Bench:
    """Where variants are trained and examined, and what is kept of them.

    Attributes:
        recipe: How.
        base: Folder of the converted base weights.
        folder: Of checkpoints and answers.
        as_shipped: Whether the shipped weights are examined, and nothing is trained.
    """

    recipe: SmallRecipe
    base: Path
    folder: Path
    as_shipped: bool

    def result(self, name: str) -> Examined:
        """Return what a variant answers; it is trained and examined unless that was done before."""
        answers = self._place(name) / f"exam-{self.recipe.exam}.json"
        if answers.exists():
            known = json.loads(answers.read_text())
            told = [[Told(*one) for one in stream] for stream in known["told"]]
            return Examined(told, known["seconds"])
        variant, seconds = VARIANTS[name], 0.0
        if self.as_shipped:
            pupil = shipped(self.base, variant.form)
        else:
            # The pointer is put on what the baseline learned.
            pupil, seconds = self._trained(BASELINE if variant.pointer else name)
        console.print(f"{name}: examined at a load of {getloadavg()[0]:.1f}")
        told = [
            stream
            for batch in self.recipe.asked(self.base, variant.form)
            for stream in told_of(pupil, batch, variant.pointer)
        ]
        rows = [[(one.kind, one.right, one.cost) for one in stream] for stream in told]
        answers.parent.mkdir(parents=True, exist_ok=True)
        answers.write_text(json.dumps({"seconds": seconds, "told": rows}))
        return Examined(told, seconds)

    def _trained(self, name: str) -> tuple[Student, float]:
        """Return a variant as it is trained, and the seconds of a processor that it took, stops included."""
        place, begun = self._place(name), process_time()
        place.mkdir(parents=True, exist_ok=True)
        clock = place / "seconds.json"
        before: float = json.loads(clock.read_text()) if clock.exists() else 0.0

        def report(line: str) -> None:
            seconds = before + process_time() - begun
            clock.write_text(json.dumps(seconds))
            line = f"{name}  {seconds:.0f} s of processor, load {getloadavg()[0]:.1f}  {line}"
            console.print(line, markup=False, soft_wrap=True)

        lesson = self.recipe.lesson(VARIANTS[name])
        pupil = learn_to_read(self.base, place, lesson, report)
        return pupil, json.loads(clock.read_text())

    def _place(self, name: str) -> Path:
        """Return the folder of a variant that was trained by this recipe."""
        r = self.recipe
        taught = "shipped" if self.as_shipped else f"{r.steps}x{r.streams}-{r.seed}"
        return self.folder / f"{taught}-{r.longest}-{r.questions}" / name


def main() -> None:
    """Run, and turn what a user can mend into a sentence."""
    run_command(app, "python -m training.ablate", (Missing, ModelUnavailable))


if __name__ == "__main__":
    main()
