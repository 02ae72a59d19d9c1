"""The parts of `benchmarks/flops_gpu.py`: what each measures on a network, and what it says meanwhile."""

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from typing import Any

from benchmarks.networks.clock import Countdown
from benchmarks.networks.filled import Filled
from benchmarks.networks.gpu_scene import CLIPS_AT_ONCE, GpuScene
from model.config import DropoutConfig
from model.errors import ModelError

READING = 0.6
"""Share of a part's time for reading a history; what is missing then is filled."""
REACHED = 0.5
"""Share of the speed of one large product at which a long prompt is expected to be read."""
FAILURES = (RuntimeError, MemoryError, ValueError, TypeError, LookupError, ModelError)
"""Of a part, which must not cost the others: of memory, of a kernel, and of our own code. A card is lent."""

Found = dict[str, Any]
"""What a part has found so far, as it goes into the file."""


class PartsRun:
    """One run of all parts over one network.

    Args:
        scene: The network.
        options: As on the command line.
    """

    def __init__(self, scene: GpuScene, options: argparse.Namespace) -> None:
        self.scene, self.gpu, self.options = scene, scene.gpu, options
        self.rate = self.gpu.peak or 1e12
        self.found: Found = {}

    def peak(self, out: Found, clock: Countdown) -> None:
        """Measure what one large matrix product reaches."""
        out["data_sheet_flops"] = self.gpu.peak
        out["matmul_flops"] = self.rate = self.gpu.best(clock.left)
        say(f"one large product reaches {self.rate / 1e12:.0f} TFLOP/s")

    def encode(self, out: Found, clock: Countdown) -> None:
        """Encode clips in batches, from pixels in main memory to tokens in main memory."""
        flops, peak = 2 * self.scene.encode_cost, self.gpu.peak or self.rate
        out.update(flops_per_clip=flops, peak_flops=peak, batches=[])
        for number, batch in enumerate(self.options.batches):
            most = clock.left / (len(self.options.batches) - number)
            clips, pixels = self.scene.clips(batch), self.scene.pixels(batch)
            row: Found = {"clips": batch}
            out["batches"].append(row)
            ways: dict[str, Callable[[], object]] = {
                "network": partial(self.scene.features, pixels),
                "whole": partial(self.scene.chat.encode, clips),
            }
            if self.gpu.device.type == "cuda":
                ways["network_cudnn"] = partial(self.scene.features_cudnn, pixels)
            for way, work in ways.items():
                row[way] = {}
                self._guarded(row[way], partial(self._encoding, batch, work, most / 4))
                say(f"{batch} clips, {way}: {_speed(row[way])}")
        out["memory"] = self.gpu.memory()

    def _encoding(self, batch: int, work: Callable[[], object], most: float, row: Found) -> None:
        taken = self.gpu.median(work, most)
        row["seconds"] = taken
        row["frames_per_s"] = batch * self.scene.frames_per_clip / taken
        peak = self.gpu.peak or self.rate
        row["share_of_peak"] = batch * 2 * self.scene.encode_cost / taken / peak

    def history(self, out: Found, clock: Countdown) -> None:
        """Let a history grow and ask it on the way, with the dropout of the paper."""
        self._grow(out, clock, self.scene.config.dropout.with_budget(self.options.budget))

    def whole(self, out: Found, clock: Countdown) -> None:
        """Do the same with nothing dropped."""
        self._grow(out, clock, DropoutConfig())

    def one_pass(self, out: Found, clock: Countdown) -> None:
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

    def part(self, name: str, work: Callable[[Found, Countdown], None], clock: Countdown) -> None:
        """Run one part within `clock`; note what it found, or how it failed."""
        out: Found = {}
        self.found[name] = out
        say(f"== {name}, at most {clock.left:.0f} s")
        self.gpu.forget()
        out["seconds"] = self.gpu.seconds(lambda: self._guarded(out, lambda o: work(o, clock)))

    def _grow(self, out: Found, clock: Countdown, dropout: DropoutConfig) -> None:
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

    def _reach(self, row: Found, history: Filled, clock: Countdown) -> None:
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


def say(line: str) -> None:
    """Print a line at once, with the time."""
    sys.stdout.write(f"[{time.strftime('%H:%M:%S')}] {line}\n")
    sys.stdout.flush()


def _speed(row: Mapping[str, Any]) -> str:
    if "failed" in row:
        return str(row["failed"])
    return f"{row['frames_per_s']:,.0f} frames/s, {row['share_of_peak']:.1%} of the peak"


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
