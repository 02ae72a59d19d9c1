"""The answers of a run, kept as they come: a line of JSON each, so that a run can go on later.

The first line says what the run is; one that is something else is refused, not mixed in. A line that
was cut short (the machine went down) is written again.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.errors import BadData


@dataclass(frozen=True, slots=True)
class TimedAnswer:
    """An answer, and what it took.

    Attributes:
        key: Of the item.
        answer: In words; empty if there was none.
        prompt: What was asked.
        frames: Frames that could be looked at.
        clips: Clips they made.
        first_token_ms: From the question to the first word; None if there was none.
        total_ms: From the question to the last word.
        watched_ms: Wall clock until everything before the question was looked at; in real time, was there.
        late_ms: In real time: from its moment until it could be asked; None where nothing is paced.
        behind: Seconds of video that were given before the question and not looked at yet.
        lost: Clips since the question before that the encoder could not keep up with.
        error: Why it could not be asked; empty if it was.
        evidence: Start, end and score of every clip, oldest first, where a benchmark scores them.
    """

    key: str
    answer: str
    prompt: str
    frames: int = 0
    clips: int = 0
    first_token_ms: float | None = None
    total_ms: float | None = None
    watched_ms: float | None = None
    late_ms: float | None = None
    behind: float = 0.0
    lost: int = 0
    error: str = ""
    evidence: tuple[tuple[float, float, float], ...] = ()


class AnswerFile:
    """Where a run keeps its answers.

    Args:
        path: The file.
        run: What decides the answers: model, data, frames, dropout, …
        resume: Whether to go on where an earlier run stopped.

    Raises:
        BadData: If there is one already and `resume` is off, or it is of another run.
    """

    def __init__(self, path: Path, run: Mapping[str, Any], *, resume: bool) -> None:
        self.path = path
        self.answers: dict[str, TimedAnswer] = {}
        if path.exists() and not resume:
            raise BadData(f"{path} is there already: go on with --resume, or name another --output")
        if path.exists():
            kept, self.answers = read_answers(path)
            differ = [k for k in run if k in kept and run[k] != kept[k]]
            if differ:
                said = ", ".join(f"{k} = {kept[k]!r}, not {run[k]!r}" for k in differ)
                raise BadData(f"{path} is of another run ({said}): name another --output")
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"run": dict(run)})]
        lines += [json.dumps(asdict(answer)) for answer in self.answers.values()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def add(self, answered: TimedAnswer) -> None:
        """Keep an answer; it is on disk when this returns."""
        self.answers[answered.key] = answered
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(answered)) + "\n")


def read_answers(path: Path) -> tuple[Mapping[str, Any], dict[str, TimedAnswer]]:
    """Return what a run was, and its answers by key.

    Raises:
        BadData: If the file is something else.
    """
    lines = list(_lines(path))
    if not lines or "run" not in lines[0]:
        raise BadData(f"{path} does not begin with what run it is of: it is something else")
    return lines[0]["run"], {line["key"]: _answered(line) for line in lines[1:]}


def _answered(line: Mapping[str, Any]) -> TimedAnswer:
    clips = tuple((start, end, score) for start, end, score in line.get("evidence", ()))
    return TimedAnswer(**{**line, "evidence": clips})


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return  # cut short: it and what would follow are asked again
