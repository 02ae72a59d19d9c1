"""Attention put together from places equals attention over all of them at once."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.language.attention import attend
from model.language.dropout import text_guided_scores
from model.language.kv_cache import Blocks, KeyValues


def plain(queries, keys, values):
    """Causal attention of the last queries over all keys, by torch's public function."""
    new, all_keys = queries.shape[1], keys.shape[1]
    mask = torch.ones(new, all_keys, dtype=torch.bool).tril(all_keys - new)
    return torch.nn.functional.scaled_dot_product_attention(
        queries[None], keys[None], values[None], attn_mask=mask, enable_gqa=True
    )[0]


def rows(seed, heads, count, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(heads, count, 8, generator=generator)).to(dtype)


@settings(deadline=None, max_examples=40)
@given(
    past=st.lists(st.integers(1, 300), max_size=4),
    new=st.integers(1, 20),
    shared=st.integers(1, 3),
    seed=st.integers(0, 99),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_blocks_and_new_tokens_together_equal_one_attention(past, new, shared, seed, dtype):
    total = sum(past) + new
    queries = rows(seed, 2 * shared, new, dtype)
    keys, values = rows(seed + 1, 2, total, dtype), rows(seed + 2, 2, total, dtype)
    borders = torch.tensor([0, *past]).cumsum(0).tolist()
    blocks = [(keys[:, a:b], values[:, a:b]) for a, b in pairwise(borders)]
    ours = attend(queries, blocks, keys[:, -new:], values[:, -new:])
    torch.testing.assert_close(ours, plain(queries, keys, values), atol=1e-5, rtol=0)


def test_half_precision_joins_in_float32():
    queries, keys, values = (rows(s, 2, 700, torch.bfloat16) for s in (1, 2, 3))
    blocks = [(keys[:, a : a + 100], values[:, a : a + 100]) for a in range(0, 690, 100)][:6]
    ours = attend(queries[:, 600:], blocks, keys[:, 600:], values[:, 600:])
    exact = plain(queries[:, 600:].double(), keys.double(), values.double())
    torch.testing.assert_close(ours.double(), exact, atol=3e-2, rtol=0)


@pytest.mark.usefixtures("block_rows")
@settings(deadline=None, max_examples=30)
@given(sizes=st.lists(st.integers(0, 700), min_size=1, max_size=6), data=st.data())
def test_blocks_give_back_what_was_appended(sizes, data):
    blocks, whole = Blocks(), []
    for number, size in enumerate(sizes):
        part = torch.arange(size, dtype=torch.float32)[:, None] + 1000 * number
        blocks.append(part)
        whole.append(part)
    everything = torch.cat(whole)
    start = data.draw(st.integers(0, len(everything)))
    stop = data.draw(st.integers(start, len(everything)))
    if start < stop:
        assert torch.equal(blocks.rows(start, stop), everything[start:stop])
    index = torch.arange(start, stop, 3)
    if len(index):
        assert torch.equal(blocks.pick(index), everything[index])


def test_a_cache_on_top_of_another_leaves_it_alone_while_it_grows():
    below, plain_cache = KeyValues(), KeyValues()
    first, second, later = (rows(n, 2, 5) for n in (1, 2, 3))
    below.attend(first, first, first)
    plain_cache.attend(first, first, first)
    above = KeyValues((below, [(0, 5)]))
    below.attend(later, later, later)
    ours = above.attend(second, second, second)
    torch.testing.assert_close(ours, plain_cache.attend(second, second, second))
    assert (below.length, above.length) == (10, 5)


@pytest.mark.parametrize("cuts", [[40], [13, 27], [1, 1, 38]])
def test_scores_are_the_mean_over_heads_of_the_whole_rows_softmax(cuts):
    query, keys = rows(1, 4, 1), rows(2, 2, 40)
    every_head = keys.repeat_interleave(2, dim=0)
    expected = ((query @ every_head.mT) / 8**0.5).softmax(-1).mean(0)[0]
    torch.testing.assert_close(text_guided_scores(query, keys.split(cuts, dim=1)), expected)
