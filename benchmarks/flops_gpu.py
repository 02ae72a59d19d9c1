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
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import psutil

from benchmarks.command.machine import commit, this_machine
from benchmarks.networks.clock import Countdown
from benchmarks.networks.gpu import Gpu
from benchmarks.networks.gpu_parts import Found, PartsRun, say
from benchmarks.networks.gpu_scene import SHAPES, GpuScene
from model.zoo.device import pick_device

FRAMES = (1000, 4000, 10_000)
BATCHES = (1, 16, 64, 128)
SHARE_OF_PEAK, FIRST_WORD = 0.4, 0.5
"""Targets: encoding, and seconds to the first word at the longest history."""

PARTS: Mapping[str, float] = {"peak": 2, "encode": 12, "history": 30, "one_pass": 28, "whole": 28}
"""Every part, and its share of the time that those from it on have left."""


def measure(options: argparse.Namespace, spent: float = 0.0) -> Found:
    """Run the parts asked for; write the file after each, and return what is in it."""
    clock = Countdown(options.seconds - spent)
    gpu = Gpu(pick_device())
    say(f"{gpu.name}: making {options.model}")
    config = SHAPES[options.model]
    scene = GpuScene(config, gpu, max(options.frames))
    run = PartsRun(scene, options)
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
    batches = found.get("encode", {}).get("batches", [])
    whole = [row.get("whole", {}) for row in batches]
    shares = [row["share_of_peak"] for row in whole if "share_of_peak" in row]
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
