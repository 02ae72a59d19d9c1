"""The streaming history: everything a stream has shown, read by the language model as it came.

In VideoChat-Flash the visual tokens stand before the question and attention is causal, so until
the first text-guided selection nothing that a visual token computes depends on a question. If,
besides, the tokens that a clip keeps are chosen inside the clip, then neither the kept set nor
any position changes when another clip arrives. Hence the work is done once, on arrival:

    extend   clip tokens ─► layers below the selection ─► keys/values, and the selection's input
    ask      question    ─► the same layers, its own tokens only ─► scores the kept tokens
                         ─► the best of them, with the question ─► the remaining layers

In float32 an answer is exactly what one pass over the whole history gives
(tests/model/test_history_in_any_order.py); in coarser numbers, to their rounding.
A question reads the history through views and leaves it as it was, so any number may be asked
at once, while it grows.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from model.language.decoder import LayerHook, no_hook, positions_of
from model.language.dropout import Tokens, kept_by_score
from model.language.kv_cache import Blocks, KeyValues, Span
from model.reading import PromptReader, Reading


class HistoryFull(Exception):
    """The next clip would stand at a position the language model was not trained for."""


@dataclass(frozen=True, slots=True)
class ClipSpan:
    """Where one clip lies.

    Attributes:
        start: Media time of its first frame, in seconds.
        end: Media time of its last frame, in seconds.
        rows: For every segment of layers, the rows its tokens take there.
        frames: Frames that were seen in it.
    """

    start: float
    end: float
    rows: tuple[Span, ...]
    frames: int = 4


class History:
    """One stream inside the language model.

    Args:
        reader: The language model; its stages before the first text-guided one are clip-wise.
        prefix: Embeddings of the text before the first clip.
        reach: Positions the language model can tell apart.
        reserve: Positions kept free for a question and its answer.

    Raises:
        ValueError: If a stage before the first text-guided one is not clip-wise.
    """

    @torch.inference_mode()
    def __init__(
        self,
        reader: PromptReader,
        prefix: Float[Tensor, "n hidden"],
        reach: float = float("inf"),
        reserve: float = 0.0,
    ) -> None:
        kinds = [stage.kind for stage in reader.stages]
        arriving = kinds.index("attention") if "attention" in kinds else len(kinds)
        if not all(stage.inside_clips for stage in reader.stages[:arriving]):
            raise ValueError(f"a history needs clip-wise stages before a text-guided one: {kinds}")
        self.clips: list[ClipSpan] = []
        self._reader = reader
        self._room = reach - reserve
        self._selecting = "attention" in kinds
        self._segments = arriving + 1
        layers = reader.segments[arriving].stop
        self._caches = [KeyValues() for _ in range(layers)]
        self._positions = [0.0] * self._segments
        self._rows = [0] * self._segments
        self._keys, self._hidden, self._labels = Blocks(), Blocks(), Blocks()
        self._prefix = len(prefix)
        self._arrive(Tokens.of_text(prefix))

    @property
    def bytes(self) -> int:
        """Memory held by caches, in bytes."""
        kept = (self._keys, self._hidden, self._labels)
        return sum(cache.bytes for cache in self._caches) + sum(blocks.bytes for blocks in kept)

    @property
    def fullness(self) -> float:
        """Share of the positions that is taken, from 0 to 1."""
        return self._positions[0] / self._room

    @torch.inference_mode()
    def extend(
        self,
        spans: Sequence[tuple[float, float]],
        tokens: Sequence[Tokens],
        frames: Sequence[int] | None = None,
    ) -> None:
        """Read clips that have arrived, oldest first.

        Args:
            spans: Start and end of each clip, in media seconds.
            tokens: Of each clip, as they enter the first layer. The clip numbers in them do not
                matter: a clip is numbered by its place in the history.
            frames: Seen in each clip; None is four.

        Raises:
            HistoryFull: If there is no position left for all of them; nothing was read.
        """
        needed = sum(float(self._reader.steps(part.place).sum()) for part in tokens)
        if self._positions[0] + needed > self._room:
            raise HistoryFull(f"{len(self.clips)} clips fill the {self._room:.0f} positions")
        before = list(self._rows)
        numbered = [
            Tokens(part.hidden, torch.full_like(part.clip, len(self.clips) + number), part.place)
            for number, part in enumerate(tokens)
        ]
        counts = self._arrive(Tokens.join(numbered))
        counted = [4] * len(spans) if frames is None else frames
        for number, ((start, end), of_clip) in enumerate(zip(spans, counted, strict=True)):
            rows = tuple(
                (first, first + int(count[number]))
                for first, count in zip(before, counts, strict=True)
            )
            before = [stop for _, stop in rows]
            self.clips.append(ClipSpan(start, end, rows, of_clip))

    def between(self, since: float | None, until: float | None) -> range:
        """Return the clips that end at or after `since` and start at or before `until`."""
        first = 0 if since is None else bisect_left(self.clips, since, key=lambda clip: clip.end)
        stop = len(self.clips)
        if until is not None:
            stop = bisect_right(self.clips, until, key=lambda clip: clip.start)
        return range(first, max(first, stop))

    @torch.inference_mode()
    def ask(
        self,
        suffix: Float[Tensor, "n hidden"],
        clips: range | None = None,
        hook: LayerHook = no_hook,
    ) -> Reading:
        """Read a question on top of the history, which is left as it was.

        Args:
            suffix: Embeddings of everything after the visual tokens.
            clips: Look only at these; None is all.
            hook: See `Decoder.run`.
        """
        clips = range(len(self.clips)) if clips is None else clips
        reader, spans = self._reader, self._visible(clips)
        layers = range(reader.decoder.config.layers)
        below = [spans[n] for n in range(self._segments) for _ in reader.segments[n]]
        caches = [
            KeyValues((self._caches[layer], below[layer]))
            if layer < len(self._caches)
            else KeyValues()
            for layer in layers
        ]
        fresh = len(reader.segments) - self._segments
        reading = Reading(caches, [*self._positions, *([0.0] * fresh)])
        tokens = Tokens.of_text(suffix)
        for number in range(self._segments - (not self._selecting)):
            tokens = reader.advance(caches, reading.positions, number, tokens, hook)
        if not self._selecting:
            reader.finish(reading, tokens, self._segments - 1, 0, hook)
            of_each = [stage.keep(reader.tokens_per_clip) for stage in reader.stages[-1:]]
            reading.tokens_kept = len(clips) * sum(of_each or [reader.tokens_per_clip])
            return reading
        visual = sum(stop - start for start, stop in spans[0][1:])
        chosen = self._select(reading, tokens, spans[-1], visual)
        return reader.finish(reading, chosen, self._segments, visual, hook)

    def _arrive(self, tokens: Tokens) -> list[Int64[Tensor, " clips"]]:
        """Run new tokens up to the selection; return how many of each clip every segment saw."""
        counts, first, last = [], int(tokens.clip[0].clamp_min(0)), int(tokens.clip[-1])
        for number in range(self._segments):
            if number > 0:
                tokens = tokens.keep(self._reader.kept_in_each_clip(tokens.place, number - 1))
            clips = (tokens.clip - first).clamp_min(0)
            counts.append(clips.bincount(minlength=last - first + 1).cpu())
            begin = self._positions[number]
            tokens = self._reader.advance(self._caches, self._positions, number, tokens)
            self._rows[number] += len(tokens.clip)
        if self._selecting:
            at = positions_of(self._reader.steps(tokens.place)) + begin
            layer = len(self._caches)
            self._keys.append(self._reader.selection_keys(tokens.hidden, at, layer))
            self._hidden.append(tokens.hidden)
            self._labels.append(torch.stack([tokens.clip, tokens.place], dim=-1))
        return counts

    def _visible(self, clips: range) -> list[list[Span]]:
        """Return, for every segment, the rows of the prefix and of `clips`."""
        if not clips:
            return [[(0, self._prefix)] for _ in range(self._segments)]
        first, last = self.clips[clips[0]].rows, self.clips[clips[-1]].rows
        return [
            [(0, self._prefix), (first[number][0], last[number][1])]
            for number in range(self._segments)
        ]

    def _select(self, reading: Reading, suffix: Tokens, spans: list[Span], visual: int) -> Tokens:
        """Score what is visible by the end of the question; return the best, in order."""
        reader, stage = self._reader, self._reader.stages[self._segments - 1]
        steps = reader.steps(suffix.place)
        at = positions_of(steps) + reading.positions[self._segments - 1] - float(steps.sum())
        earlier = [block for start, stop in spans for block in self._keys.slices(start, stop)]
        scores = reader.attention_of_last(suffix.hidden, at, stage.layer, earlier)
        labels = torch.cat([self._labels.rows(start, stop) for start, stop in spans])
        clip = torch.cat([labels[:, 0], suffix.clip])
        kept = kept_by_score(clip, scores, stage.keep(visual))
        reading.kept.append(kept)
        reading.scores, reading.clips = scores, clip
        reading.places = torch.cat([labels[:, 1], suffix.place])
        seen = kept[kept < len(labels)]
        rows = torch.cat([torch.arange(*span, device=seen.device) for span in spans])[seen]
        return Tokens.join([Tokens(self._hidden.pick(rows), *labels[seen].unbind(-1)), suffix])
