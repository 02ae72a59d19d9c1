"""Choosing the next token, and turning tokens into whole characters as they come."""

from codecs import getincrementaldecoder

import torch
from jaxtyping import Float
from torch import Tensor

from model.vocabulary import Vocabulary

COLDEST = 1e-3
"""Divided by less, logits overflow; long before, no second token has a chance."""


def choose(
    logits: Float[Tensor, " vocab"], temperature: float, top_p: float, generator: torch.Generator
) -> int:
    """Return the next token.

    Args:
        logits: Of every token, in float32.
        temperature: 0 takes the likeliest; more is more varied. Below `COLDEST` it is 0.
        top_p: Choose among the likeliest tokens that together reach this probability
            (nucleus sampling, https://arxiv.org/abs/1904.09751); the likeliest always.
        generator: Where chance comes from, on the processor.
    """
    if temperature < COLDEST:
        return int(logits.argmax())
    probabilities, order = (logits.cpu() / temperature).softmax(-1).sort(descending=True)
    before = probabilities.cumsum(-1) - probabilities
    nucleus = probabilities.masked_fill((before >= top_p) & (before > 0), 0)
    return int(order[nucleus.multinomial(1, generator=generator)])


class TextStream:
    """Puts the bytes of tokens together; a character is given out once it is complete."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")

    def add(self, token: int) -> str:
        """Return the characters that `token` completes, perhaps none."""
        return self._decoder.decode(self._vocabulary.piece(token))
