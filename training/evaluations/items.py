"""What a public benchmark is made of, whichever it is: items, and how an answer is scored.

Every benchmark is one file of this folder: it reads the published annotations into items, and says
what an answer is worth. What all share stands here, `training/evaluations/runner.py` asks, and
`training/evaluations/summary.py` adds up.

    annotations --read--> Item --runner--> answer --score--> Verdict --summary--> table, JSON
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

Average = Literal["items", "categories", "groups"]


class Scoring(StrEnum):
    """By which rules answers are scored, and questions worded.

    `published` follows the public harness with whatever it does wrong, so that a figure can be set
    beside published ones. `strict` counts every item, reads letters exactly and tells no truth.
    """

    published = "published"
    strict = "strict"


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen of a benchmark.

    Attributes:
        scoring: See `Scoring`; some benchmarks word their questions by it as well.
        subtitles: Whether the subtitles stand in the question, where a benchmark has some.
        split: Which part of a benchmark that has several.
        judge: Answers a prompt, for benchmarks whose answers a language model judges.
    """

    scoring: Scoring = Scoring.strict
    subtitles: bool = False
    split: str = ""
    judge: Callable[[str], str] | None = None

    @property
    def published(self) -> bool:
        """Whether the public harness is followed in everything."""
        return self.scoring is Scoring.published


@dataclass(frozen=True, slots=True)
class Media:
    """What is looked at.

    Attributes:
        path: A video file, or a folder of numbered frames.
        start: Where the part that counts begins, in seconds of the file; None is its beginning.
        end: Where it ends; None is its end.
        rate: Frames a second, of a folder of frames.
    """

    path: Path
    start: float | None = None
    end: float | None = None
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class AskedWhen:
    """When a question about a stream is asked.

    Attributes:
        at: Media seconds: what comes later has not been shown by then.
        context: Seconds before `at` that may be looked at; None is all there were.
        until: Ask again every second up to here, until the answer is yes; None asks once.
    """

    at: float | None
    context: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a benchmark.

    Attributes:
        key: Names it within the benchmark; the same in every run.
        category: Results are counted by it.
        media: What is looked at.
        prompt: What is asked.
        truth: What the scorer needs; JSON.
        tokens: Longest answer.
        also: Further categories that it belongs to.
        group: Of categories; empty if the benchmark has none.
        cluster: Items of one cluster are not independent of each other: those about one video.
        moment: When it is asked of a stream; None looks at the whole file first.
        after: Keys of earlier questions whose answers belong to this one.
    """

    key: str
    category: str
    media: Media
    prompt: str
    truth: Mapping[str, Any]
    tokens: int = 16
    also: tuple[str, ...] = ()
    group: str = ""
    cluster: str = ""
    moment: AskedWhen | None = None
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer is worth.

    Attributes:
        scores: By measure; the first is what the benchmark is known for.
        counted: Whether it counts at all: some harnesses pass empty answers over.
    """

    scores: Mapping[str, float]
    counted: bool = True


def as_listed(item: Item, _answers: Mapping[str, str]) -> str:
    """Return the prompt of an item that no earlier answer changes."""
    return item.prompt


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A public benchmark.

    Attributes:
        name: As it is typed.
        title: As it is published.
        read: Annotations of a folder as items.
        score: What an answer to an item is worth.
        average: The mean over items, over categories, or over groups of categories.
        splits: Parts it has, the default first.
        has_subtitles: Whether it can be run with subtitles.
        score_evidence: What the clips that an answer rests on (start, end, score) are worth besides.
        word: What is asked, given the answers to the questions before it.
        about: Said beside every result.
    """

    name: str
    title: str
    read: Callable[[Path, Options], Sequence[Item]]
    score: Callable[[Item, str, Options], Verdict]
    average: Average = "items"
    splits: tuple[str, ...] = ()
    has_subtitles: bool = False
    score_evidence: (
        Callable[[Item, Sequence[tuple[float, float, float]]], Mapping[str, float]] | None
    ) = None
    word: Callable[[Item, Mapping[str, str]], str] = as_listed
    about: Mapping[str, str] = field(default_factory=dict)
