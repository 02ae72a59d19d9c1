"""Choosing the next token, and turning tokens into whole characters as they come."""

from codecs import getincrementaldecoder
from collections.abc import Collection, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from model.language.tokenizer import Tokenizer
from model.types import Sampling

_MIN_TEMPERATURE = 1e-3
"""Divided by less, logits overflow; long before, no second token has a chance."""


def choose(
    logits: Float[Tensor, " vocab"],
    sampling: Sampling,
    written: Sequence[int],
    generator: torch.Generator,
    no_repeat_ngram_size: int = 0,
) -> int:
    """Return the next token.

    The order is that of transformers: the penalty, rows written before, the temperature, `top_k`, `top_p`.

    Args:
        logits: Of every token, in float32.
        sampling: How to choose. A temperature below `_MIN_TEMPERATURE` is 0.
        written: Tokens of the answer so far. The reference hands its prompt over as embeddings, so
            there, too, the penalty counts what the answer says and not what was asked.
        generator: Where chance comes from, on the processor.
        no_repeat_ngram_size: No row of so many tokens is written twice, so that an answer never goes
            round in circles; 0 is no such bound. The name is that of transformers.
    """
    logits = penalised(logits, sampling.repetition_penalty, written)
    logits = _without_repeats(logits, no_repeat_ngram_size, written)
    if sampling.temperature < _MIN_TEMPERATURE:
        return int(logits.argmax())
    scores, order = (logits.cpu() / sampling.temperature).sort(descending=True)
    scores = scores[: sampling.top_k or None]
    probabilities = scores.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    # Nucleus sampling, https://arxiv.org/abs/1904.09751; the likeliest always.
    nucleus = probabilities.masked_fill((before >= sampling.top_p) & (before > 0), 0)
    return int(order[nucleus.multinomial(1, generator=generator)])


def penalised(
    logits: Float[Tensor, " vocab"], penalty: float, written: Collection[int]
) -> Float[Tensor, " vocab"]:
    """Return `logits` with those of `written` made less likely by `penalty`.

    A positive logit is divided by it and a negative one multiplied (CTRL,
    https://arxiv.org/abs/1909.05858).
    """
    if penalty == 1 or not written:
        return logits
    index = torch.tensor(list(written), device=logits.device)
    said = logits[index]
    return logits.index_copy(0, index, torch.where(said < 0, said * penalty, said / penalty))


def _without_repeats(
    logits: Float[Tensor, " vocab"], size: int, written: Sequence[int]
) -> Float[Tensor, " vocab"]:
    """Return `logits` without tokens that would complete a row of `size` that is written already."""
    if not 0 < size <= len(written):
        return logits
    last = tuple(written[len(written) - size + 1 :])
    again = [
        written[at + size - 1]
        for at in range(len(written) - size + 1)
        if tuple(written[at : at + size - 1]) == last
    ]
    if not again:
        return logits
    return logits.index_fill(0, torch.tensor(again, device=logits.device), -torch.inf)


class TextStream:
    """Puts the bytes of tokens together; a character is given out once it is complete."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = getincrementaldecoder("utf-8")(errors="replace")

    def add(self, token: int) -> str:
        """Return the characters that `token` completes, perhaps none."""
        return self._decoder.decode(self._tokenizer.piece(token))
