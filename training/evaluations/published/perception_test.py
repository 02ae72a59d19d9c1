"""Perception Test, validation, multiple choice (https://arxiv.org/abs/2305.13786)."""

from pathlib import Path

from training.evaluations.annotations import field, find, number, records, texts, video
from training.evaluations.choices import choice_scorer, numbered, truth
from training.evaluations.command import run_benchmark
from training.evaluations.items import Benchmark, Item, Media, Options
from training.evaluations.letters import capital, listed

ASK = "\nAnswer with the option's letter from the given choices directly."


def read(folder: Path, _options: Options) -> list[Item]:
    """Return the questions; the films lie in `videos`.

    Raises:
        BadData: If the folder cannot be used.
    """
    file = find(folder, "mc_question_val*.*", "*.json", "*/*.parquet", "*.parquet")
    items = []
    for n, record in enumerate(records(file)):
        where = f"record {n} of {file.name}"
        options = texts(record, where, "options")
        right = numbered(options, number(record, where, "answer_id"), where)
        name = str(field(record, where, "video_name"))
        path = video([folder / "videos", folder], name)
        question = str(field(record, where, "question"))
        items.append(
            Item(
                key=f"{name}/{field(record, where, 'question_id')}",
                category=str(record.get("area", "all")),
                media=Media(path),
                prompt=f"{question}\n{listed(options, '{}. {}')}{ASK}",
                truth=truth(options, right),
            )
        )
    return items


PERCEPTION_TEST = Benchmark(
    "perception_test",
    "Perception Test (validation, multiple choice)",
    read,
    choice_scorer(lambda answer, _: capital(answer, "A-D")),
)

if __name__ == "__main__":
    run_benchmark(PERCEPTION_TEST)
