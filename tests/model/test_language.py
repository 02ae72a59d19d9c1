"""Our decoder, against transformers' of the same weights."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from model.config import LanguageConfig, RopeScaling
from model.language.decoder import Decoder
from model.language.kv_cache import KeyValues
from model.language.rotary import positions_of

SHAPE = {"hidden": 32, "layers": 3, "heads": 4, "kv_heads": 2, "head_dim": 8, "intermediate": 48}
THEIRS = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "vocab_size": 100,
    "max_position_embeddings": 256,
}
PLAIN = {"rope_type": "default", "rope_theta": 10_000.0}
YARN = {**PLAIN, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}


@pytest.fixture(params=["qwen2", "llama", "yarn"])
def pair(request):
    torch.manual_seed(0)
    rope = YARN if request.param == "yarn" else PLAIN
    if request.param == "llama":
        config = LlamaConfig(**THEIRS, rope_parameters=rope, rms_norm_eps=1e-5)
        theirs = LlamaForCausalLM(config)
    else:
        config = Qwen2Config(**THEIRS, rope_parameters=rope, rms_norm_eps=1e-5)
        theirs = Qwen2ForCausalLM(config)
    scaling = RopeScaling(4.0, 64) if request.param == "yarn" else None
    ours = Decoder(
        LanguageConfig(
            **SHAPE, vocab=100, rope_theta=10_000.0, rms_eps=1e-5,
            qkv_bias=request.param != "llama", rope_scaling=scaling,
        )
    )  # fmt: skip
    ours.load_state_dict(theirs.state_dict())
    return ours.eval(), theirs.eval()


@torch.no_grad()
def test_logits_equal_those_of_transformers(pair):
    ours, theirs = pair
    ids = torch.randint(0, 100, (2, 90))
    positions = torch.arange(90.0).expand(2, -1)
    logits = ours.logits(ours(ours.embed(ids), positions))
    torch.testing.assert_close(logits, theirs(ids).logits, atol=1e-5, rtol=0)


@torch.no_grad()
def test_in_chunks_with_caches_it_is_the_same(pair):
    ours, theirs = pair
    ids = torch.randint(0, 100, (1, 50))
    hidden, caches, out = ours.embed(ids)[0], [KeyValues() for _ in range(3)], []
    for first, stop in ((0, 7), (7, 8), (8, 30), (30, 50)):
        rotary = ours.rotary(torch.arange(float(first), float(stop)))
        out.append(ours.run(hidden[first:stop], rotary, range(3), [(stop - first, caches)]))
    logits = ours.logits(torch.cat(out))
    torch.testing.assert_close(logits, theirs(ids).logits[0], atol=1e-5, rtol=0)


def test_positions_are_sums_of_steps_exact_far_out():
    steps = torch.full((2_000_000,), 0.125)
    steps[::7] = 1.0
    positions = positions_of(steps)
    assert positions[0] == 0
    assert positions[-1] == steps[:-1].double().sum()


@pytest.mark.parametrize("before", [0, 5])
@torch.no_grad()
def test_running_to_the_last_token_gives_it_and_the_caches_of_running_all(pair, before):
    ours, _ = pair
    hidden = ours.embed(torch.randint(0, 100, (before + 12,)))
    rotary = ours.rotary(torch.arange(before + 12.0))
    first = ours.rotary(torch.arange(float(before)))
    later = ours.rotary(torch.arange(float(before), before + 12.0))
    whole, halves = ([KeyValues() for _ in range(3)] for _ in "ab")
    expected = ours.run(hidden, rotary, range(3), [(before + 12, whole)])
    if before:
        ours.run(hidden[:before], first, range(3), [(before, halves)])
    last = ours.run_to_last(hidden[before:], later, range(3), halves)
    torch.testing.assert_close(last, expected[-1:])
    for one, other in zip(whole, halves, strict=True):
        pairs = (list(cache.pairs([(0, before + 12)])) for cache in (one, other))
        for (keys, values), (other_keys, other_values) in zip(*pairs, strict=True):
            torch.testing.assert_close(other_keys, keys)
            torch.testing.assert_close(other_values, values)
