"""Video-MME (https://arxiv.org/abs/2405.21075), with or without subtitles."""

import codecs
import re
from pathlib import Path

from training.evaluations.annotations import Record, field, find, records, texts, video
from training.evaluations.choices import choice_scorer, lettered, truth
from training.evaluations.command import run_benchmark
from training.evaluations.items import Benchmark, Item, Media, Options
from training.evaluations.letters import listed, unlettered, videomme

INTRODUCED = "These are the frames{} of a video. Select the best answer to the following multiple-choice question based on the video{}. Respond with only the letter (A, B, C, or D) of the correct option."  # fmt: skip
LISTED = "This video's subtitles are listed below: \n{}\n"
_LINE = re.compile(r'<font color="white" size=".72c">(.*?)</font>')


def read(folder: Path, options: Options) -> list[Item]:
    """Return the questions; films in `data` or `videos`, subtitles in `subtitle`.

    Raises:
        BadData: If the folder cannot be used.
    """
    file = find(folder, "test*.parquet", "*/test*.parquet", "videomme.json", "*.json", "*.jsonl")
    return [
        _item(folder, f"record {number} of {file.name}", record, options.subtitles)
        for number, record in enumerate(records(file))
    ]


def _item(folder: Path, where: str, record: Record, subtitled: bool) -> Item:
    """Return one question.

    Raises:
        BadData: If no option is right.
    """
    name = str(field(record, where, "videoID"))
    plain = unlettered(texts(record, where, "options"))
    right = lettered(plain, field(record, where, "answer"), where)
    asked = f"Question: {field(record, where, 'question')}\nOption:\n{listed(plain, '{}. {}')}"
    said = _subtitles(folder / "subtitle" / f"{name}.srt") if subtitled else ""
    if said:
        introduced = INTRODUCED.format(" and subtitles", " and the subtitles")
        prompt = f"{LISTED.format(said)}{introduced}\n{asked}\nThe best answer is:"
    else:
        ask = "\nAnswer with the option's letter from the given choices directly."
        prompt = f"{INTRODUCED.format('', '')}\n{asked}{ask}"
    return Item(
        key=str(field(record, where, "question_id")),
        category=str(field(record, where, "task_type")),
        media=Media(video([folder / "data", folder / "videos", folder / "video"], name)),
        prompt=prompt,
        truth=truth(plain, right),
        group=str(field(record, where, "duration")),
    )


def _subtitles(file: Path) -> str:
    """Return what is said, a line each; nothing where a film has no subtitles."""
    if not file.is_file():
        return ""
    text = _decoded(file.read_bytes())
    if found := _LINE.findall(text):
        return "\n".join(found)
    lines = [re.sub(r"<[^>]+>", "", line).strip() for line in text.splitlines()]
    # A number is what is said, unless a time follows it.
    said = (
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=True)
        if line and "-->" not in line and not (line.isdecimal() and "-->" in after)
    )
    return "\n".join(said)


def _decoded(data: bytes) -> str:
    """Return subtitles as text: UTF-16 if they say so, UTF-8, or else what Windows wrote in the West."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


VIDEOMME = Benchmark(
    "videomme",
    "Video-MME",
    read,
    choice_scorer(lambda answer, _: videomme(answer)),
    has_subtitles=True,
)

if __name__ == "__main__":
    run_benchmark(VIDEOMME)
