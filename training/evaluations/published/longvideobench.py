"""LongVideoBench, validation (https://arxiv.org/abs/2407.15754), with or without its subtitles.

VideoChat-Flash's harness puts the subtitles into every question whether asked to or not, and guesses
where it finds no letter. So does `published`; `strict` shows them with `--subtitles` alone.
"""

from pathlib import Path

from training.errors import BadData
from training.evaluations.annotations import (
    Record,
    field,
    find,
    number,
    read_json,
    records,
    seconds,
    texts,
    video,
)
from training.evaluations.choices import choice_scorer, numbered, truth
from training.evaluations.command import run_benchmark
from training.evaluations.items import Benchmark, Item, Media, Options, Scoring
from training.evaluations.letters import guessed, listed

ASK = "Answer with the option's letter from the given choices directly.\n"
SUBTITLED = " This video's subtitles are listed below: \n{}.\n Select the best answer to the following multiple-choice question based on the video and the subtitles. Respond with only the letter of the correct option.\nQuestion: {}\n"  # fmt: skip
MOST_FRAMES = 512
"""Frames that the harness counts on when it leaves out subtitles between them."""


def read(folder: Path, options: Options) -> list[Item]:
    """Return the questions; films in `videos`, subtitles in `subtitles`.

    Raises:
        BadData: If the folder cannot be used.
    """
    file = find(folder, "lvb_val.json", "validation*.parquet", "**/validation*.parquet")
    subtitled = options.subtitles or options.scoring is Scoring.published
    return [
        _item(folder, f"record {n} of {file.name}", record, subtitled)
        for n, record in enumerate(records(file))
    ]


def _item(folder: Path, where: str, record: Record, subtitled: bool) -> Item:
    """Return one question.

    Raises:
        BadData: If it cannot be used.
    """
    choices = _choices(record, where)
    right = numbered(choices, number(record, where, "correct_choice"), where)
    question = f"{field(record, where, 'question')}\n{listed(choices, '({}). {}')}"
    prompt = f"{question}\n{ASK}"
    if subtitled and (path := _subtitles(folder, record)) is not None:
        prompt = SUBTITLED.format(_shown(path, record), question) + ASK
    elif subtitled and record.get("subtitle_path"):
        raise BadData(
            f"{where}: its subtitles {record['subtitle_path']} are not in {folder}/subtitles"
        )
    name = str(record.get("video_path") or f"{field(record, where, 'video_id')}.mp4")
    return Item(
        key=str(record.get("id") or f"{name}/{question}"),
        category=str(field(record, where, "question_category")),
        media=Media(video([folder / "videos", folder], name)),
        prompt=prompt,
        truth=truth(choices, right),
        tokens=32,
        group=str(field(record, where, "duration_group")),
    )


def _choices(record: Record, where: str) -> list[str]:
    if record.get("candidates") is not None:
        return texts(record, where, "candidates")
    spread = (record.get(f"option{n}") for n in range(5))
    return [str(one) for one in spread if one not in {None, "N/A"}]


def _subtitles(folder: Path, record: Record) -> Path | None:
    name = str(record.get("subtitle_path") or "")
    names = {name, name.replace(".json", "_en.json")}
    return next((p for n in sorted(names) if n and (p := folder / "subtitles" / n).is_file()), None)


def _shown(path: Path, record: Record) -> str:
    """Return the lines that some of the frames looked at falls into, one each.

    Raises:
        BadData: If the file cannot be read.
    """
    lines = read_json(path)
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise BadData(f"{path} must be a list of lines")
    length = number({"duration": 0} | dict(record), path.name, "duration")
    step = length / MOST_FRAMES if length > MOST_FRAMES else 1.0
    before = float(record.get("starting_timestamp_for_subtitles") or 0)
    kept = []
    for n, line in enumerate(lines):
        start, end, text = _line(line, f"line {n} of {path.name}", length)
        start, end = start - before, end - before
        if end - start < 1:
            middle = (start + end) / 2
            start, end = middle - 0.5, middle + 0.5
        # Frames lie at multiples of the step.
        first = max(0, int(start / step) + (start >= 0))
        if start < first * step < min(end, length):
            kept.append(text)
    return "\n".join(kept)


def _line(line: Record, where: str, length: float) -> tuple[float, float, str]:
    """Return when a line is shown, and what it says.

    Raises:
        BadData: If it does not tell.
    """
    if "timestamp" not in line:
        start, end = (seconds(field(line, where, name), where) for name in ("start", "end"))
        return start, end, str(field(line, where, "line"))
    span = line["timestamp"]
    if not isinstance(span, list) or len(span) != 2:
        raise BadData(f"{where}: timestamp must be a start and an end, got {span!r}")
    start = number({"timestamp": span[0]}, where, "timestamp")
    end = span[1] if isinstance(span[1], float) else length
    return start, end, str(field(line, where, "text"))


LONGVIDEOBENCH = Benchmark(
    "longvideobench",
    "LongVideoBench (validation)",
    read,
    choice_scorer(lambda answer, item: guessed(answer, item.truth["options"], item.key)),
    has_subtitles=True,
)

if __name__ == "__main__":
    run_benchmark(LONGVIDEOBENCH)
