"""LVBench: films of half an hour and more (https://arxiv.org/abs/2406.08035)."""

from pathlib import Path

from training.evaluations.annotations import Record, field, find, records, texts, video
from training.evaluations.choices import choice_scorer, lettered, place, truth
from training.evaluations.command import run_benchmark
from training.evaluations.items import Benchmark, Item, Media, Options, Scoring
from training.evaluations.letters import anywhere, listed, unlettered

ASK = "Answer with the option's letter from the given choices directly."


def read(folder: Path, options: Options) -> list[Item]:
    """Return the questions, as in VideoChat-Flash's JSON or in lmms-eval's records.

    A film is a file, or a folder of frames, one a second.

    Raises:
        BadData: If the folder cannot be used.
    """
    file = find(
        folder, "lvbench_clean.json", "json/lvbench_clean.json", "*.json", "*.jsonl", "**/*.parquet"
    )
    places = [folder / place for place in ("frames", "videos", "all_videos", "")]
    return [
        _item(places, f"record {number} of {file.name}", str(number), record, options.scoring)
        for number, record in enumerate(records(file))
    ]


def _item(places: list[Path], where: str, key: str, record: Record, scoring: Scoring) -> Item:
    given = texts(record, where, "candidates", "options")
    plain = unlettered(given)
    name = str(field(record, where, "video", "video_path"))
    # The harness letters options that are lettered already: "A. (A) 1636".
    shown = given if scoring is Scoring.published else plain
    question, (kind, *others) = field(record, where, "question"), _kinds(record)
    return Item(
        key=key,
        category=kind,
        also=tuple(others),
        media=Media(video(places, name)),
        prompt=f"{question}\n{listed(shown, '{}. {}')}\n{ASK}",
        truth=truth(plain, _right(given, str(field(record, where, "answer")), where)),
        cluster=name,
    )


def _kinds(record: Record) -> list[str]:
    kinds = record.get("question_type") or ["all"]
    return [kinds] if isinstance(kinds, str) else [str(kind) for kind in kinds]


def _right(options: list[str], answer: str, where: str) -> int:
    """Return which option is right, given as a letter or in full.

    Raises:
        BadData: If it is none.
    """
    found = place(options, answer)
    return lettered(options, answer, where) if found is None else found


LVBENCH = Benchmark(
    "lvbench",
    "LVBench",
    read,
    choice_scorer(lambda answer, _: anywhere(answer), passes_over_empty=True),
)

if __name__ == "__main__":
    run_benchmark(LVBENCH)
