"""The next token: never the one that closes a circle."""

import pytest
import torch

from model.language.sampling import choose
from model.types import GREEDY, Sampling

CHANCE = torch.Generator()


def logits(*best):
    """The first of `best` is likeliest."""
    made = torch.zeros(10)
    for place, token in enumerate(best):
        made[token] = 9.0 - place
    return made


@pytest.mark.parametrize(
    ("written", "size", "chosen"),
    [
        ([1, 2, 3, 1, 2], 3, 4),  # 1 2 3 is written already
        ([1, 2, 3, 1, 2], 4, 3),  # no four tokens are
        ([1, 2, 3, 1, 2], 0, 3),  # no bound
        ([5, 2, 3, 1, 2], 3, 3),  # another row before it
        ([3], 1, 4),  # no token twice
        ([], 2, 3),
        ([3, 3], 2, 4),  # a row may lap over itself
    ],
)
def test_no_row_of_tokens_is_written_twice(written, size, chosen):
    assert choose(logits(3, 4), GREEDY, written, CHANCE, size) == chosen


def test_nor_by_chance():
    chance = torch.Generator().manual_seed(1)
    warm = Sampling(temperature=2.0)
    drawn = {choose(logits(3, 4), warm, [1, 2, 3, 1, 2], chance, 3) for _ in range(200)}
    assert 3 not in drawn
    assert len(drawn) > 2


def test_a_list_that_goes_round_is_left_for_what_is_likely_next():
    written = []
    for _ in range(9):
        likely = (1, 2) if len(written) % 2 == 0 else (2, 3)
        written.append(choose(logits(*likely), GREEDY, written, CHANCE, 4))
    rows = [tuple(written[at : at + 4]) for at in range(len(written) - 3)]
    assert len(rows) == len(set(rows))
