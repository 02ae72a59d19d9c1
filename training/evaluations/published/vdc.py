"""VDC: captions, judged by what can be answered from them (AuroraCap, https://arxiv.org/abs/2410.03051).

A judge, a language model behind an OpenAI-compatible endpoint, answers each question from our caption
alone, and then says whether that agrees with the truth, and how well from 0 to 5. Published scores
use Llama-3.1-8B and one of many wordings of the request at random; here it is always the same one.
Without a judge captions are kept, to be scored later.
"""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.errors import BadData
from training.evaluations.annotations import field, find, parts, records, video
from training.evaluations.command import run_benchmark
from training.evaluations.items import Benchmark, Item, Media, Options, Verdict

REQUESTS = {
    "camera": "Summary of the view shot, camera movement and changes in shooting angles in the sequence of video frames.",
    "short": "Write a one-sentence summary of the video.",
    "background": "Describe the background, including objects, location, weather, and time.",
    "main_object": "Describe the main subject's actions and movements.",
    "detailed": "Please imagine the video based on the sequence of frames, and provide a faithfully detailed description of this video in more than three sentences.",
}  # fmt: skip
ANSWER = "Read the description of a video and answer the question from it alone, in a short phrase.\n\nDescription: {}\nQuestion: {}\nGive nothing but the answer."  # fmt: skip
COMPARE = "Say whether the predicted answer means the same as the correct one.\n\nQuestion: {}\nCorrect answer: {}\nPredicted answer: {}\n\nReply with a Python dictionary alone: {{'pred': 'yes' or 'no', 'score': an integer from 0 to 5}}."  # fmt: skip


def read(folder: Path, options: Options) -> list[Item]:
    """Return what is to be captioned; the films lie in `Test_Videos`.

    Raises:
        BadData: If the folder cannot be used.
    """
    task = options.split or "detailed"
    file = find(folder, f"{task}*.json*", f"**/{task}*.parquet", f"**/{task}*/*.parquet")
    items = []
    for number, record in enumerate(records(file)):
        where = f"record {number} of {file.name}"
        pairs = parts(record, where, "qa_list")
        if not pairs or not all({"question", "answer"} <= set(pair) for pair in pairs):
            raise BadData(f"{where}: qa_list needs questions with their answers")
        name = str(field(record, where, "video_name"))
        items.append(
            Item(
                key=f"{task}/{name}",
                category=task,
                media=Media(video([folder / "Test_Videos", folder / "videos", folder], name)),
                prompt=REQUESTS[task],
                truth={"pairs": [[pair["question"], pair["answer"]] for pair in pairs]},
                tokens=512,
            )
        )
    return items


def score(item: Item, answer: str, options: Options) -> Verdict:
    """Return what the judge says of a caption; it counts for nothing without a judge."""
    if (judge := options.judge) is None:
        return Verdict({"accuracy": 0.0, "score": 0.0}, counted=False)
    marks = []
    for question, right in item.truth["pairs"]:
        said = judge(ANSWER.format(answer, question))
        marks.append(_mark(judge(COMPARE.format(question, right, said))))
    agreed = sum(str(mark.get("pred", "")).lower() == "yes" for mark in marks)
    points = sum(_points(mark) for mark in marks)
    return Verdict({"accuracy": agreed / len(marks), "score": points / len(marks)})


def _points(mark: Mapping[str, Any]) -> float:
    """Return the judge's points from 0 to 5; what is no number is none."""
    try:
        return min(5.0, max(0.0, float(mark.get("score", 0))))
    except (TypeError, ValueError):
        return 0.0


def _mark(reply: str) -> Mapping[str, Any]:
    """Return the judge's dictionary; one that cannot be read counts as a no."""
    found = re.search(r"\{[^{}]*\}", reply)
    try:
        mark = ast.literal_eval(found[0]) if found else {}
    except (ValueError, SyntaxError):
        return {}
    return mark if isinstance(mark, dict) else {}


VDC = Benchmark("vdc", "VDC (AuroraCap)", read, score, splits=tuple(reversed(REQUESTS)))

if __name__ == "__main__":
    run_benchmark(VDC)
