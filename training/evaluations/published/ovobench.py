"""OVO-Bench: looking back, now and ahead in a stream (https://arxiv.org/abs/2501.05510).

Questions are asked of a stream at their moment: of the published parts of films (`ID.mp4`,
`ID_N.mp4`, which end there) at their end, of whole films at `realtime`. The published scores take a
letter as said if it is anywhere in the answer, "A" in "Appears" included, and join all digits.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from training.errors import BadData
from training.evaluations.annotations import Record, field, find, number, parts, records, texts
from training.evaluations.choices import ACCURACY, numbered, truth
from training.evaluations.command import run_benchmark
from training.evaluations.items import AskedWhen, Benchmark, Item, Media, Options, Verdict
from training.evaluations.letters import LETTERS, exact

GROUPS = {
    "EPM": "backward", "ASI": "backward", "HLD": "backward",
    "STU": "realtime", "OJR": "realtime", "ATR": "realtime", "ACR": "realtime", "OCR": "realtime",
    "FPD": "realtime", "REC": "forward", "SSR": "forward", "CRR": "forward",
}  # fmt: skip
CHOOSE = "\nQuestion: {}\nOptions:\n{};\n\nRespond only with the letter corresponding to your chosen option (e.g., A, B, C). \nDo not include any additional text or explanation in your response.\n"  # fmt: skip
COUNT = "\nYou're watching a video in which people may perform a certain type of action repetively. \nThe person performing this kind of action are referred to as 'they' in the following statement.\nYou're task is to count how many times have different people in the video perform this kind of action in total.\nOne complete motion counts as one. \nNow, answer the following question: How many times did they {}?\nProvide your answer as a single number (e.g., 0, 1, 2, 3…) indicating the total count.\nDo not include any additional text or explanation in your response.\n"  # fmt: skip
STEP = "\nYou're watching a tutorial video which contain a sequential of steps. \nThe following is one step from the whole procedures: \n{}\nYour task is to determine if the man or woman in the video is currently performing this step.\nAnswer only with “Yes” or “No”.\nDo not include any additional text or explanation in your response.\n"  # fmt: skip
ENOUGH = "\nYou're responsible of answering questions based on the video content. \nThe following question are relevant to the latest frames, i.e. the end of the video.\n{}\nDecide whether existing visual content, especially latest frames, i.e. frames that near the end of the video, provide enough information for answering the question.\nAnswer only with “Yes” or “No”.\nDo not include any additional text or explanation in your response.\n"  # fmt: skip


def read(folder: Path, options: Options) -> list[Item]:
    """Return the questions of a group, or of all.

    Raises:
        BadData: If the folder cannot be used.
    """
    file = find(folder, "ovo_bench*.json", "*.json", "*.jsonl", "**/*.parquet")
    wanted = "" if options.split in {"", "all"} else options.split
    items: list[Item] = []
    for n, record in enumerate(records(file)):
        where = f"record {n} of {file.name}"
        if (task := str(field(record, where, "task"))) not in GROUPS:
            raise BadData(f"{where}: {task!r} is none of {', '.join(GROUPS)}")
        if wanted in {"", GROUPS[task]}:
            items += _items(folder, where, record, task)
    return items


def _items(folder: Path, where: str, record: Record, task: str) -> Iterator[Item]:
    """Yield the questions of a record: one, or one for every moment of a forward task.

    Raises:
        BadData: If no option is right.
    """
    name = str(field(record, where, "id"))
    if GROUPS[task] != "forward":
        choices = texts(record, where, "options")
        right = numbered(choices, number(record, where, "gt"), where)
        asked = "; ".join(f"{a}. {b}" for a, b in zip(LETTERS, choices, strict=False))
        prompt = CHOOSE.format(field(record, where, "question"), asked)
        media, moment = _shown(folder, record, name, record.get("realtime"))
        yield Item(
            name, task, media, prompt, truth(choices, right), 128, (), GROUPS[task], name, moment
        )
        return
    for n, test in enumerate(parts(record, where, "test_info")):
        media, moment = _shown(folder, record, f"{name}_{n}", test.get("realtime"))
        prompt, right_one = _forward(record, f"{where}, test {n}", task, test)
        key = f"{name}_{n}"
        yield Item(
            key, task, media, prompt, {"said": right_one}, 128, (), GROUPS[task], name, moment
        )


def _forward(record: Record, where: str, task: str, test: Record) -> tuple[str, str]:
    if task == "REC":
        return COUNT.format(field(record, where, "activity")), f"{number(test, where, 'count'):g}"
    said = "Yes" if number(test, where, "type") else "No"
    if task == "SSR":
        return STEP.format(field(test, where, "step")), said
    return ENOUGH.format(field(record, where, "question")), said


def _shown(folder: Path, record: Record, part: str, realtime: object) -> tuple[Media, AskedWhen]:
    """Return the part of the film that ends at the moment, or the film and the moment."""
    chunk = folder / "chunked_videos" / f"{part}.mp4"
    whole = folder / "src_videos" / str(record.get("video", ""))
    if not chunk.exists() and whole.is_file() and isinstance(realtime, int | float):
        return Media(whole), AskedWhen(float(realtime))
    return Media(chunk), AskedWhen(None)


def score(item: Item, answer: str, options: Options) -> Verdict:
    """Return whether the answer is right."""
    if "letter" in item.truth:
        letter = item.truth["letter"]
        read_as = exact(answer, item.truth["options"])
        right = letter in answer if options.published else read_as == letter
    elif item.category == "REC":
        numbers = re.findall(r"\d+", answer)
        said = "".join(numbers) if options.published else (numbers[0] if len(numbers) == 1 else "")  # fmt: skip
        right = said == item.truth["said"]
    else:
        right = _agrees(answer, item.truth["said"], options)
    return Verdict({ACCURACY: float(right)})


def _agrees(answer: str, said: str, options: Options) -> bool:
    if options.published:
        return answer.strip() == said[0] or said in answer
    first = re.match(r"\W*(yes|no|y|n)\b", answer.lower())
    return first is not None and first[1][0] == said[0].lower()


OVOBENCH = Benchmark(
    "ovobench",
    "OVO-Bench",
    read,
    score,
    average="groups",
    splits=("all", "backward", "realtime", "forward"),
)

if __name__ == "__main__":
    run_benchmark(OVOBENCH)
