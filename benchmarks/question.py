"""Time to the first word of an answer, by length of the history: three ways, in one run.

- no dropout: every visual token through every layer, when the question comes;
- one pass: the reference's way, progressive dropout in one pass over everything;
- history: what was seen was read as it arrived; the question reads only itself and what it selects.

Weights are random and clip tokens too: time does not depend on their values, answers are not looked at.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle

import torch
from rich.console import Console
from rich.progress import Progress

from benchmarks.report import Json, Report, benchmark_main
from model.config import DropoutConfig, DropStage, LanguageConfig
from model.device import pick_device, pick_dtype
from model.dropout import Tokens, kept_in_each_clip
from model.history import ClipSpan, History
from model.language import Decoder
from model.lite_base import LITE_LANGUAGE
from model.reading import Reader, Reading
from model.released import RELEASED

TOKENS_PER_CLIP, FRAMES_PER_CLIP = 64, 4
CHUNK = 16
"""Clips read at once with `--read`."""
PREFIX, SUFFIX = 16, 32
"""Text tokens before the clips, and of the question with all that stands around it."""

SHAPES: Mapping[str, LanguageConfig] = {
    "lite": LITE_LANGUAGE,
    "qwen2-0.5b": LanguageConfig(
        hidden=896,
        layers=24,
        heads=14,
        kv_heads=2,
        head_dim=64,
        intermediate=4864,
        vocab=151_936,
        tied_embeddings=True,
    ),
    "qwen2-7b": RELEASED["flash-7b"].config.language,
}


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds, at one length; None was not measured.

    Attributes:
        frames: Length of the history.
        no_dropout: To the first word, every token through every layer.
        one_pass: To the first word, the reference's way.
        history: To the first word, from the streaming history.
        ingest: To read one more clip into the history.
        history_bytes: What the history holds.
    """

    frames: int
    no_dropout: float | None
    one_pass: float | None
    history: float
    ingest: float
    history_bytes: int


def stages(layers: int, shallow: str, ratio: float, budget: int | None) -> DropoutConfig:
    """Return the paper's two stages (layers 4 and 18 of 28) for a network of `layers`."""
    assert shallow in {"uniform", "clipwise"}
    first = DropStage(round(4 * layers / 28), 0.75, "uniform")
    second = DropStage(round(18 * layers / 28), ratio, "attention", budget)
    both = DropoutConfig((first, second))
    return both.clipwise() if shallow == "clipwise" else both


class Filled(History):
    """A history that can be made longer without reading: time does not depend on the values."""

    @torch.inference_mode()
    def fill(self, count: int) -> None:
        """Append `count` clips of random keys, values and hidden states to the caches."""
        reader, first = self._reader, len(self.clips)
        shape, weights = reader.decoder.config, reader.decoder.lm_head.weight

        def rows(*size: int) -> torch.Tensor:
            return torch.randn(*size, dtype=weights.dtype, device=weights.device)

        for number in range(first, first + count):
            begun = list(self._rows)
            place = torch.arange(TOKENS_PER_CLIP, device=weights.device)
            for segment in range(self._segments):
                if segment > 0:
                    ratio = reader.stages[segment - 1].ratio
                    place = place[kept_in_each_clip(place, ratio, TOKENS_PER_CLIP)]
                for layer in reader.segments[segment]:
                    keys, values = (rows(shape.kv_heads, len(place), shape.head_dim) for _ in "kv")
                    self._caches[layer].append(keys, values)
                self._positions[segment] += len(place)
                self._rows[segment] += len(place)
            self._keys.append(rows(shape.kv_heads, len(place), shape.head_dim))
            self._hidden.append(rows(len(place), shape.hidden))
            self._labels.append(torch.stack([torch.full_like(place, number), place], dim=-1))
            spans = tuple(zip(begun, self._rows, strict=True))
            self.clips.append(ClipSpan(4.0 * number, 4.0 * number + 3.0, spans))


class Scene:
    """A random network and random clips, read in each of the three ways."""

    def __init__(self, shape: LanguageConfig, options: argparse.Namespace) -> None:
        self.device = pick_device()
        self.dtype = getattr(torch, options.dtype) if options.dtype else pick_dtype(self.device)
        torch.manual_seed(options.seed)
        with torch.device(self.device):
            self.decoder = Decoder(shape).to(self.dtype).eval().requires_grad_(False)
        self.shape, self.budget, self.repeat = shape, options.budget, options.repeat
        self.prefix, self.suffix = self._rows(PREFIX), self._rows(SUFFIX)

    def clips(self, count: int) -> list[Tokens]:
        """Return clips that nobody has seen before."""
        none = self._rows(0)
        return [Tokens.of_clip(n, none, self._rows(TOKENS_PER_CLIP)) for n in range(count)]

    def one_pass(self, clips: list[Tokens], dropout: DropoutConfig) -> float:
        """Return seconds to the first word over `clips` in one pass."""
        reader = Reader(self.decoder, dropout, TOKENS_PER_CLIP)
        parts = [Tokens.of_text(self.prefix), *clips, Tokens.of_text(self.suffix)]
        return self._first_word(lambda: reader.read(Tokens.join(parts)))

    def histories(self, lengths: list[int], *, read: bool) -> Iterator[tuple[int, Filled]]:
        """Yield one history at each of `lengths` (in clips), growing by reading or by filling."""
        dropout = stages(self.shape.layers, "clipwise", 0.75, self.budget)
        history = Filled(Reader(self.decoder, dropout, TOKENS_PER_CLIP), self.prefix)
        for length in lengths:
            while (missing := length - len(history.clips)) > 0:
                if read:
                    self.extend(history, min(CHUNK, missing))
                else:
                    history.fill(missing)
            yield length, history

    def extend(self, history: History, count: int) -> None:
        """Let `history` read `count` more clips."""
        begun = len(history.clips)
        spans = [(4.0 * n, 4.0 * n + 3.0) for n in range(begun, begun + count)]
        history.extend(spans, self.clips(count))

    def question(self, history: History) -> float:
        """Return median seconds to the first word, from `history`."""
        return statistics.median(
            self._first_word(lambda: history.ask(self.suffix)) for _ in range(self.repeat)
        )

    def ingest(self, history: History) -> float:
        """Return median seconds to read one more clip; leaves `history` that much longer."""
        return statistics.median(self._seconds(lambda: self.extend(history, 1)) for _ in range(3))

    def _first_word(self, read: Callable[[], Reading]) -> float:
        return self._seconds(lambda: int(read().logits.argmax()))

    def _seconds(self, work: Callable[[], object]) -> float:
        self._wait()
        begun = time.perf_counter()
        work()
        self._wait()
        return time.perf_counter() - begun

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def _rows(self, count: int) -> torch.Tensor:
        return torch.randn(count, self.shape.hidden, dtype=self.dtype, device=self.device)


def measure(
    name: str, longest: int, options: argparse.Namespace, progress: Progress
) -> list[Times]:
    """Return the times of one network at every length, in one pass up to `longest` frames."""
    scene = Scene(SHAPES[name], options)
    lengths = sorted(frames // FRAMES_PER_CLIP for frames in options.frames)
    task = progress.add_task(name, total=lengths[-1])
    reference = stages(scene.shape.layers, "uniform", 0.25, None)
    found = []
    for length, history in scene.histories(lengths, read=options.read):
        frames = length * FRAMES_PER_CLIP
        progress.update(task, completed=length, description=f"{name} at {frames:,} frames")
        slow = frames <= longest
        clips = scene.clips(length) if slow else []
        scene.question(history)  # the first one at a length sets kernels up
        found.append(
            Times(
                frames=frames,
                history=scene.question(history),
                ingest=scene.ingest(history),
                history_bytes=history.bytes,
                one_pass=scene.one_pass(clips, reference) if slow else None,
                no_dropout=scene.one_pass(clips, DropoutConfig()) if slow else None,
            )
        )
    return found


def run(options: argparse.Namespace) -> Report:
    """Measure every network that was asked for."""
    longest = dict(zip(options.networks, cycle(options.one_pass_frames), strict=False))
    with Progress(console=Console(stderr=True)) as progress:
        found = {name: measure(name, longest[name], options, progress) for name in options.networks}
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
            "One pass keeps 25 % of the visual tokens after the text-guided stage, as the "
            f"reference does; the history keeps at most {options.budget:,}.",
            "Weights are random. The history was "
            + ("read clip by clip." if options.read else "filled with random keys and values.")
            + " Reading one clip on top of it is measured for real.",
            "One pass was not run beyond "
            + " and ".join(f"{longest[name]:,} frames for {name}" for name in found)
            + ".",
            "One pass attends with torch's fused kernel; the history reads its long past by products.",
        ],
    )


def _row(name: str, times: Times) -> list[str | int | float | None]:
    gain = None if times.one_pass is None else times.one_pass / times.history
    return [
        name,
        times.frames,
        times.no_dropout,
        times.one_pass,
        times.history,
        gain,
        times.ingest,
        times.history_bytes / 1e6,
    ]


def _numbers(rows: list[Times]) -> Json:
    by_frames = {times.frames: times for times in rows}
    ratios: dict[str, Json] = {}
    if (times := by_frames.get(1024)) is not None and times.one_pass is not None:
        ratios["one_pass_over_history_at_1024"] = times.one_pass / times.history
    if 256 in by_frames and 4096 in by_frames:
        ratios["growth_256_to_4096"] = by_frames[4096].history / by_frames[256].history
    lengths: list[Json] = [
        {
            "frames": t.frames,
            "no_dropout_s": t.no_dropout,
            "one_pass_s": t.one_pass,
            "history_s": t.history,
            "ingest_clip_s": t.ingest,
            "history_bytes": t.history_bytes,
        }
        for t in rows
    ]
    return {"lengths": lengths, **ratios}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this benchmark can be told."""
    parser.add_argument(
        "--frames", type=int, nargs="+", default=[64, 256, 1024, 4096], help="lengths to measure"
    )
    parser.add_argument(
        "--networks", nargs="+", choices=SHAPES, default=["lite", "qwen2-0.5b"], help="shapes"
    )
    parser.add_argument(
        "--one-pass-frames",
        type=int,
        nargs="+",
        default=[1024],
        help="longest history read in one pass, one number for each network or for all; lite "
        "takes half an hour at 4096",
    )
    parser.add_argument("--budget", type=int, default=1024, help="visual tokens a question selects")
    parser.add_argument("--repeat", type=int, default=5, help="questions asked at each length")
    parser.add_argument(
        "--read", action="store_true", help="read every clip of the history; takes many minutes"
    )
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], help="instead of the faster")
    parser.add_argument("--seed", type=int, default=0, help="of weights and clips")


if __name__ == "__main__":
    benchmark_main("question", __doc__, run, add_options)
