"""A history that is made longer without reading: what work on top of it takes does not depend on values."""

from copy import copy

import torch

from model.history import ClipSpan, History
from model.reading import PromptReader

FILLED_AT_ONCE = 64
"""Clips of random rows made at once."""


class Filled(History):
    """A history that can be made longer without reading."""

    @property
    def reader(self) -> PromptReader:
        """What reads it and its questions."""
        return self._reader

    @torch.inference_mode()
    def fill(self, count: int) -> None:
        """Append `count` clips of random keys, values and hidden states to the caches."""
        while count > 0:
            self._fill(min(count, FILLED_AT_ONCE))
            count -= FILLED_AT_ONCE

    def asked_through(self, reader: PromptReader) -> "Filled":
        """Return the same history, its questions read by `reader`, which differs in budget alone."""
        other = copy(self)
        other._reader, other._selection = reader, reader.plan.selection
        return other

    def _fill(self, count: int) -> None:
        reader, first = self._reader, len(self.clips)
        shape, weights = reader.decoder.config, reader.decoder.lm_head.weight

        def rows(*size: int) -> torch.Tensor:
            return torch.randn(*size, dtype=weights.dtype, device=weights.device)

        each = [len(segment.places) for segment in reader.plan.early]
        for number in range(count):
            spans = tuple(
                (before + number * per_clip, before + (number + 1) * per_clip)
                for before, per_clip in zip(self._rows, each, strict=True)
            )
            start = 4.0 * (first + number)
            self.clips.append(ClipSpan(start, start + 3.0, spans))
        for segment in reader.plan.early:
            new = count * len(segment.places)
            for layer in segment.layers:
                keys, values = (rows(shape.kv_heads, new, shape.head_dim) for _ in "kv")
                self._caches[layer].append(keys, values)
            self._positions[segment.number] += float(
                reader.steps(torch.tensor(segment.places)).sum() * count
            )
            self._rows[segment.number] += new
        if self._selection is not None:
            place = torch.tensor(segment.places, device=weights.device)
            clip = torch.arange(first, first + count, device=weights.device)
            self._keys.append(rows(shape.kv_heads, new, shape.head_dim))
            self._hidden.append(rows(new, shape.hidden))
            labels = [clip.repeat_interleave(len(place)), place.repeat(count)]
            self._labels.append(torch.stack(labels, dim=-1))
