"""Time to the first word of an answer, by length of the history: three ways, in one run.

- no dropout: every visual token through every layer, when the question comes;
- one pass: the reference's way, progressive dropout in one pass over everything;
- history: what was seen was read as it arrived; the question reads only itself and what it selects.

Questions go round all lengths of history in turn, so that a machine that is slower for a while is so
for each of them; ratios between lengths are of the same round. A single pass is compared with questions
just before and after it. The longest passes come last.

Weights are random and clip tokens too: time does not depend on their values, answers are not looked at.
"""

import argparse
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import cycle

from rich.console import Console
from rich.progress import Progress

from benchmarks.command.options import at_least_one
from benchmarks.command.report import Json, Report, benchmark_main, met
from benchmarks.cost.reach import LATE_MARKER, sentence
from benchmarks.networks.question_scene import (
    FRAMES_PER_CLIP,
    SHAPES,
    SUFFIX,
    TOKENS_PER_CLIP,
    QuestionScene,
    stages,
)
from model.config import DropoutConfig
from model.zoo.device import pick_device, pick_dtype
from model.zoo.lite import CONFIG as LITE

BESIDE = 5
"""Questions asked just before a single pass, and just after it."""


@dataclass(slots=True)
class Times:
    """Seconds, at one length; None was not measured.

    Attributes:
        frames: Length of the history.
        rounds: To the first word from the streaming history, in every round.
        ingest: To read one more clip into the history.
        history_bytes: What the history holds.
        one_pass: To the first word, the reference's way.
        no_dropout: To the first word, every token through every layer.
        beside: To the first word from a history, just before and after `one_pass`.
    """

    frames: int
    rounds: list[float]
    ingest: float
    history_bytes: int
    one_pass: float | None = None
    no_dropout: float | None = None
    beside: list[float] = field(default_factory=list)

    @property
    def history(self) -> float:
        """The median round."""
        return statistics.median(self.rounds)

    @property
    def gain(self) -> float | None:
        """How many times as long as the history one pass takes."""
        return self.one_pass / statistics.median(self.beside) if self.one_pass else None

    def growth_from(self, shorter: "Times") -> float:
        """Return how many times as long as at a shorter length, by the median round."""
        pairs = zip(self.rounds, shorter.rounds, strict=True)
        return statistics.median(mine / its for mine, its in pairs)


def ask_in_rounds(
    name: str, scene: QuestionScene, options: argparse.Namespace, progress: Progress
) -> list[Times]:
    """Return the times of one network's history at every length."""
    lengths = sorted(frames // FRAMES_PER_CLIP for frames in options.frames)
    steps = len(lengths) * (options.repeat + 2)
    task = progress.add_task(f"{name}: histories", total=steps)
    histories = []
    for length in lengths:
        histories.append(scene.history(length, read=options.read))
        scene.question(histories[-1])  # the first one at a length sets kernels up
        progress.advance(task)
    progress.update(task, description=f"{name}: questions")
    rounds = []
    for _ in range(options.repeat):
        rounds.append([scene.question(history) for history in histories])
        progress.advance(task, len(histories))
    found = []
    for length, history, seconds in zip(lengths, histories, zip(*rounds, strict=True), strict=True):
        size, ingest = history.bytes, scene.ingest(history)
        found.append(Times(length * FRAMES_PER_CLIP, list(seconds), ingest, size))
        progress.advance(task)
    return found


def read_in_one_pass(name: str, scene: QuestionScene, times: Times, progress: Progress) -> None:
    """Add to `times` what one pass takes, with and without dropout."""
    task = progress.add_task(f"{name}: one pass over {times.frames:,} frames", total=2)
    clips = scene.clips(times.frames // FRAMES_PER_CLIP)
    history = scene.history(len(clips), read=False)
    scene.question(history)
    times.beside += [scene.question(history) for _ in range(BESIDE)]
    times.one_pass = scene.one_pass(clips, stages(scene.shape.layers, "uniform", 0.25, None))
    times.beside += [scene.question(history) for _ in range(BESIDE)]
    progress.advance(task)
    progress.console.print(f"{name}, {times.frames:,} frames, one pass: {times.one_pass:.1f} s")
    times.no_dropout = scene.one_pass(clips, DropoutConfig())
    progress.advance(task)
    progress.console.print(f"{name}, {times.frames:,} frames, no dropout: {times.no_dropout:.1f} s")


def measure(
    longest: Mapping[str, int], options: argparse.Namespace, progress: Progress
) -> dict[str, list[Times]]:
    """Return the times of every network, one pass up to the frames that `longest` says."""
    scenes = {name: QuestionScene(SHAPES[name], options) for name in options.networks}
    found = {name: ask_in_rounds(name, scenes[name], options, progress) for name in scenes}
    passes = [(times.frames, name, times) for name, rows in found.items() for times in rows]
    for frames, name, times in sorted(passes, key=lambda one: one[:2]):
        if frames <= longest[name]:
            read_in_one_pass(name, scenes[name], times, progress)
    return found


def run(options: argparse.Namespace) -> Report:
    """Measure every network that was asked for."""
    longest = dict(zip(options.networks, cycle(options.one_pass_frames), strict=False))
    with Progress(console=Console(stderr=True)) as progress:
        found = measure(longest, options, progress)
    device = pick_device()
    dtype = options.dtype or str(pick_dtype(device)).removeprefix("torch.")
    return Report(
        title="Seconds to the first word, by frames of history",
        settings={
            "budget": options.budget,
            "dtype": dtype,
            "device": device.type,
            "question_tokens": SUFFIX,
            "tokens_per_frame": TOKENS_PER_CLIP // FRAMES_PER_CLIP,
            "seed": options.seed,
        },
        columns=[
            "network",
            "frames",
            "no dropout",
            "one pass",
            "history",
            "one pass / history",
            "read one clip",
            "history MB",
        ],
        rows=[_row(name, times) for name, rows in found.items() for times in rows],
        numbers={name: _numbers(rows) for name, rows in found.items()},
        notes=[
            *(verdict for name, rows in found.items() for verdict in _verdicts(name, rows)),
            "One pass keeps 25 % of the visual tokens after the text-guided stage, as the "
            f"reference does; the history keeps at most {options.budget:,}.",
            "Weights are random. The history was "
            + ("read clip by clip." if options.read else "filled with random keys and values.")
            + " Reading one clip on top of it is measured for real.",
            "One pass was not run beyond "
            + " and ".join(f"{longest[name]:,} frames for {name}" for name in found)
            + ".",
            "One pass attends with torch's fused kernel; the history reads its long past by products.",
            *(
                sentence(name, LITE, LATE_MARKER, max(options.frames))
                for name in found
                if name == "lite"
            ),
        ],
    )


def _row(name: str, times: Times) -> list[str | int | float | None]:
    return [
        name,
        times.frames,
        times.no_dropout,
        times.one_pass,
        times.history,
        times.gain,
        times.ingest,
        times.history_bytes / 1e6,
    ]


def _growth(rows: list[Times]) -> float | None:
    """Return how many times as long the history takes at 4,096 frames as at 256."""
    shorter, longer = _at(rows, 256), _at(rows, 4096)
    return longer.growth_from(shorter) if longer and shorter else None


def _at(rows: list[Times], frames: int) -> Times | None:
    return next((times for times in rows if times.frames == frames), None)


def _verdicts(name: str, rows: list[Times]) -> list[str]:
    """Return which targets `name` met, of those that were measured."""
    said = []
    if (times := _at(rows, 1024)) is not None and (gain := times.gain) is not None:
        verdict = "met" if gain >= 50 else "MISSED"
        said.append(f"Target 50 times as fast as one pass at 1,024 frames, {name}: {verdict} ({gain:.1f}).")  # fmt: skip
    if (growth := _growth(rows)) is not None:
        said.append(met(f"growth from 256 to 4,096 frames below 2, {name}", growth, 2))
    if (longest := _at(rows, 4096)) is not None:
        said.append(met(f"a clip read in 1.5 s at 4,096 frames, {name}", longest.ingest, 1.5))
    return said


def _numbers(rows: list[Times]) -> Json:
    lengths: list[Json] = [
        {
            "frames": times.frames,
            "no_dropout_s": times.no_dropout,
            "one_pass_s": times.one_pass,
            "history_s": times.history,
            "history_rounds_s": list(times.rounds),
            "history_beside_one_pass_s": times.beside,
            "one_pass_over_history": times.gain,
            "ingest_clip_s": times.ingest,
            "history_bytes": times.history_bytes,
        }
        for times in rows
    ]
    return {
        "lengths": lengths,
        "growth_256_to_4096": _growth(rows),
    }


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this benchmark can be told."""
    parser.add_argument(
        "--frames",
        type=at_least_one,
        nargs="+",
        default=[64, 256, 1024, 4096],
        help="lengths to measure",
    )
    parser.add_argument(
        "--networks", nargs="+", choices=SHAPES, default=["lite", "qwen2-0.5b"], help="shapes"
    )
    parser.add_argument(
        "--one-pass-frames",
        type=at_least_one,
        nargs="+",
        default=[1024],
        help="longest history read in one pass, one number for each network or for all; "
        "4096 takes lite half an hour and qwen2-0.5b longer",
    )
    parser.add_argument(
        "--budget", type=at_least_one, default=1024, help="visual tokens a question selects"
    )
    parser.add_argument(
        "--repeat", type=at_least_one, default=9, help="questions asked at each length"
    )
    parser.add_argument(
        "--read", action="store_true", help="read every clip of the history; takes many minutes"
    )
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], help="instead of the faster")
    parser.add_argument("--seed", type=int, default=0, help="of weights and clips")


if __name__ == "__main__":
    benchmark_main("question", __doc__, run, add_options)
