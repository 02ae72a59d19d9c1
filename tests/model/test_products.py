"""Attention by products equals the fused kernel's, and gives way where it cannot be."""

import pytest
import torch

from model.language.attention import attend
from model.language.cpu_attention import attend_by_products, products_pay, tiles

HEADS, DIM = 2, 64


def rows(seed, count, heads=HEADS, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(heads, count, DIM, generator=generator)).bfloat16()


def exact(queries, keys, values):
    """Attention over all keys and its log-sum-exp, in float64."""
    scores = queries.double() @ keys.double().mT / DIM**0.5
    return scores.softmax(-1) @ values.double(), scores.logsumexp(-1)


@pytest.mark.parametrize("scale", [0.5, 2.0])
@pytest.mark.parametrize("offset", [-6.0, 0.0, 6.0])
def test_a_tile_gives_attention_and_log_sum_exp_wherever_its_scores_lie(scale, offset):
    queries, keys, values = rows(1, 40, scale=scale), rows(2, 1500), rows(3, 1500)
    out, weight = exact(queries, keys, values)
    shift = (weight + offset).float()
    ours, ours_weight = attend_by_products(queries, keys, values, shift)
    torch.testing.assert_close(ours.double(), out, atol=0.02, rtol=0.02)
    torch.testing.assert_close(ours_weight.double(), weight, atol=0.03, rtol=0)


@pytest.mark.parametrize("offset", [-1000.0, 1000.0])
def test_a_tile_too_far_from_what_was_read_before_gives_way(offset):
    queries, keys, values = rows(1, 40), rows(2, 1500), rows(3, 1500)
    shift = exact(queries, keys, values)[1].float() + offset
    assert attend_by_products(queries, keys, values, shift) is None


def test_a_short_tile_gives_way():
    queries, keys, values = rows(1, 40), rows(2, 100), rows(3, 100)
    assert attend_by_products(queries, keys, values, torch.zeros(HEADS, 40)) is None


def test_tiles_cut_the_past_into_pieces_in_order():
    past = [(rows(1, 30_000), rows(2, 30_000)), (rows(3, 10), rows(4, 10))]
    cut = list(tiles(past, rows(5, 64)))
    assert [keys.shape[1] for keys, _ in cut] == [16_384, 13_616, 10]
    for side in (0, 1):
        pieces = torch.cat([pair[side] for pair in cut], dim=1)
        assert torch.equal(pieces, torch.cat([pair[side] for pair in past], dim=1))


@pytest.mark.parametrize("far", [1.0, 400.0])
def test_a_long_past_in_bfloat16_equals_one_attention(far):
    """Also where a later block's scores are so large that its tiles give way to the kernel."""
    queries, own = rows(1, 40, heads=2 * HEADS), [rows(2, 40), rows(3, 40)]
    past = [(rows(4, 2000), rows(5, 2000)), (rows(6, 3000, scale=far), rows(7, 3000))]
    assert products_pay(queries.reshape(HEADS, -1, DIM))
    ours = attend(queries, past, *own)
    keys, values = (
        torch.cat([*(block[side] for block in past), own[side]], dim=1).double() for side in (0, 1)
    )
    mask = torch.ones(40, 5040, dtype=torch.bool).tril(5000)
    expected = torch.nn.functional.scaled_dot_product_attention(
        queries[None].double(), keys[None], values[None], attn_mask=mask, enable_gqa=True
    )[0]
    torch.testing.assert_close(ours.double(), expected, atol=0.03, rtol=0.03)


def test_exact_numbers_and_single_words_are_left_to_the_kernel():
    assert not products_pay(rows(1, 40).float())
    assert not products_pay(rows(1, 7))
