"""Makes a task for lmms-eval of StreamingBench as published: a folder for its `--include_path`.

    python -m training.lmms_eval.streamingbench DIR --output TASKS [--split real|contextual|sequential|proactive]
    lmms-eval --model flashback --model_args model=lite --include_path TASKS --tasks streamingbench_real

Models that know streams are given the film and the moment of a question; others the minute before it,
cut out. Sequential and proactive questions are asked in rounds, for an answer decides what comes next: `strict` tells
the model what itself has answered before, and asks every second whether it has happened; `published` gives the
right answers to earlier questions (in one round) and the words that are to be said. A model that knows streams is
given a proactive question once, with the moment until which it may tell.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.command import run_command
from training.errors import BadData
from training.evaluations.items import Item, Options, Scoring
from training.evaluations.published.streamingbench import EARLIER, FILES, NEAR, as_earlier, read
from training.evaluations.runner import EVERY

SPLITS = tuple(FILES)
UTILS = Path(__file__).parent / "streamingbench_utils.py"
TASK = """# StreamingBench ({split}): https://arxiv.org/abs/2411.03628
task: streamingbench_{split}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {docs}
test_split: test
output_type: {output_type}
doc_to_visual: !function utils.{prefix}doc_to_visual
doc_to_text: !function utils.{prefix}doc_to_text
doc_to_target: {target}
process_results: !function utils.{prefix}process_results
generation_kwargs:
  max_new_tokens: 16
  temperature: 0
  do_sample: false
metric_list:
  - metric: streamingbench_accuracy
    aggregation: !function utils.accuracy
    higher_is_better: true
lmms_eval_specific_kwargs:
  default:
    as_stream: false
  flashback:
    as_stream: true
metadata:
  version: 0.0
"""
app = typer.Typer(add_completion=False)


@app.command()
def write(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="Annotations and films.")],
    output: Annotated[Path, typer.Option(metavar="TASKS", help="Folder for --include_path.")],
    split: Annotated[str, typer.Option(help=f"{', '.join(SPLITS)}.")] = "real",
    scoring: Annotated[
        Scoring, typer.Option(help="By which rules questions are worded.")
    ] = Scoring.strict,
) -> None:
    """Write StreamingBench as a task for lmms-eval."""
    folder = write_task(data, output, split, scoring)
    Console(stderr=True).print(f"wrote {folder}", markup=False)


def write_task(data: Path, output: Path, split: str, scoring: Scoring = Scoring.strict) -> Path:
    """Write the task of one part; return its folder.

    Args:
        data: Annotations and films.
        output: Where to; a folder for `--include_path`.
        split: Which part.
        scoring: By which rules its questions are worded.

    Raises:
        BadData: If there is no such part, or the data cannot be used.
    """
    if split not in SPLITS:
        raise BadData(f"StreamingBench has no part {split}; there is {', '.join(SPLITS)}")
    items = read(data.absolute(), Options(scoring, split=split))
    in_rounds = split == "proactive" or (split == "sequential" and scoring is Scoring.strict)
    folder = output.absolute() / f"streamingbench_{split}"
    folder.mkdir(parents=True, exist_ok=True)
    docs = folder / "docs.jsonl"
    written = _rounds(items) if in_rounds else map(_doc, items)
    docs.write_text("".join(json.dumps(doc) + "\n" for doc in written), encoding="utf-8")
    task = TASK.format(
        split=split,
        docs=json.dumps(str(docs)),
        output_type="generate_until_multi_round" if in_rounds else "generate_until",
        prefix="rounds_" if in_rounds else "",
        target="truth" if in_rounds else "letter",
    )
    (folder / f"streamingbench_{split}.yaml").write_text(task, encoding="utf-8")
    shutil.copyfile(UTILS, folder / "utils.py")
    return folder


def _doc(item: Item) -> dict[str, object]:
    """Return a question that is asked once."""
    assert item.moment is not None
    moment = asdict(item.moment)
    return {
        "key": item.key,
        "task_type": item.category,
        "video": str(item.media.path),
        "at": moment["at"],
        "context": moment["context"],
        "prompt": item.prompt,
        "letter": item.truth["letter"],
    }


def _rounds(items: Sequence[Item]) -> Iterator[dict[str, object]]:
    """Yield questions that are asked in rounds: a sequence of them, or one that is asked again until it is told."""
    sequence: list[Item] = []
    for item in items:
        if "due" in item.truth:
            yield _until_told(item)
        elif item.after or not sequence:
            sequence.append(item)
        else:
            yield _in_sequence(sequence)
            sequence = [item]
    if sequence:
        yield _in_sequence(sequence)


def _in_sequence(items: Sequence[Item]) -> dict[str, object]:
    return {
        "key": items[0].key,
        "truth": "".join(item.truth["letter"] for item in items),
        "earlier": EARLIER,
        "rounds": [_doc(item) | {"as_earlier": as_earlier(item, "{said}")} for item in items],
    }


def _until_told(item: Item) -> dict[str, object]:
    moment = item.moment
    assert moment is not None
    assert moment.at is not None
    assert moment.until is not None
    return {
        "key": item.key,
        "task_type": item.category,
        "video": str(item.media.path),
        "truth": f"{item.truth['due']:g}",
        "near": NEAR,
        "prompt": item.prompt,
        "since": 0.0 if moment.context is None else max(0.0, moment.at - moment.context),
        "at": moment.at,
        "context": moment.context,
        "every": EVERY,
        "until": moment.until,
    }


if __name__ == "__main__":
    run_command(app, "python -m training.lmms_eval.streamingbench", (BadData,))
