"""Makes a task for lmms-eval of StreamingBench as published: a folder for its `--include_path`.

    python -m training.lmms_eval.streamingbench DIR --output TASKS [--split real|contextual|sequential]
    lmms-eval --model flashback --model_args model=lite --include_path TASKS --tasks streamingbench_real

Models that know streams are given the film and the moment of a question; others the minute before it,
cut out. Sequential questions are asked as published, with the right answers to those before them in the prompt, so
that none waits for another. Proactive ones are asked until something is said, which is no task there:
`flashback eval streamingbench` asks them, and sequential ones with what the model itself has answered.
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.command import run_command
from training.errors import BadData
from training.evaluations.items import Item, Options, Scoring
from training.evaluations.published.streamingbench import read

SPLITS = ("real", "contextual", "sequential")
UTILS = Path(__file__).parent / "streamingbench_utils.py"
TASK = """# StreamingBench ({split}): https://arxiv.org/abs/2411.03628
task: streamingbench_{split}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {docs}
test_split: test
output_type: generate_until
doc_to_visual: !function utils.doc_to_visual
doc_to_text: !function utils.doc_to_text
doc_to_target: letter
process_results: !function utils.process_results
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
    split: Annotated[str, typer.Option(help="real, contextual or sequential.")] = "real",
) -> None:
    """Write StreamingBench as a task for lmms-eval."""
    folder = write_task(data, output, split)
    Console(stderr=True).print(f"wrote {folder}", markup=False)


def write_task(data: Path, output: Path, split: str) -> Path:
    """Write the task of one part; return its folder.

    Raises:
        BadData: If it is not a part that can be a task, or the data cannot be used.
    """
    if split not in SPLITS:
        raise BadData(f"{split} cannot be a task of lmms-eval; there is {', '.join(SPLITS)}")
    scoring = Scoring.published if split == "sequential" else Scoring.strict
    items = read(data.absolute(), Options(scoring, split=split))
    folder = output.absolute() / f"streamingbench_{split}"
    folder.mkdir(parents=True, exist_ok=True)
    docs = folder / "docs.jsonl"
    docs.write_text("".join(json.dumps(_doc(item)) + "\n" for item in items), encoding="utf-8")
    task = TASK.format(split=split, docs=json.dumps(str(docs)))
    (folder / f"streamingbench_{split}.yaml").write_text(task, encoding="utf-8")
    shutil.copyfile(UTILS, folder / "utils.py")
    return folder


def _doc(item: Item) -> dict[str, object]:
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


if __name__ == "__main__":
    run_command(app, "python -m training.lmms_eval.streamingbench", (BadData,))
