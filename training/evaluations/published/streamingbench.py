"""StreamingBench: questions put to a stream at their moment (https://arxiv.org/abs/2411.03628).

    real        what is there now
    contextual  misleading context, and sound (which nothing here hears)
    sequential  questions that refer to earlier ones and their answers
    proactive   tell when something happens: asked every second until it is said to

The published harness tells the right answers to earlier questions (sequential) and the very words to
be said (proactive), and passes empty answers over. `strict` tells the model what itself has answered,
and asks whether it has happened.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from training.errors import BadData
from training.evaluations.annotations import (
    Record,
    field,
    find,
    parts,
    read_json,
    records,
    seconds,
    texts,
    video,
)
from training.evaluations.choices import ACCURACY, choice_scorer, lettered, truth
from training.evaluations.command import run_benchmark
from training.evaluations.items import AskedWhen, Benchmark, Item, Media, Options, Verdict
from training.evaluations.letters import LETTERS, listed, unlettered

FILES = {"real": "real", "contextual": "omni", "sequential": "sqa", "proactive": "proactive"}
RECENT = 60.0
"""Seconds before a question that the main table of the benchmark looks at."""
LATE, NEAR = 4.0, 2.0
"""Seconds after the truth until which a proactive question is asked; that a right answer may be off."""
CHOOSE = "You are an advanced video question-answering AI assistant. You have been provided with some frames from the video and a multiple-choice question related to the video. Your task is to carefully analyze the video and provide the best answer to question, choosing from the four options provided. Respond with only the letter (A, B, C, or D) of the correct option.\n\nQuestion: {}\n\nOptions:\n{}\n\nThe best option is:"  # fmt: skip
CHOOSE_AFTER = "You are an advanced video question-answering AI assistant. You have been provided with a video and a multiple-choice question related to the video. Your task is to carefully analyze the video and the provided context to answer the question, choosing from the four options provided. Respond with only the letter (A, B, C, or D) of the correct option.\n\n{}\n\nHere is the question. Answer it and don't confuse it with the previous conversation.\nQuestion: {}\n\nOptions:\n{}\n\nThe best option is:"  # fmt: skip
EARLIER = "Here are the contextual information related to the video. Please answer the questions based on the contextual information: "  # fmt: skip
ONE_EARLIER = "At timestamp {}, the following question and answer occurred: Question: {}; Options: {}; Answer: {}; "  # fmt: skip
WATCH = "You are an advanced image question-answering AI assistant. You have been provided with images and a question related to the images. Your task is to carefully analyze the images and provide the answer to the question. You need to carefully confirm whether the images content meet the conditions of the question, and then output the correct content.\n\nQuestion: {}\n\nThe answer is:\n"  # fmt: skip
TOLD = '{} Is it the right time to output "{}"? You can only answer yes or no.'
UNTOLD = "{} Has that happened by now? You can only answer yes or no."


def read(folder: Path, options: Options) -> list[Item]:
    """Return the questions of one part.

    Raises:
        BadData: If the folder cannot be used.
    """
    split = options.split or "real"
    file = find(folder, f"questions_{FILES[split]}.json", f"**/questions_{FILES[split]}.json")
    if split == "sequential":
        return [item for chain in _chains(file) for item in _sequence(folder, chain, options)]
    whole = [(where, part, one) for where, part in _parts(file) for one in _asked(part, where)]
    if split == "proactive":
        return [_proactive(folder, where, part, one, options) for where, part, one in whole]
    return [_choice(folder, where, part, one) for where, part, one in whole]


def _parts(file: Path) -> Iterator[tuple[str, Record]]:
    for number, part in enumerate(records(file)):
        yield f"record {number} of {file.name}", part


def _asked(part: Record, where: str) -> Sequence[Record]:
    return parts(part, where, "questions")


def _chains(file: Path) -> Iterator[list[tuple[str, Record]]]:
    """Yield the parts of a film whose questions follow each other.

    Raises:
        BadData: If the file is not a list of lists.
    """
    found = read_json(file)
    if not isinstance(found, list) or not all(isinstance(chain, list) for chain in found):
        raise BadData(f"{file} must be a list of lists of records")
    if not all(isinstance(part, dict) for chain in found for part in chain):
        raise BadData(f"{file} must be a list of lists of records, and holds something else in one")
    for number, chain in enumerate(found):
        yield [
            (f"record {n} of list {number} of {file.name}", part) for n, part in enumerate(chain)
        ]


def _media(folder: Path, part: Record, where: str) -> Media:
    name = Path(str(field(part, where, "video_path"))).name
    return Media(video([folder / "videos", folder / "data" / "videos", folder], name))


def _choice(folder: Path, where: str, part: Record, one: Record) -> Item:
    """Return a question with four options.

    Raises:
        BadData: If no option is right.
    """
    given = texts(one, where, "options")
    plain = unlettered(given)
    right = lettered(plain, field(one, where, "answer"), where)
    at, question = str(field(one, where, "time_stamp")), str(field(one, where, "question"))
    return Item(
        key=f"{where}/{at}/{question}",
        category=str(field(one, where, "task_type")),
        media=_media(folder, part, where),
        prompt=CHOOSE.format(question, listed(plain, "{}. {}")),
        truth=truth(plain, right) | {"time": at, "question": question},
        moment=AskedWhen(seconds(at, where), RECENT),
    )


def _sequence(folder: Path, chain: list[tuple[str, Record]], options: Options) -> Iterator[Item]:
    """Yield questions of which each may refer to those before it."""
    earlier: list[Item] = []
    for where, part in chain:
        for one in _asked(part, where):
            item = _choice(folder, where, part, one)
            told = _told(earlier, {}) if options.published else "{earlier}"
            choices = listed(item.truth["options"], "{}. {}")
            item = replace(
                item,
                prompt=CHOOSE_AFTER.format(told, item.truth["question"], choices),
                truth={**item.truth, "earlier": [one.truth for one in earlier]},
                after=tuple(one.key for one in earlier),
            )
            earlier.append(item)
            yield item


def _told(earlier: Sequence[Item], answers: Mapping[str, str]) -> str:
    """Return the earlier questions in words, with the answers given or, without those, the right ones."""
    lines = [as_earlier(one, answers.get(one.key, one.truth["letter"])) for one in earlier]
    return EARLIER + "".join(lines) if lines else ""


def as_earlier(item: Item, said: str) -> str:
    """Return a question of a sequence and its answer, as those after it are told of them."""
    options = ", ".join(f"{a}. {b}" for a, b in zip(LETTERS, item.truth["options"], strict=False))
    return ONE_EARLIER.format(item.truth["time"], item.truth["question"], options, said)


def _proactive(folder: Path, where: str, part: Record, one: Record, options: Options) -> Item:
    at, question = str(field(one, where, "time_stamp")), str(field(one, where, "question"))
    due = seconds(str(field(one, where, "ground_truth_time_stamp")), where)
    said, asked_at = str(field(one, where, "ground_truth_output")), seconds(at, where)
    bare = re.sub(r",?\s*output .*$", ".", question)
    asked = TOLD.format(question, said) if options.published else UNTOLD.format(bare)
    return Item(
        key=f"{where}/{at}/{question}",
        category=str(field(one, where, "task_type")),
        media=_media(folder, part, where),
        prompt=WATCH.format(asked),
        truth={"due": due},
        moment=AskedWhen(asked_at, 0.0 if options.published else None, due + LATE),
    )


def word(item: Item, answers: Mapping[str, str]) -> str:
    """Return the prompt, with what the model answered before where the question may refer to it."""
    if "{earlier}" not in item.prompt:
        return item.prompt
    before = [
        Item(key, item.category, item.media, "", told)
        for key, told in zip(item.after, item.truth["earlier"], strict=True)
    ]
    return item.prompt.replace("{earlier}", _told(before, answers))


def _first(answer: str, _item: Item) -> str:
    return answer[:1]


_score_choice = choice_scorer(_first, passes_over_empty=True)


def score(item: Item, answer: str, options: Options) -> Verdict:
    """Return whether the letter is right, or whether the moment was told in time.

    Whoever never says yes has its last word at the last moment, which the published count takes for
    an answer; it is late by more than allowed, so that makes no difference.
    """
    if "due" not in item.truth:
        return _score_choice(item, answer, options)
    told = re.match(r"([\d.]+) s: ", answer)
    right = told is not None and abs(float(told[1]) - item.truth["due"]) <= NEAR
    return Verdict({ACCURACY: float(right)})


STREAMINGBENCH = Benchmark(
    "streamingbench",
    "StreamingBench",
    read,
    score,
    splits=tuple(FILES),
    word=word,
    about={"sound": "not heard"},
)

if __name__ == "__main__":
    run_benchmark(STREAMINGBENCH)
