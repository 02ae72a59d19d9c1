"""Random networks and histories for `benchmarks/question.py`, read in each of the ways compared there."""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping

import torch

from benchmarks.networks.filled import Filled
from model.config import DropoutConfig, DropStage, LanguageConfig
from model.history import History
from model.language.decoder import Decoder
from model.language.dropout import Tokens
from model.reading import PromptReader, Reading
from model.zoo.device import pick_device, pick_dtype
from model.zoo.lite_base import LITE_LANGUAGE
from model.zoo.released import RELEASED

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


def stages(layers: int, shallow: str, ratio: float, budget: int | None) -> DropoutConfig:
    """Return the paper's two stages (layers 4 and 18 of 28) for a network of `layers`."""
    assert shallow in {"uniform", "clipwise"}
    first = DropStage(round(4 * layers / 28), 0.75, "uniform")
    second = DropStage(round(18 * layers / 28), ratio, "attention", budget)
    both = DropoutConfig((first, second))
    return both.clipwise() if shallow == "clipwise" else both


class QuestionScene:
    """A random network and random clips, read in each of the three ways."""

    def __init__(self, shape: LanguageConfig, options: argparse.Namespace) -> None:
        self.device = pick_device()
        self.dtype = getattr(torch, options.dtype) if options.dtype else pick_dtype(self.device)
        torch.manual_seed(options.seed)
        with torch.device(self.device):
            self.decoder = Decoder(shape).to(self.dtype).eval().requires_grad_(False)
        self.shape, self.budget = shape, options.budget
        self.prefix, self.suffix = self._rows(PREFIX), self._rows(SUFFIX)

    def clips(self, count: int) -> list[Tokens]:
        """Return clips that nobody has seen before."""
        none = self._rows(0)
        return [Tokens.of_clip(n, none, self._rows(TOKENS_PER_CLIP)) for n in range(count)]

    def one_pass(self, clips: list[Tokens], dropout: DropoutConfig) -> float:
        """Return seconds to the first word over `clips` in one pass."""
        reader = PromptReader(self.decoder, dropout, TOKENS_PER_CLIP)
        parts = [Tokens.of_text(self.prefix), *clips, Tokens.of_text(self.suffix)]
        return self._first_word(lambda: reader.read(Tokens.join(parts)))

    def history(self, clips: int, *, read: bool) -> Filled:
        """Return a history of `clips` clips, read or filled."""
        dropout = stages(self.shape.layers, "clipwise", 0.75, self.budget)
        history = Filled(PromptReader(self.decoder, dropout, TOKENS_PER_CLIP), self.prefix)
        if not read:
            history.fill(clips)
        while (missing := clips - len(history.clips)) > 0:
            self.extend(history, min(CHUNK, missing))
        return history

    def extend(self, history: History, count: int) -> None:
        """Let `history` read `count` more clips."""
        begun = len(history.clips)
        spans = [(4.0 * n, 4.0 * n + 3.0) for n in range(begun, begun + count)]
        history.extend(spans, self.clips(count))

    def question(self, history: History) -> float:
        """Return seconds to the first word, from `history`."""
        return self._first_word(lambda: history.ask(self.suffix))

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
