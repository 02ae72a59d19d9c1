"""MLVU, multiple choice: 7 tasks (dev) or 9 (test) on films of minutes to hours.

Source: https://arxiv.org/abs/2406.04264. The mean of the tasks counts, not that of the questions.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from training.evaluations.annotations import Record, field, find, records, texts, video
from training.evaluations.choices import choice_scorer, lettered, place, truth
from training.evaluations.command import run_benchmark
from training.evaluations.items import Benchmark, Item, Media, Options
from training.evaluations.letters import anywhere, listed, prioritised

ASK = "Answer with the option's letter from the given choices directly."
_OPTION = re.compile(r"^\s*\(?([A-H])[.)]\)?\s*(.+)$", re.MULTILINE)


def read(folder: Path, options: Options) -> list[Item]:
    """Return the questions: a JSON file a task, or one table with the options in the questions.

    Raises:
        BadData: If the folder cannot be used.
    """
    split = options.split or "dev"
    tables = (f"*{split}*.parquet", f"**/{split}*.parquet", f"mlvu_{split}.json*")
    if split == "test" or any(one for pattern in tables for one in folder.glob(pattern)):
        first = find(folder, *tables)
        return [
            _tabled(folder, f"record {n} of {first.name}", r) for n, r in enumerate(records(first))
        ]
    files = sorted(find(folder, "json/*.json", "[0-9]_*.json").parent.glob("[0-9]_*.json"))
    return [item for file in files for item in _listed(folder, file)]


def _listed(folder: Path, file: Path) -> Iterator[Item]:
    """Yield the questions of one task as VideoChat-Flash's repository has them."""
    places = [
        folder / "video" / file.stem,
        folder / "MLVU" / "video" / file.stem,
        folder / file.stem,
    ]
    for number, record in enumerate(records(file)):
        where = f"record {number} of {file.name}"
        options, answer = texts(record, where, "candidates"), str(field(record, where, "answer"))
        yield Item(
            key=f"{file.stem}/{number}",
            category=str(field(record, where, "question_type")),
            media=Media(video(places, str(field(record, where, "video")))),
            prompt=f"Question:{field(record, where, 'question')}\nOption:\n{listed(options)}\n{ASK}",
            truth=truth(options, place(options, answer)) | {"reader": "anywhere"},
        )


def _tabled(folder: Path, where: str, record: Record) -> Item:
    """Return a question as lmms-eval's tables have it.

    Raises:
        BadData: If its options cannot be found in it, or it has no right answer.
    """
    question = str(field(record, where, "question"))
    options = [text for _, text in _OPTION.findall(question)]
    right = lettered(options, field(record, where, "answer"), where)
    name = str(field(record, where, "video_name"))
    return Item(
        key=where,
        category=str(field(record, where, "task_type")),
        media=Media(video([folder, folder / "video", folder / "videos"], name)),
        prompt=question,
        truth=truth(options, right) | {"reader": "prioritised"},
    )


def _published(answer: str, item: Item) -> str:
    return anywhere(answer) if item.truth["reader"] == "anywhere" else prioritised(answer, "A-D")


MLVU = Benchmark(
    "mlvu",
    "MLVU (multiple choice)",
    read,
    choice_scorer(_published, passes_over_empty=True),
    average="categories",
    splits=("dev", "test"),
)

if __name__ == "__main__":
    run_benchmark(MLVU)
