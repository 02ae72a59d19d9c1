"""What `flashback bench flops` counts, measured on a graphics card, in the shapes of a released checkpoint.

Weights are random and made on the device, in bfloat16: time does not depend on their values, and nothing
is downloaded. What runs is what the service runs (`VideoChat`), from pixels to the first word.

    encode      clips in batches: frames a second, and the share of the card's peak
    history     a streaming history up to 10,000 frames: memory, reading a clip, the first word
    whole       the same with nothing dropped inside the language model
    one pass    reading everything when the question comes, with and without dropout

A part that fails, for want of memory or otherwise, is reported and the others go on; the file is written
after each. What does not fit into a part's time is left out, or filled with random rows, and said.
"""

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import psutil

from benchmarks.clock import Clock
from benchmarks.filled import Filled
from benchmarks.gpu import Gpu
from benchmarks.gpu_scene import CLIPS_AT_ONCE, SHAPES, GpuScene
from benchmarks.machine import commit, this_machine
from model.config import DropoutConfig
from model.errors import ModelError
from model.zoo.device import pick_device

FRAMES = (1000, 4000, 10_000)
BATCHES = (1, 16, 64, 128)
READING = 0.6
"""Share of a part's time for reading a history; what is missing then is filled."""
REACHED = 0.5
"""Share of the speed of one large product at which a long prompt is expected to be read."""
SHARE_OF_PEAK, FIRST_WORD = 0.4, 0.5
"""Targets: encoding, and seconds to the first word at the longest history."""

FAILURES = (RuntimeError, MemoryError, ValueError, TypeError, LookupError, ModelError)
"""Of a part, which must not cost the others: of memory, of a kernel, and of our own code. A card is lent."""

Found = dict[str, Any]
"""What a part has found so far, as it goes into the file."""


class Run:
    """One run of all parts over one network.

    Args:
        scene: The network.
        options: As on the command line.
    """

    def __init__(self, scene: GpuScene, options: argparse.Namespace) -> None:
        self.scene, self.gpu, self.options = scene, scene.gpu, options
        self.rate = self.gpu.peak or 1e12
        self.found: Found = {}

    def peak(self, out: Found, clock: Clock) -> None:
        """Measure what one large matrix product reaches."""
        out["data_sheet_flops"] = self.gpu.peak
        out["matmul_flops"] = self.rate = self.gpu.best(clock.left)
        say(f"one large product reaches {self.rate / 1e12:.0f} TFLOP/s")

    def encode(self, out: Found, clock: Clock) -> None:
        """Encode clips in batches, from pixels in main memory to tokens in main memory."""
        flops = 2 * self.scene.encode_cost
        peak = self.gpu.peak or self.rate
        out.update(flops_per_clip=flops, peak_flops=peak, batches=[])
        for number, batch in enumerate(self.options.batches):
            most = clock.left / (len(self.options.batches) - number)
            clips, pixels = self.scene.clips(batch), self.scene.pixels(batch)
            row: Found = {"clips": batch}
            out["batches"].append(row)
            for way, work in {
                "network": lambda pixels=pixels: self.scene.features(pixels),
                "whole": lambda clips=clips: self.scene.chat.encode(clips),
            }.items():
                taken = self.gpu.median(work, most / 3)
                share = batch * flops / taken / peak
                frames = batch * self.scene.frames_per_clip / taken
                row[way] = {"seconds": taken, "frames_per_s": frames, "share_of_peak": share}
                say(f"{batch} clips, {way}: {frames:,.0f} frames/s, {share:.1%} of the peak")
        out["memory"] = self.gpu.memory()

    def history(self, out: Found, clock: Clock) -> None:
        """Let a history grow and ask it on the way, with the dropout of the paper."""
        self._grow(out, clock, self.scene.config.dropout.with_budget(self.options.budget))

    def whole(self, out: Found, clock: Clock) -> None:
        """Do the same with nothing dropped."""
        self._grow(out, clock, DropoutConfig())

    def one_pass(self, out: Found, clock: Clock) -> None:
        """Read clips and question in one go, as far as time and memory allow."""
        ways = {"dropout": self.scene.config.dropout.with_budget(None), "whole": DropoutConfig()}
        out["lengths"] = []
        for way, frames in product(ways, self.options.frames):
            row: Found = {"frames": frames, "way": way}
            out["lengths"].append(row)
            counted = 2 * self.scene.one_pass_cost(frames, ways[way]) / self.rate
            row["counted_s"] = counted
            if counted / REACHED > clock.left:
                row["left_out"] = f"it would take some {counted / REACHED:.0f} s"
            else:
                self._guarded(row, partial(self._read, frames=frames, dropout=ways[way]))
            say(f"{frames:,} frames in one pass, {way}: {_told(row)}")

    def part(self, name: str, work: Callable[[Found, Clock], None], clock: Clock) -> None:
        """Run one part within `clock`; note what it found, or how it failed."""
        out: Found = {}
        self.found[name] = out
        say(f"== {name}, at most {clock.left:.0f} s")
        self.gpu.forget()
        out["seconds"] = self.gpu.seconds(lambda: self._guarded(out, lambda o: work(o, clock)))

    def _grow(self, out: Found, clock: Clock, dropout: DropoutConfig) -> None:
        before = self.gpu.memory().get("held_bytes", 0)
        history = self.scene.history(dropout)
        frames = self.options.frames
        out.update(clip_bytes=self.scene.clip_bytes(dropout), lengths=[])
        for number, length in enumerate(frames):
            share = READING / (len(frames) - number)
            row: Found = {"frames": length}
            out["lengths"].append(row)
            self._reach(row, history, clock.within(clock.left * share))
            row["history_bytes"] = history.bytes
            row["gpu_bytes"] = self.gpu.memory().get("held_bytes", 0) - before
            most = clock.left / (len(frames) - number) / 5
            row["question"] = self.scene.question(history, most)
            if dropout.stages:
                row["question_quarter"] = self.scene.question(self.scene.unbounded(history), most)
            row["clip_s"] = self.gpu.median(lambda: self.scene.extend(history, 1), most)
            row["memory"] = self.gpu.memory()
            say(f"{length:,} frames, {row['filled_clips']} clips of them filled: {_told(row)}")

    def _reach(self, row: Found, history: Filled, clock: Clock) -> None:
        """Make `history` as long as `row` says: read while there is time, then filled."""
        missing = -(-row["frames"] // self.scene.frames_per_clip) - len(history.clips)
        while missing > 0 and clock.left > 0:
            count = min(missing, CLIPS_AT_ONCE)
            taken = self.gpu.seconds(partial(self.scene.extend, history, count))
            row["clip_of_many_s"] = taken / count
            missing -= count
        history.fill(missing)
        row["filled_clips"] = missing

    def _read(self, row: Found, frames: int, dropout: DropoutConfig) -> None:
        row["first_word_s"] = self.scene.one_pass(frames, dropout)

    def _guarded(self, row: Found, work: Callable[[Found], None]) -> None:
        try:
            work(row)
        except FAILURES as error:
            row["failed"] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            say(traceback.format_exc() + row["failed"])
        # Not inside `except`: there the error still holds what the failed work had on the device.
        if "failed" in row:
            row["memory"] = self.gpu.memory()
            self.gpu.forget()


PARTS: Mapping[str, float] = {"peak": 2, "encode": 12, "history": 30, "one_pass": 28, "whole": 28}
"""Every part, and its share of the time that those from it on have left."""


def measure(options: argparse.Namespace, spent: float = 0.0) -> Found:
    """Run the parts asked for; write the file after each, and return what is in it."""
    clock = Clock(options.seconds - spent)
    gpu = Gpu(pick_device())
    say(f"{gpu.name}: making {options.model}")
    config = SHAPES[options.model]
    scene = GpuScene(config, gpu, max(options.frames))
    run = Run(scene, options)
    record = {
        "benchmark": "flops_gpu",
        "commit": commit(),
        "machine": asdict(this_machine()),
        "settings": {
            "model": options.model,
            "dtype": str(gpu.dtype).removeprefix("torch."),
            "budget": options.budget,
            "text_tokens": scene.text_tokens,
            "seconds": options.seconds,
        },
        "weights": gpu.memory(),
        "parts": run.found,
    }
    names = [name for name in PARTS if name in options.parts]
    for number, name in enumerate(names):
        share = PARTS[name] / sum(PARTS[later] for later in names[number:])
        most = min(clock.left * share, options.part_seconds or clock.left)
        run.part(name, getattr(run, name), clock.within(most))
        options.out.write_text(json.dumps(record, indent=1) + "\n")
    record["targets"] = verdicts(run.found)
    record["wall_s"] = options.seconds - clock.left
    options.out.write_text(json.dumps(record, indent=1) + "\n")
    for verdict in record["targets"]:
        say(verdict)
    return record


def verdicts(found: Found) -> list[str]:
    """Return what became of the targets, of those that were measured."""
    said = []
    shares = [
        row["whole"]["share_of_peak"]
        for row in found.get("encode", {}).get("batches", [])
        if "whole" in row
    ]
    if shares:
        met = "met" if max(shares) >= SHARE_OF_PEAK else "MISSED"
        said.append(f"Target encode at {SHARE_OF_PEAK:.0%} of the peak: {met} ({max(shares):.1%}).")
    lengths = [row for row in found.get("history", {}).get("lengths", []) if "question" in row]
    if lengths:
        longest, word = lengths[-1]["frames"], lengths[-1]["question"]["first_word_s"]
        met = "met" if word < FIRST_WORD else "MISSED"
        said.append(
            f"Target first word in {FIRST_WORD} s at {longest:,} frames: {met} ({word:.3f} s)."
        )
    return said


def say(line: str) -> None:
    """Print a line at once, with the time."""
    sys.stdout.write(f"[{time.strftime('%H:%M:%S')}] {line}\n")
    sys.stdout.flush()


def _told(row: Mapping[str, Any]) -> str:
    if "failed" in row or "left_out" in row:
        return str(row.get("failed") or row["left_out"])
    if "first_word_s" in row:
        return f"{row['first_word_s']:.2f} s"
    quarter = row.get("question_quarter")
    return (
        f"history {row['history_bytes'] / 2**30:.2f} GiB, a clip {1000 * row['clip_s']:.0f} ms, first word "
        f"{1000 * row['question']['first_word_s']:.0f} ms"
        + (f" (a quarter kept: {1000 * quarter['first_word_s']:.0f} ms)" if quarter else "")
        + f", next words {1000 * row['question']['next_word_s']:.0f} ms each"
    )


def main(arguments: Sequence[str] | None = None, spent: float = 0.0) -> None:
    """Read the options and measure.

    Args:
        arguments: The command line; None is the real one.
        spent: Seconds since the program was started.
    """
    parser = argparse.ArgumentParser(
        prog="flashback bench flops_gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--seconds", type=float, default=100.0, help="for all, the start included")
    parser.add_argument("--part-seconds", type=float, help="for one part, at most")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--model", choices=SHAPES, default="flash-7b-res224", help="shapes")
    parser.add_argument("--frames", type=int, nargs="+", default=list(FRAMES))
    parser.add_argument("--batches", type=int, nargs="+", default=list(BATCHES), help="in clips")
    parser.add_argument("--budget", type=int, default=1024, help="visual tokens a question selects")
    options = parser.parse_args(arguments)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    measure(options, spent)


if __name__ == "__main__":
    main(spent=time.time() - psutil.Process().create_time())
