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

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from model.errors import HistoryFull
from model.language.clip_markers import Noted
from model.language.decoder import LayerHook, no_hook
from model.language.dropout import Tokens, kept_by_score
from model.language.kv_cache import Blocks, KeyValues, Span
from model.language.rotary import positions_of
from model.reading import Attended, PromptReader, Reading
from model.segments import Segment
from model.wavefront import run_wavefront, torch_threads

_PART = 256
"""Tokens of clips that a processor's core reads for itself: fewer are read by all of them together."""


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
        hook: See `Decoder.run`.

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
        hook: LayerHook = no_hook,
    ) -> None:
        plan = reader.plan
        if not plan.grows_by_clips:
            kinds = [segment.stage.kind for segment in plan.segments if segment.stage is not None]
            raise ValueError(f"a history needs clip-wise stages before a text-guided one: {kinds}")
        self.clips: list[ClipSpan] = []
        self.noted = Noted()
        self._reader = reader
        self._room = reach - reserve
        self._early, self._selection = plan.early, plan.selection
        self._caches = [KeyValues() for segment in self._early for _ in segment.layers]
        self._positions = [0.0] * len(self._early)
        self._rows = [0] * len(self._early)
        self._keys, self._hidden, self._labels = Blocks(), Blocks(), Blocks()
        self._prefix = len(prefix)
        with torch_threads(1):  # so few tokens are not worth the wait of one core for another
            self._arrive(Tokens.of_text(prefix), hook)

    @property
    def bytes(self) -> int:
        """Memory held by caches, in bytes."""
        kept = (self._keys, self._hidden, self._labels)
        return sum(cache.bytes for cache in self._caches) + sum(blocks.bytes for blocks in kept)

    @staticmethod
    def clip_bytes(reader: PromptReader, marker: int) -> int:
        """Return the memory that one more clip takes, with `marker` text tokens before it."""
        shape, size = reader.decoder.config, reader.decoder.lm_head.weight.itemsize
        shared = shape.kv_heads * shape.head_dim
        counts = [len(segment.places) + marker for segment in reader.plan.early]
        layers = [len(segment.layers) for segment in reader.plan.early]
        rows = sum(count * of for count, of in zip(counts, layers, strict=True))
        held = rows * 2 * shared * size
        if reader.plan.selection is not None:
            # The keys that are compared, the input of the next layer, and two labels.
            held += counts[-1] * ((shared + shape.hidden) * size + 2 * torch.int64.itemsize)
        return held

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
        hook: LayerHook = no_hook,
    ) -> None:
        """Read clips that have arrived, oldest first.

        Args:
            spans: Start and end of each clip, in media seconds.
            tokens: Of each clip, as they enter the first layer. The clip numbers in them do not
                matter: a clip is numbered by its place in the history.
            frames: Seen in each clip; None is four.
            hook: See `Decoder.run`.

        Raises:
            HistoryFull: If there is no position left for all of them; nothing was read.
        """
        needed = float(self._reader.steps(torch.cat([part.place for part in tokens])).sum())
        if self._positions[0] + needed > self._room:
            raise HistoryFull(f"{len(self.clips)} clips fill the {self._room:.0f} positions")
        before = list(self._rows)
        numbered = [
            Tokens(part.hidden, torch.full_like(part.clip, len(self.clips) + number), part.place)
            for number, part in enumerate(tokens)
        ]
        parts = [partial(self._arrive, Tokens.join(part)) for part in _parts(numbered)]
        counts = [torch.cat(of) for of in zip(*run_wavefront(parts, hook), strict=True)]
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
        late = reader.plan.segments[len(self._early) :]
        reading = Reading(
            [*self._views(spans), *(KeyValues() for segment in late for _ in segment.layers)],
            [*self._positions, *(0.0 for _ in late)],
        )
        tokens = Tokens.of_text(suffix)
        if self._selection is None:
            for segment in self._early[:-1]:
                tokens = reader.advance(reading.caches, reading.positions, segment, tokens, hook)
            reader.finish(reading, tokens, self._early[-1:], 0, hook)
            reading.tokens_kept = len(clips) * len(self._early[-1].places)
            return reading
        for segment in self._early:
            tokens = reader.advance(reading.caches, reading.positions, segment, tokens, hook)
        droppable = sum(stop - start for start, stop in spans[0][1:])
        chosen = self._select(reading, tokens, spans[-1], self._selection, droppable)
        return reader.finish(reading, chosen, late, droppable, hook)

    @torch.inference_mode()
    def attention(
        self, suffix: Float[Tensor, "n hidden"], clips: range, hook: LayerHook = no_hook
    ) -> Float[Tensor, " all"]:
        """Return what a question attends to where tokens are selected; nothing more is read of it.

        Scores are in the order of `Reading.selection`, which a question of this history has.

        Args:
            suffix: Embeddings of everything after the visual tokens.
            clips: Look only at these.
            hook: See `Decoder.run`.
        """
        assert self._selection is not None
        spans = self._visible(clips)
        reading = Reading([*self._views(spans)], [*self._positions])
        tokens = Tokens.of_text(suffix)
        for segment in self._early:
            tokens = self._reader.advance(reading.caches, reading.positions, segment, tokens, hook)
        return self._score(reading, tokens, spans[-1], self._selection)

    def _views(self, spans: list[list[Span]]) -> Iterator[KeyValues]:
        """Yield an empty cache for every early layer, on top of the history's own at `spans`."""
        for segment in self._early:
            for layer in segment.layers:
                yield KeyValues((self._caches[layer], spans[segment.number]))

    def _arrive(self, tokens: Tokens, hook: LayerHook = no_hook) -> list[Int64[Tensor, " clips"]]:
        """Run new tokens up to the selection; return how many of each clip every segment saw."""
        counts, first, last = [], int(tokens.clip[0].clamp_min(0)), int(tokens.clip[-1])
        for segment in self._early:
            if segment.stage is not None:
                tokens = tokens.keep(self._reader.kept_in_each_clip(tokens.place, segment))
            clips = (tokens.clip - first).clamp_min(0)
            counts.append(clips.bincount(minlength=last - first + 1).cpu())
            begin = self._positions[segment.number]
            tokens = self._reader.advance(self._caches, self._positions, segment, tokens, hook)
            self._rows[segment.number] += len(tokens.clip)
        if self._selection is not None:
            at = positions_of(self._reader.steps(tokens.place)) + begin
            layer = self._selection.layers.start
            self._keys.append(self._reader.selection_keys(tokens.hidden, at, layer))
            self._hidden.append(tokens.hidden)
            self._labels.append(torch.stack([tokens.clip, tokens.place], dim=-1))
        return counts

    def _visible(self, clips: range) -> list[list[Span]]:
        """Return, for every early segment, the rows of the prefix and of `clips`."""
        if not clips:
            return [[(0, self._prefix)] for _ in self._early]
        first, last = self.clips[clips[0]].rows, self.clips[clips[-1]].rows
        return [
            [(0, self._prefix), (begin, stop)]
            for (begin, _), (_, stop) in zip(first, last, strict=True)
        ]

    def _select(
        self,
        reading: Reading,
        suffix: Tokens,
        spans: list[Span],
        selection: Segment,
        droppable: int,
    ) -> Tokens:
        """Score what is visible by the end of the question; return the best, in order.

        Args:
            reading: Which the suffix has been read into, as far as the early segments go.
            suffix: The question, as it enters `selection`.
            spans: Rows of the history that it sees there.
            selection: The segment that reads what is selected.
            droppable: Droppable tokens there were before any stage.
        """
        stage = selection.stage
        assert stage is not None
        scores = self._score(reading, suffix, spans, selection)
        labels = torch.cat([self._labels.rows(start, stop) for start, stop in spans])
        clip = torch.cat([labels[:, 0], suffix.clip])
        kept = kept_by_score(clip, scores, stage.keep(droppable))
        reading.kept.append(kept)
        places = torch.cat([labels[:, 1], suffix.place])
        reading.selection = Attended(scores, clip, places)
        seen = kept[kept < len(labels)]
        rows = torch.cat([torch.arange(*span, device=seen.device) for span in spans])[seen]
        return Tokens.join([Tokens(self._hidden.pick(rows), *labels[seen].unbind(-1)), suffix])

    def _score(
        self, reading: Reading, suffix: Tokens, spans: list[Span], selection: Segment
    ) -> Float[Tensor, " all"]:
        """Return how much the last token of `suffix` attends to what is visible, and to `suffix`."""
        reader, stage = self._reader, selection.stage
        assert stage is not None
        steps = reader.steps(suffix.place)
        at = positions_of(steps) + reading.positions[selection.number - 1] - float(steps.sum())
        earlier = [block for start, stop in spans for block in self._keys.slices(start, stop)]
        return reader.attention_of_last(suffix.hidden, at, stage.layer, earlier)


def _parts(clips: Sequence[Tokens]) -> Iterator[Sequence[Tokens]]:
    """Yield `clips` in groups of about equal size, such as are read side by side."""
    tokens = sum(len(clip.clip) for clip in clips)
    groups = max(1, tokens // _PART) if clips[0].hidden.device.type == "cpu" else 1
    size = math.ceil(len(clips) / groups)
    for first in range(0, len(clips), size):
        yield clips[first : first + size]
