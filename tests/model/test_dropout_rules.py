"""Our single pass against the second one, over stages of every kind at any layer."""

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from model.language.dropout import Tokens
from model.reading import PromptReader
from tests.model import small_networks as small
from tests.model.plain_pass import PlainPass

KINDS = ["uniform", "clipwise", "leading", "attention"]


@st.composite
def stages(draw):
    layers = sorted(draw(st.sets(st.integers(1, small.LAYERS - 1), min_size=1, max_size=4)))
    ratios = draw(st.lists(st.sampled_from(small.RATIOS), min_size=4, max_size=4))
    found = []
    for layer, ratio in zip(layers, sorted(ratios, reverse=True), strict=False):
        kind = draw(st.sampled_from(KINDS))
        budget = draw(st.none() | st.integers(1, 20)) if kind == "attention" else None
        found.append((layer, ratio, kind, budget))
    return found


@settings(deadline=None, max_examples=60)
@given(
    stages=stages(),
    clips=st.integers(1, 5),
    marker=st.integers(0, 2),
    step=st.sampled_from([1.0, 0.125]),
    seed=st.integers(0, 10_000),
)
def test_one_pass_follows_the_rules_of_the_reference(stages, clips, marker, step, seed):
    generator = torch.Generator().manual_seed(seed)
    decoder, dropout = small.decoder(seed), small.dropout(stages)
    prefix, suffix = small.text(generator, 3), small.text(generator, 4)
    seen = [small.clip(generator, marker, number=n) for n in range(clips)]
    reader = PromptReader(decoder, dropout, small.TOKENS_PER_CLIP, step)
    ours = reader.read(Tokens.join([Tokens.of_text(prefix), *seen, Tokens.of_text(suffix)]))
    plain = PlainPass(decoder, dropout, small.TOKENS_PER_CLIP, step)
    theirs = plain.read(prefix, seen, suffix, words := [3, 1, 4])
    assume(not theirs.undecided)
    assert [kept.tolist() for kept in ours.kept] == theirs.kept
    if theirs.scores is not None:
        scores = ours.selection.scores
        torch.testing.assert_close(scores, theirs.scores, atol=1e-5, rtol=1e-3)
    for word, expected in zip([*words, None], theirs.logits, strict=True):
        torch.testing.assert_close(ours.logits, expected, atol=1e-4, rtol=1e-3)
        if word is not None:
            reader.step([ours], [word])
