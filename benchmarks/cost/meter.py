"""What encoding, watching and answering cost, by formula: multiply-adds, and bytes that stay.

Counts what the networks here do, matrix product by matrix product; what is not one (norms,
softmax, rotations) is left out, as torch's own counter does. Attention counts only pairs that a
causal mask lets through, since fused kernels skip the others. Held against that counter in
tests/model/test_cost.py, so a formula that drifts from the code fails.

Three ways to answer a question about a video (https://arxiv.org/abs/2501.00574):

    uncompressed   every patch of every frame through every layer, in one pass
    one pass       merged clips, visual tokens dropped on the way, all read after the question came
    streaming      the same, but what does not depend on the question was read as it arrived
"""

from collections.abc import Iterator
from dataclasses import dataclass

from model.config import DropStage, FlashConfig
from model.segments import Plan

_LABEL_BYTES = 16
"""Two int64 per token that waits for a selection: its clip, and its place there."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Work done, and memory that it leaves behind.

    Attributes:
        multiply_adds: Half of what is often given as floating-point operations.
        cache_bytes: Keys and values and whatever else later work needs.
    """

    multiply_adds: int
    cache_bytes: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.multiply_adds + other.multiply_adds, self.cache_bytes + other.cache_bytes)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.multiply_adds - other.multiply_adds, self.cache_bytes - other.cache_bytes)


@dataclass(frozen=True, slots=True)
class Meter:
    """Costs of one network.

    Attributes:
        config: Its shapes.
        prefix: Text tokens before the first clip.
        suffix: Text tokens after the last clip: the question and what stands around it.
        marker: Text tokens that say when a clip was, before each.
        value_bytes: Bytes of one number in a cache; 2 for bfloat16.
    """

    config: FlashConfig
    prefix: int
    suffix: int
    marker: int = 0
    value_bytes: int = 2

    def __post_init__(self) -> None:
        """Check that the costs depend on shapes alone.

        Raises:
            ValueError: If a clip-wise stage follows a text-guided one: how many tokens it keeps
                would depend on what was selected.
        """
        stages = self.config.dropout.stages
        if any(stage.inside_clips for stage in stages[self._arriving :]):
            kinds = [stage.kind for stage in stages]
            raise ValueError(f"a clip-wise stage after a text-guided one cannot be priced: {kinds}")

    def one_pass(self, clips: int) -> Cost:
        """Reading `clips` and a question in one go, up to the first word."""
        visual = clips * self._clip_tokens
        total = self._project(clips * self.config.vision.tokens_per_clip) + self._head
        kept = visual
        for stage, layers in self._segments():
            if stage is not None:
                if stage.kind == "attention":
                    total += self._select(self.prefix + kept + self.suffix)
                kept = self._kept(stage, clips, visual, kept)
            total += self._layers(layers, new=self.prefix + kept + self.suffix)
        return total - self._spared(self.prefix + kept + self.suffix)

    def uncompressed(self, frames: int, tokens_per_frame: int) -> Cost:
        """Reading every patch of `frames` and a question in one go, nothing merged or dropped."""
        visual = frames * tokens_per_frame
        new = self.prefix + visual + self.suffix
        read = self._layers(self.config.language.layers, new) - self._spared(new)
        return self._project(visual) + read + self._head

    def opening(self) -> Cost:
        """Reading the text before the first clip into a new history."""
        return self._arrive(new=[self.prefix] * self._arriving, past=[0] * self._arriving)

    def ingest(self, before: int) -> Cost:
        """Reading one more clip into a history that holds `before` clips already."""
        new = self._per_clip()
        past = [self.prefix + before * tokens for tokens in new]
        return self._project(self.config.vision.tokens_per_clip) + self._arrive(new, past)

    def history(self, clips: int) -> Cost:
        """Everything that was done and is held for a history of `clips` before any question."""
        first, last = self.ingest(0), self.ingest(max(clips - 1, 0))
        # The cost of a clip grows by the same amount with every clip: an arithmetic series.
        series = clips * (first.multiply_adds + last.multiply_adds) // 2
        return self.opening() + Cost(series, clips * first.cache_bytes)

    def question(self, clips: int) -> Cost:
        """Reading a question on top of a history of `clips`, up to the first word."""
        per_clip = self._per_clip()
        visual = kept = clips * self._clip_tokens
        total = self._head
        new, past = self.suffix, 0
        for number, (stage, layers) in enumerate(self._segments()):
            if number < self._arriving:
                kept = clips * per_clip[number]
                past = self.prefix + kept
                total += self._layers(layers, new, past)
                continue
            assert stage is not None
            if stage.kind == "attention":
                known = self.prefix + kept if number == self._arriving else 0
                total += self._select(self.prefix + kept + self.suffix, known)
            kept = self._kept(stage, clips, visual, kept)
            new, past = self.prefix + kept + self.suffix, 0
            total += self._layers(layers, new)
        return total - self._spared(new, past)

    def word(self, clips: int) -> Cost:
        """Writing the first word after a question about `clips`."""
        visual = kept = clips * self._clip_tokens
        total = self._head
        for stage, layers in self._segments():
            if stage is not None:
                kept = self._kept(stage, clips, visual, kept)
            total += self._layers(layers, new=1, past=self.prefix + kept + self.suffix)
        return total

    @property
    def _clip_tokens(self) -> int:
        return self.config.vision.tokens_per_clip + self.marker

    @property
    def _plan(self) -> Plan:
        vision, language = self.config.vision, self.config.language
        return Plan.of(self.config.dropout, language.layers, vision.tokens_per_clip)

    @property
    def _arriving(self) -> int:
        """How many segments of layers can run before a question is known."""
        return len(self._plan.early)

    def _segments(self) -> Iterator[tuple[DropStage | None, int]]:
        """Yield the layers between two stages, with the stage that stands before them."""
        for segment in self._plan.segments:
            yield segment.stage, len(segment.layers)

    def _per_clip(self) -> list[int]:
        """Return how many tokens of a clip each segment reads as it arrives.

        Raises:
            ValueError: If a stage before the first text-guided one is not clip-wise.
        """
        if not self._plan.grows_by_clips:
            kinds = ", ".join(stage.kind for stage in self.config.dropout.stages)
            raise ValueError(f"a history needs clip-wise stages, got {kinds}")
        return [len(segment.places) + self.marker for segment in self._plan.early]

    def _kept(self, stage: DropStage, clips: int, visual: int, before: int) -> int:
        if not stage.inside_clips:
            return min(stage.keep(visual), before)
        share = int(self.config.vision.tokens_per_clip * stage.ratio)
        return min(clips * (share + self.marker), before)

    def _arrive(self, new: list[int], past: list[int]) -> Cost:
        total = Cost(0)
        layers = [count for _, count in self._segments()]
        for count, tokens, seen in zip(layers, new, past, strict=False):
            total += self._layers(count, new=tokens, past=seen)
        if self._arriving <= len(self.config.dropout.stages):
            language, waiting = self.config.language, new[-1]
            shared = language.kv_heads * language.head_dim
            values = waiting * (shared + language.hidden) * self.value_bytes
            total += Cost(waiting * language.hidden * shared, values + waiting * _LABEL_BYTES)
        return total

    def _layers(self, layers: int, new: int, past: int = 0) -> Cost:
        """`new` tokens through some layers, attending to `past` ones and causally to themselves."""
        language = self.config.language
        inner, shared = (n * language.head_dim for n in (language.heads, language.kv_heads))
        dense = language.hidden * (2 * inner + 2 * shared + 3 * language.intermediate)
        pairs = new * past + new * (new + 1) // 2
        return Cost(
            layers * (new * dense + pairs * 2 * inner),
            layers * new * 2 * shared * self.value_bytes,
        )

    def _spared(self, new: int, past: int = 0) -> Cost:
        """Return what the last layer does not do, since only the last token's output is needed."""
        language = self.config.language
        inner = language.heads * language.head_dim
        dense = language.hidden * (2 * inner + 3 * language.intermediate)
        pairs = (new - 1) * past + (new - 1) * new // 2
        return Cost((new - 1) * dense + pairs * 2 * inner)

    def _select(self, tokens: int, known: int = 0) -> Cost:
        """Scoring `tokens` by the last one's attention; the keys of `known` ones are at hand."""
        language = self.config.language
        inner, shared = (n * language.head_dim for n in (language.heads, language.kv_heads))
        keys = (tokens - known) * language.hidden * shared
        return Cost(language.hidden * inner + keys + tokens * inner)

    def _project(self, tokens: int) -> Cost:
        hidden = self.config.language.hidden
        return Cost(tokens * hidden * (self.config.vision.width + hidden))

    @property
    def _head(self) -> Cost:
        return Cost(self.config.language.hidden * self.config.language.vocab)
