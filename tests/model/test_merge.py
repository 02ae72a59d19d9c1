import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.vision.merge import merge_tokens

shapes = st.tuples(st.integers(1, 3), st.integers(2, 40), st.integers(1, 8))


@settings(deadline=None, max_examples=60)
@given(shape=shapes, seed=st.integers(0, 10_000), data=st.data())
def test_merged_tokens_are_averages_of_what_went_in(shape, seed, data):
    batch, n, c = shape
    keep = data.draw(st.integers(1, n))
    tokens = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    merged = merge_tokens(tokens, keep)
    assert merged.shape == (batch, keep, c)
    assert merged.amax() <= tokens.amax() + 1e-5
    assert merged.amin() >= tokens.amin() - 1e-5


def test_keeping_all_tokens_changes_nothing():
    tokens = torch.randn(2, 9, 4)
    assert merge_tokens(tokens, keep=9) is tokens


def test_identical_tokens_merge_to_themselves():
    tokens = torch.full((1, 16, 3), 0.5)
    torch.testing.assert_close(merge_tokens(tokens, keep=1), tokens[:, :1])


@pytest.mark.parametrize("keep", [0, 17])
def test_impossible_keep_is_refused(keep):
    with pytest.raises(ValueError, match=f"cannot keep {keep} of 16"):
        merge_tokens(torch.zeros(1, 16, 3), keep)


def test_a_merged_token_counts_as_often_as_what_it_absorbed():
    near = torch.tensor([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [1.0, 0.02]])
    merged = merge_tokens(near[None], keep=1)
    torch.testing.assert_close(merged[0, 0], near.mean(0))


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="3 heads do not divide a width of 4"):
        merge_tokens(torch.zeros(1, 4, 4), keep=2, heads=3)


def merged_in_plain_words(tokens, keep, heads):
    """Merge the tokens of one clip, one at a time, as the paper says it."""
    sizes = np.ones(len(tokens))
    while len(tokens) > keep:
        merges = min(len(tokens) - keep, len(tokens) // 2)
        metric = tokens.reshape(len(tokens), heads, -1).mean(1)
        metric /= np.linalg.norm(metric, axis=1, keepdims=True)
        likeness = metric[::2] @ metric[1::2].T
        order = np.argsort(-likeness.max(1), kind="stable")
        sums, weights = (tokens * sizes[:, None])[1::2].copy(), sizes[1::2].copy()
        for source in order[:merges]:
            into = likeness[source].argmax()
            sums[into] += tokens[2 * source] * sizes[2 * source]
            weights[into] += sizes[2 * source]
        rest = order[merges:]
        tokens = np.concatenate([tokens[::2][rest], sums / weights[:, None]])
        sizes = np.concatenate([sizes[::2][rest], weights])
    return tokens


@pytest.mark.parametrize("count", [196, 784, 3136])
def test_pictures_and_clips_are_merged_as_the_paper_says(count):
    tokens = torch.randn(2, count, 32, generator=torch.Generator().manual_seed(count)).double()
    expected = [merged_in_plain_words(clip, 64, heads=4) for clip in tokens.numpy()]
    merged = merge_tokens(tokens, 64, heads=4)
    torch.testing.assert_close(merged, torch.from_numpy(np.stack(expected)), atol=1e-9, rtol=0)
