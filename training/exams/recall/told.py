"""Answers of a recall exam as they come, kept so that a run that was cut short goes on; and its report."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from training.exams.recall.exam import KINDS, RecallCase, RecallOutcome
from training.exams.recall.scores import Sitting, of, share

_ANSWERS = "answers.jsonl"


@dataclass(frozen=True, slots=True)
class Read:
    """What one way of remembering read of one day.

    Attributes:
        day: Its seed.
        way: Its name.
        blocks: Clips or blocks that the language model read.
        reach: How far back they go, in seconds.
    """

    day: int
    way: str
    blocks: int
    reach: float


class RecallTold:
    """Everything that was answered.

    Args:
        folder: Where it is kept, and what is there already belongs to it; None keeps nothing.
        show: Is told every answer, if anybody wants to see it.

    Attributes:
        bytes_an_hour: That memory takes.
    """

    def __init__(self, folder: Path | None, show: Callable[[str], object] | None = None) -> None:
        self.bytes_an_hour = 0.0
        self._show = show
        self._path = None if folder is None else folder / _ANSWERS
        self._told: list[tuple[Read, RecallOutcome]] = []
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            for line in self._lines():
                self._told.append(_unpacked(line))
                self.bytes_an_hour = line["bytes_an_hour"]

    def knows(self, day: int, way: str, asked: Sequence[RecallCase]) -> bool:
        """Say whether all of this was answered; else what there is of it is dropped."""
        mine = [o for read, o in self._told if (read.day, read.way) == (day, way)]
        if len(mine) == len(asked):
            return True
        self._told = [one for one in self._told if (one[0].day, one[0].way) != (day, way)]
        if mine and self._path is not None:
            left = [line for line in self._lines() if (line["day"], line["way"]) != (day, way)]
            self._path.write_text("".join(f"{json.dumps(line)}\n" for line in left))
        return False

    def tell(self, read: Read, outcome: RecallOutcome) -> None:
        """Take one answer."""
        self._told.append((read, outcome))
        line = _packed(read, outcome, self.bytes_an_hour)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        if self._show is not None:
            self._show(" | ".join(str(value) for value in line.values()))

    def _lines(self) -> list[dict[str, Any]]:
        """Return what is in the file."""
        if self._path is None or not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]

    def sittings(self, ways: Iterable[str]) -> list[Sitting]:
        """Return what each of `ways` answered, of all days together."""
        found = []
        for way in ways:
            mine = [(read, o) for read, o in self._told if read.way == way]
            if mine:
                reads = [read for read, _ in mine]
                reach = max(read.reach for read in reads)
                found.append(Sitting(way, tuple(o for _, o in mine), reads[-1].blocks, reach))
        return found


def _packed(read: Read, outcome: RecallOutcome, hourly: float) -> dict[str, object]:
    o, case = outcome, outcome.case
    about = {"kind": case.kind, "age": case.age, "question": case.text, "moment": case.moment}
    said = {"answer": o.answer, "right": o.right, "found": o.found, "first": o.first}
    return asdict(read) | about | said | {"bytes_an_hour": hourly}


def _unpacked(line: Mapping[str, Any]) -> tuple[Read, RecallOutcome]:
    read = Read(line["day"], line["way"], line["blocks"], line["reach"])
    case = RecallCase(line["kind"], line["age"], line["question"], bool, line["moment"])
    return read, RecallOutcome(case, line["answer"], line["right"], line["found"], line["first"])


def save(
    folder: Path,
    text: str,
    found: Mapping[str, object],
    sittings: Sequence[Sitting],
    ages: Sequence[float],
) -> None:
    """Write tables, JSON and the plot into `folder`."""
    (folder / "recall.md").write_text(text, encoding="utf-8")
    (folder / "recall.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    mpl.use("Agg")
    figure = Figure(figsize=(11, 6.4), layout="constrained")
    kinds = [kind for kind in KINDS if any(of(s, ages, None, [kind]) for s in sittings)]
    panels = figure.subplots(2, 4, sharey=True).flat
    names = [f"{age / 3600:g} h" if age >= 3600 else f"{age / 60:g} min" for age in sorted(ages)]
    for panel, kind in zip(panels, ["all", *kinds], strict=False):
        for s in sittings:
            some = kinds if kind == "all" else [kind]
            shares = [share(of(s, ages, age, some)) for age in sorted(ages)]
            panel.plot(names, shares, marker=".", label=s.way)
        panel.set(title=kind, ylim=(-0.03, 1.03))
        panel.grid(alpha=0.3)
    figure.legend(
        *next(iter(figure.axes)).get_legend_handles_labels(), loc="outside lower center", ncols=6
    )
    figure.savefig(folder / "recall.png", dpi=110)
