"""The anchored connector: what a clip shows, in the language model's own word embeddings.

The published connector learns from millions of pictures where a visual token belongs among the
words. Here that is known beforehand: a token that is believed to be a dog stands where the language
model keeps "dog". A clip becomes two runs of tokens:

    caption   its things spelled out in text tokens, a fixed number of them, the rest left blank
    look      its visual tokens: the words believed of each, weighted; where it is; what it looks like

The caption comes first, so that a stage of dropout that keeps the leading share keeps it whole.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from model.vision.things import caption, unpack
from model.vision.vocabulary import WordTable

BELIEFS = 4
"""Words that a visual token carries, each with its weight."""


class WordProjector(nn.Module):
    """Maps the rows of a clip to the language model's tokens.

    Args:
        embedding: Of the language model.
        plain: Its text to tokens.
        table: The words.
        things: Rows at the beginning of a clip that are things; the others are visual tokens.
        look: Width of a visual token before its code.
        room: Text tokens of the caption.
        seen: Visual tokens read, the weightiest of all there are.
    """

    embedding: Tensor
    words: Tensor

    def __init__(
        self,
        embedding: Float[Tensor, "vocab hidden"],
        plain: Callable[[str], Sequence[int]],
        table: WordTable,
        things: int,
        look: int,
        room: int,
        seen: int,
    ) -> None:
        super().__init__()
        hidden = embedding.shape[1]
        self._plain = lru_cache(4096)(lambda text: tuple(plain(text)))
        self._table, self._things, self._look = table, things, look
        self._room, self._read = room, seen
        self.register_buffer("embedding", embedding, persistent=False)
        means = [embedding[list(self._plain(f" {w.name}"))].float().mean(0) for w in table.words]
        self.register_buffer("words", torch.stack(means), persistent=False)
        self.gain = nn.Parameter(torch.ones(1))
        self.blank = nn.Parameter(0.02 * torch.randn(hidden))
        self.spelled = nn.Parameter(torch.zeros(hidden))
        self.place = nn.Linear(4, hidden)
        self.up, self.down = nn.Linear(look, 256), nn.Linear(256, hidden)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(
        self, rows: Float[Tensor, "clips rows width"]
    ) -> Float[Tensor, "clips tokens hidden"]:
        """Return the tokens of clips as the language model reads them."""
        rows = rows.float()
        captions = self.captions(rows[:, : self._things, self._look :])
        return self.tokens(captions, rows[:, self._things : self._things + self._read])

    def tokens(
        self, captions: Int64[Tensor, "clips room"], seen: Float[Tensor, "clips seen width"]
    ) -> Float[Tensor, "clips tokens hidden"]:
        """Return the tokens of clips, given what they spell out and their weightiest visual tokens."""
        return torch.cat([self._spelled(captions), self._seen(seen)], dim=1)

    def captions(self, packed: Float[Tensor, "clips things code"]) -> Int64[Tensor, "clips room"]:
        """Return the caption of each clip as text tokens; -1 where it is blank."""
        ids = torch.full((len(packed), self._room), -1, dtype=torch.int64)
        for line, clip in zip(ids, packed.float().cpu(), strict=True):
            tokens = caption(unpack(clip), self._table, self._plain, self._room)
            line[: len(tokens)] = torch.tensor(tokens, dtype=torch.int64)
        return ids.to(packed.device)

    def _spelled(self, ids: Int64[Tensor, "clips room"]) -> Float[Tensor, "clips room hidden"]:
        text = self.embedding[ids.clamp_min(0)].to(self.spelled.dtype) + self.spelled
        return torch.where((ids >= 0)[..., None], text, self.blank)

    def _seen(self, rows: Float[Tensor, "clips seen width"]) -> Float[Tensor, "clips seen hidden"]:
        look, code = rows[..., : self._look], rows[..., self._look :]
        weights = code[..., BELIEFS : 2 * BELIEFS]
        means = self.words.to(rows.dtype)[code[..., :BELIEFS].long().clamp_min(0)]
        believed = (weights[..., None] * means).sum(dim=-2)
        update: Tensor = self.down(nn.functional.gelu(self.up(look)))
        seen: Tensor = self.gain * believed + self.place(code[..., 2 * BELIEFS :]) + update
        return seen
