"""One prompt read to its end, and an answer written from there.

`PromptReader` takes tokens through the language model with progressive visual dropout in a single
pass, as the reference does. `model/history.py` does the same work in another order. Both end in
a `Reading`, from which decoding goes on: the caches of every layer and, since dropping renumbers
what stays, the next position in every segment of layers between two stages.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from model.config import DropoutConfig
from model.language.decoder import Decoder, LayerHook, no_hook
from model.language.dropout import (
    TEXT,
    Tokens,
    kept_by_score,
    kept_in_each_clip,
    kept_uniformly,
    text_guided_scores,
)
from model.language.kv_cache import KeyValues
from model.language.rotary import Rotary, positions_of
from model.segments import Plan, Segment


@dataclass(frozen=True, slots=True, eq=False)
class Attended:
    """What the last token of a prompt attends to in one layer.

    Attributes:
        scores: Its attention on every token it sees there, the mean over heads.
        clips: The clip of each of those tokens.
        places: Which of its clip's visual tokens each is; -1 is text or a time marker.
    """

    scores: Float[Tensor, " n"]
    clips: Int64[Tensor, " n"]
    places: Int64[Tensor, " n"]


@dataclass(slots=True, eq=False)
class Reading:
    """Where an answer stands. Changed by `PromptReader.step` alone.

    Attributes:
        caches: Keys and values of every layer.
        positions: Position of the next token, in every segment of layers.
        logits: Of the next token.
        kept: For each stage, the tokens that stayed, as places in that stage's sequence.
        selection: By what the first text-guided stage chose; None if there is none.
        evidence: The same in the layer that shows what an answer rests on; None if none is known.
        tokens_kept: Visual tokens that the last layer read.
    """

    caches: list[KeyValues]
    positions: list[float]
    logits: Float[Tensor, " vocab"] = field(default_factory=lambda: torch.empty(0))
    kept: list[Int64[Tensor, " kept"]] = field(default_factory=list)
    selection: Attended | None = None
    evidence: Attended | None = None
    tokens_kept: int = 0

    def checkpoint(self) -> Callable[[], None]:
        """Return what undoes the steps from here on."""
        positions, lengths = list(self.positions), [cache.length for cache in self.caches]

        return partial(self._go_back, positions, lengths)

    def _go_back(self, positions: list[float], lengths: list[int]) -> None:
        self.positions = positions
        for cache, length in zip(self.caches, lengths, strict=True):
            cache.cut(length)


class PromptReader:
    """A language model together with its stages of dropout.

    Args:
        decoder: The language model.
        dropout: Where tokens are dropped.
        tokens_per_clip: Visual tokens of a clip.
        visual_step: How far a visual token moves the position of the next one.
        evidence_layer: The layer, after text-guided selection, in which a prompt's last token attends
            to what the answer rests on; None if it is not known.

    Raises:
        ValueError: If a stage keeps no token of a clip.
    """

    def __init__(
        self,
        decoder: Decoder,
        dropout: DropoutConfig,
        tokens_per_clip: int,
        visual_step: float = 1.0,
        evidence_layer: int | None = None,
    ) -> None:
        self.decoder = decoder
        self.plan = Plan.of(dropout, decoder.config.layers, tokens_per_clip)
        self._visual_step = visual_step
        self._evidence_layer = evidence_layer if self.plan.selection is not None else None

    def steps(self, place: Int64[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Return how far each token moves the position of the next one."""
        steps = torch.ones(place.shape, device=place.device)
        return steps.masked_fill(place >= 0, self._visual_step)

    @torch.inference_mode()
    def read(self, tokens: Tokens) -> Reading:
        """Read a whole prompt in one pass, the last token being the end of the question."""
        layers = self.decoder.config.layers
        reading = Reading([KeyValues() for _ in range(layers)], [0.0] * len(self.plan.segments))
        droppable = int((tokens.clip != TEXT).sum())
        return self.finish(reading, tokens, self.plan.segments, droppable)

    def finish(
        self,
        reading: Reading,
        tokens: Tokens,
        segments: Sequence[Segment],
        droppable: int,
        hook: LayerHook = no_hook,
    ) -> Reading:
        """Take `tokens` through the last `segments` of the plan to the logits.

        Args:
            reading: Whose caches and positions of these segments are still empty.
            tokens: Everything that the first of them reads.
            segments: Down to the last layer.
            droppable: Droppable tokens there were before any stage.
            hook: See `Decoder.run`.
        """
        for segment, after in pairwise(segments):
            tokens = self.advance(reading.caches, reading.positions, segment, tokens, hook)
            tokens = self._drop(reading, tokens, after, droppable)
        last = segments[-1]
        at = positions_of(self.steps(tokens.place)) + reading.positions[last.number]
        rotary = self._move(reading.positions, last, tokens)
        hidden, layers = tokens.hidden, last.layers
        if (layer := self._evidence_layer) is not None and layer in layers:
            before, layers = range(layers.start, layer), range(layer, layers.stop)
            hidden = self.decoder.run(hidden, rotary, before, [(len(hidden), reading.caches)], hook)
            scores = self.attention_of_last(hidden, at, layer)
            reading.evidence = Attended(scores, tokens.clip, tokens.place)
        hidden = self.decoder.run_to_last(hidden, rotary, layers, reading.caches, hook)
        reading.tokens_kept = int((tokens.place >= 0).sum())
        reading.logits = self.decoder.logits(hidden[-1])
        return reading

    def advance(
        self,
        caches: Sequence[KeyValues],
        positions: list[float],
        segment: Segment,
        tokens: Tokens,
        hook: LayerHook = no_hook,
    ) -> Tokens:
        """Take `tokens` through `segment`, moving its position on."""
        rotary = self._move(positions, segment, tokens)
        hidden = self.decoder.run(
            tokens.hidden, rotary, segment.layers, [(len(tokens.hidden), caches)], hook
        )
        return tokens.after(hidden)

    def _move(self, positions: list[float], segment: Segment, tokens: Tokens) -> Rotary:
        """Return the rotations of `tokens` in `segment`, moving its position on."""
        steps = self.steps(tokens.place)
        rotary = self.decoder.rotary(positions_of(steps) + positions[segment.number])
        positions[segment.number] += float(steps.sum())
        return rotary

    @torch.inference_mode()
    def step(
        self, readings: Sequence[Reading], chosen: Sequence[int], hook: LayerHook = no_hook
    ) -> None:
        """Add one written token to each of `readings`, all in one batch; see `Decoder.run` for `hook`.

        If that fails, none of them has changed.
        """
        with ExitStack() as undo:
            for reading in readings:
                undo.callback(reading.checkpoint())
            self._step(readings, chosen, hook)
            undo.pop_all()

    def _step(self, readings: Sequence[Reading], chosen: Sequence[int], hook: LayerHook) -> None:
        device = self.decoder.lm_head.weight.device
        hidden = self.decoder.embed(torch.tensor(chosen, device=device))
        for segment in self.plan.segments:
            at = torch.tensor([r.positions[segment.number] for r in readings], device=device)
            caches = [(1, reading.caches) for reading in readings]
            hidden = self.decoder.run(hidden, self.decoder.rotary(at), segment.layers, caches, hook)
            for reading in readings:
                reading.positions[segment.number] += 1
        for reading, logits in zip(readings, self.decoder.logits(hidden), strict=True):
            reading.logits = logits

    def kept_in_each_clip(
        self, place: Int64[Tensor, " n"], segment: Segment
    ) -> Int64[Tensor, " kept"]:
        """Return which tokens the clip-wise stage before `segment` keeps, given the place of each."""
        return kept_in_each_clip(place, segment.places, self.plan.tokens_per_clip)

    def selection_keys(
        self, hidden: Float[Tensor, "n hidden"], at: Float[Tensor, " n"], layer: int
    ) -> Float[Tensor, "kv_heads n dim"]:
        """Return the keys that text-guided selection before `layer` compares."""
        before = self.decoder.layer(layer)
        return before.self_attn.keys(before.input_layernorm(hidden), self.decoder.rotary(at))

    def attention_of_last(
        self,
        hidden: Float[Tensor, "n hidden"],
        at: Float[Tensor, " n"],
        layer: int,
        earlier: Iterable[Float[Tensor, "kv_heads _ dim"]] = (),
    ) -> Float[Tensor, " all"]:
        """Return what the last token attends to in `layer`, of all that is given.

        Args:
            hidden: Input of the layer.
            at: Positions of these tokens, as they were in the layer before.
            layer: Which.
            earlier: Keys of what stands before these tokens.
        """
        before = self.decoder.layer(layer)
        query = before.self_attn.queries(
            before.input_layernorm(hidden[-1:]), self.decoder.rotary(at[-1:])
        )
        return text_guided_scores(query, [*earlier, self.selection_keys(hidden, at, layer)])

    def _drop(self, reading: Reading, tokens: Tokens, segment: Segment, droppable: int) -> Tokens:
        stage = segment.stage
        assert stage is not None
        keep = stage.keep(droppable)
        if stage.kind == "uniform":
            index = kept_uniformly(tokens.clip, keep)
        elif stage.inside_clips:
            index = self.kept_in_each_clip(tokens.place, segment)
        else:
            at = positions_of(self.steps(tokens.place))
            scores = self.attention_of_last(tokens.hidden, at, stage.layer)
            index = kept_by_score(tokens.clip, scores, keep)
            if reading.selection is None:
                reading.selection = Attended(scores, tokens.clip, tokens.place)
        reading.kept.append(index)
        return tokens.keep(index)
