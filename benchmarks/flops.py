"""What a question costs as a video grows: uncompressed, in one pass with dropout, and streaming.

By formula (`benchmarks/cost/meter.py`), so at full size and at any length, on any machine. "Uncompressed"
is the same language model reading every patch of every frame, 196 a frame.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.command.options import at_least_one
from benchmarks.command.report import RESULTS, Report, benchmark_main
from benchmarks.cost.meter import Cost, Meter
from benchmarks.cost.reach import LATE_MARKER, sentence
from benchmarks.cost.vision import encode_lite, encode_umt
from model.config import FlashConfig
from model.language.clip_markers import NOTE_POSITIONS
from model.zoo.lite import CONFIG as LITE
from model.zoo.released import RELEASED

ALL = ("lite", "flash-2b", "flash-7b-res224")
FRAMES = (100, 200, 500, 1000, 2000, 5000, 10_000)
TOKENS_PER_FRAME = 196
PREFIX, SUFFIX = 14, 40
"""Text tokens before the first clip, and of a question with what stands around it."""

LITE_MARKER = 4 + NOTE_POSITIONS
"""Tokens that say when a clip was, on average."""


@dataclass(frozen=True, slots=True)
class CostRow:
    """Costs of one network at one length of video.

    Attributes:
        frames: Frames shown so far.
        encode: Encoding and merging all of them; the same for every way.
        uncompressed: Reading all patches and the question.
        one_pass: Reading merged clips with dropout, after the question came.
        ingest: Reading the newest clip as it arrives.
        history: All that was read as it arrived, and is held.
        question: Reading a question on top, keeping a share of the video.
        bounded: The same, keeping at most a number of tokens.
    """

    frames: int
    encode: Cost
    uncompressed: Cost
    one_pass: Cost
    ingest: Cost
    history: Cost
    question: Cost
    bounded: Cost


def price(
    config: FlashConfig, encode: Cost, frames: Sequence[int], budget: int, marker: int
) -> list[CostRow]:
    """Return the costs of one network for videos of that many `frames`."""
    free, bounded = (
        Meter(replace(config, dropout=config.dropout.with_budget(most)), PREFIX, SUFFIX, marker)
        for most in (None, budget)
    )
    rows = []
    for count in frames:
        clips = -(-count // config.vision.frames_per_clip)
        rows.append(
            CostRow(
                frames=count,
                encode=Cost(clips * encode.multiply_adds),
                uncompressed=free.uncompressed(count, TOKENS_PER_FRAME),
                one_pass=free.one_pass(clips),
                ingest=free.ingest(clips - 1),
                history=free.history(clips),
                question=free.question(clips),
                bounded=bounded.question(clips),
            )
        )
    return rows


def run(options: argparse.Namespace) -> Report:
    """Price the chosen networks; draw the plot where the report is saved."""
    priced = {name: _price(name, options.frames, options.budget) for name in options.model or ALL}
    if folder := options.save_to or (RESULTS if options.save else None):
        plot(priced, options.budget, folder / f"{datetime.now(UTC):%Y-%m-%d}-flops.png")
    return Report(
        title="Multiply-adds (10^12) to the first word, by frames shown",
        settings={
            "budget": options.budget,
            "prefix_tokens": PREFIX,
            "question_tokens": SUFFIX,
            "uncompressed_tokens_per_frame": TOKENS_PER_FRAME,
            "cache_bytes_per_value": 2,
        },
        columns=[
            "model",
            "frames",
            "encode",
            "full",
            "one pass",
            "ingest",
            "ask",
            "ask*",
            "one pass / ask*",
            "full / ask*",
            "cache GB",
        ],
        rows=[_cells(name, row) for name, rows in priced.items() for row in rows],
        numbers={
            "models": {name: [_numbers(row) for row in rows] for name, rows in priced.items()}
        },
        notes=[
            "encode: all frames to merged tokens; the same for every way, not part of the others.",
            f"full: {TOKENS_PER_FRAME} tokens a frame through every layer, after the question came.",
            "one pass: 16 tokens a frame with progressive dropout, after the question came.",
            "ingest: streaming, the newest clip as it arrives, whether or not anyone asks.",
            "ask: streaming, when the question comes; the text-guided selection keeps a quarter.",
            f"ask*: the same, and it keeps at most {options.budget} tokens.",
            "cache: what a streaming history and one question with ask* hold, in bfloat16.",
            *(_reach(name, max(options.frames)) for name in priced),
        ],
    )


def plot(priced: dict[str, list[CostRow]], budget: int, path: Path) -> None:
    """Draw what answering costs over the length of the video, one panel a network."""
    mpl.use("Agg")
    figure = Figure(figsize=(4.6 * max(len(priced), 2), 4.6), layout="constrained")
    panels = figure.subplots(1, len(priced), squeeze=False)[0]
    lines = [
        ("uncompressed", "uncompressed, 196 tokens a frame"),
        ("one_pass", "one pass with dropout"),
        ("question", "streaming, a quarter kept"),
        ("bounded", f"streaming, at most {budget} kept"),
        ("ingest", "streaming, one arriving clip"),
    ]
    for panel, (name, rows) in zip(panels, priced.items(), strict=True):
        for field, label in lines:
            costs = [getattr(row, field).multiply_adds for row in rows]
            style = "--" if field == "ingest" else "-"
            panel.loglog([row.frames for row in rows], costs, style, marker=".", label=label)
        panel.set(title=name, xlabel="frames shown", ylabel="multiply-adds")
        panel.grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize="small")
    figure.savefig(path, dpi=130)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own options."""
    parser.add_argument(
        "--model",
        action="append",
        choices=["lite", *RELEASED],
        help=f"may repeat; default {', '.join(ALL)}",
    )
    parser.add_argument("--frames", type=at_least_one, nargs="+", default=list(FRAMES))
    parser.add_argument(
        "--budget", type=at_least_one, default=1024, help="tokens that a selection keeps"
    )


def _price(name: str, frames: Sequence[int], budget: int) -> list[CostRow]:
    if name == "lite":
        return price(LITE, encode_lite(LITE.vision), frames, budget, LITE_MARKER)
    config = RELEASED[name].config
    return price(config, encode_umt(config.vision), frames, budget, marker=0)


def _reach(name: str, frames: int) -> str:
    if name == "lite":
        return sentence(name, LITE, LATE_MARKER, frames)
    return sentence(name, RELEASED[name].config, 0, frames)


def _cells(name: str, row: CostRow) -> list[str | int | float | None]:
    ways = (row.encode, row.uncompressed, row.one_pass, row.ingest, row.question, row.bounded)
    return [
        name,
        row.frames,
        *(cost.multiply_adds / 1e12 for cost in ways),
        row.one_pass.multiply_adds / row.bounded.multiply_adds,
        row.uncompressed.multiply_adds / row.bounded.multiply_adds,
        (row.history + row.bounded).cache_bytes / 1e9,
    ]


def _numbers(row: CostRow) -> dict[str, int | dict[str, int]]:
    ways = ("encode", "uncompressed", "one_pass", "ingest", "history", "question", "bounded")
    costs: dict[str, Cost] = {way: getattr(row, way) for way in ways}
    return {
        "frames": row.frames,
        **{
            way: {"multiply_adds": cost.multiply_adds, "cache_bytes": cost.cache_bytes}
            for way, cost in costs.items()
        },
    }


if __name__ == "__main__":
    benchmark_main("flops", __doc__, run, add_options)
