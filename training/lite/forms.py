"""What `lite` reads of a clip, and variants of it to measure by.

The shipped form (`FORM`) is a caption of eighteen text tokens, six visual tokens and, in the time marker,
what is new (docs/decisions/0026 and 0034). A variant leaves something of it out, or does it another way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from model.config import DropStage
from model.vision.vocabulary import word_table
from model.vision.word_projector import WordProjector
from model.zoo.lite import CAPTION, DROPOUT, LOOK, SEEN, THINGS

Words = Literal["spelled", "summed", "none"]
_SUMS = 5
"""Things that a caption names at most."""


@dataclass(frozen=True, slots=True)
class Form:
    """What is read of a clip.

    Attributes:
        words: Whether its things are spelled out in text tokens, are one token each (the mean of those
            text tokens), or are left out.
        seen: Its visual tokens, the weightiest.
        notes: Whether its time marker says what is new in it.
        anchored: Whether words stand where the language model keeps them. Else a word is a random
            vector, and a network of two layers, random at first, learns where it belongs.
    """

    words: Words = "spelled"
    seen: int = SEEN
    notes: bool = True
    anchored: bool = True

    @property
    def leading(self) -> int:
        """Tokens of a clip that say its things."""
        return {"spelled": CAPTION, "summed": _SUMS, "none": 0}[self.words]

    @property
    def tokens(self) -> int:
        """Tokens of a clip."""
        return self.leading + self.seen

    @property
    def early(self) -> DropStage:
        """The stage of dropout that keeps the things of a clip, and what looks it has if it has no things."""
        stage = DROPOUT.stages[0]
        kept = self.leading or self.seen
        # Half a token more than is kept, since the number that stays is rounded down.
        return DropStage(stage.layer, min(1.0, (kept + 0.5) / self.tokens), stage.kind)

    def projector(
        self, embedding: Float[Tensor, "vocab hidden"], plain: Callable[[str], Sequence[int]]
    ) -> WordProjector:
        """Return the untrained projector of this form.

        Args:
            embedding: Of the language model.
            plain: Its text to tokens.
        """
        if not self.anchored:
            return _Free(embedding, plain, self)
        return _Varied(embedding, plain, self)


FORM = Form()


class _Varied(WordProjector):
    """The shipped projector, whose caption may be summed or left out."""

    def __init__(
        self,
        embedding: Float[Tensor, "vocab hidden"],
        plain: Callable[[str], Sequence[int]],
        form: Form,
    ) -> None:
        super().__init__(embedding, plain, word_table(), THINGS, LOOK, CAPTION, form.seen)
        self._words, (self._comma,) = form.words, plain(",")

    def tokens(
        self, captions: Int64[Tensor, "clips room"], seen: Float[Tensor, "clips seen width"]
    ) -> Float[Tensor, "clips tokens hidden"]:
        """Return the tokens of clips, given what they would spell out and their weightiest visual tokens."""
        if self._words == "spelled":
            return super().tokens(captions, seen)
        if self._words == "none":
            return self._seen(seen)
        return torch.cat([self._summed(captions), self._seen(seen)], dim=1)

    def _summed(self, ids: Int64[Tensor, "clips room"]) -> Float[Tensor, "clips sums hidden"]:
        """Return one token for each thing: the mean of what spells it, or blank."""
        comma = ids == self._comma
        thing = comma.cumsum(dim=1)[:, None]
        numbers = torch.arange(_SUMS, device=ids.device)[:, None]
        parts = ((thing == numbers) & (ids >= 0)[:, None] & ~comma[:, None]).to(self.spelled.dtype)
        count = parts.sum(dim=-1, keepdim=True)
        means = parts @ self._spelled(ids) / count.clamp_min(1)
        return torch.where(count > 0, means, self.blank)


class _Free(_Varied):
    """A projector that is not told where words belong: it starts from random vectors, through a random map."""

    def __init__(
        self,
        embedding: Float[Tensor, "vocab hidden"],
        plain: Callable[[str], Sequence[int]],
        form: Form,
    ) -> None:
        hidden = embedding.shape[1]
        fixed = torch.Generator().manual_seed(0)  # a word's vector is the same in every run
        super().__init__(torch.randn(embedding.shape, generator=fixed), plain, form)
        self._scale = float(embedding.float().std())
        self.map = nn.Sequential(
            nn.Linear(hidden, 2 * hidden), nn.GELU(), nn.Linear(2 * hidden, hidden)
        )

    def tokens(
        self, captions: Int64[Tensor, "clips room"], seen: Float[Tensor, "clips seen width"]
    ) -> Float[Tensor, "clips tokens hidden"]:
        """Return the tokens of clips, about as long as the language model's own."""
        mapped: Tensor = self.map(super().tokens(captions, seen))
        return self._scale * mapped
