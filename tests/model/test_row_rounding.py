"""Products in coarse numbers on a processor are of few sizes, and nothing else comes of it."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from model.config import LanguageConfig
from model.language.attention import attend
from model.language.decoder import Decoder
from model.language.kv_cache import KeyValues
from model.language.row_rounding import rounded

CONFIG = LanguageConfig(
    vocab=32, hidden=64, intermediate=96, layers=2, heads=2, kv_heads=1, head_dim=32
)


FACTORS = {torch.ops.aten.linear: 0, torch.ops.aten.mm: 0, torch.ops.aten.addmm_: 1}
"""Which argument is the first factor."""


class Sizes(TorchDispatchMode):
    """Notes the sizes of all products."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        first = FACTORS.get(operation.overloadpacket)
        if first is not None:
            self.seen.add(tuple(tuple(each.shape) for each in args[first : first + 2]))
        return operation(*args, **(kwargs or {}))


def decoder(dtype):
    torch.manual_seed(3)
    return Decoder(CONFIG).to(dtype).eval()


def read(network, counts):
    """Let two layers read so many tokens at a time, each after the ones before."""
    caches, at, parts = [KeyValues() for _ in range(CONFIG.layers)], 0, []
    hidden = torch.randn(sum(counts), CONFIG.hidden, generator=torch.Generator().manual_seed(4))
    for count in counts:
        part = hidden[at : at + count].to(network.lm_head.weight.dtype)
        rotary = network.rotary(torch.arange(at, at + count).float())
        parts.append(network.run(part, rotary, range(CONFIG.layers), [(count, caches)]))
        at += count
    return torch.cat(parts), caches


@torch.inference_mode()
def test_clips_of_any_number_of_tokens_make_products_of_few_sizes():
    network = decoder(torch.bfloat16)
    with Sizes() as one:
        read(network, [96])
    with Sizes() as many:
        for count in range(65, 97, 8):
            read(network, [count])
    assert many.seen == one.seen
    assert one.seen


@torch.inference_mode()
def test_a_long_past_is_read_in_products_of_few_sizes():
    def rows(count, heads):
        return torch.zeros(heads, count, 32).bfloat16()

    with Sizes() as sizes:
        for asking in range(33, 65, 4):
            for length in range(1025, 1153, 16):
                attend(rows(asking, 2), [(rows(length, 1),) * 2], rows(asking, 1), rows(asking, 1))
    assert sizes.seen == {((128, 32), (32, 1152)), ((128, 1152), (1152, 32))}


@torch.inference_mode()
def test_what_is_rounded_up_changes_no_row():
    network, counts = decoder(torch.bfloat16), [65, 40, 1, 33]
    out, caches = read(network, counts)
    whole, _ = read(decoder(torch.float32), [sum(counts)])
    assert out.shape == whole.shape
    assert caches[0].length == sum(counts)
    torch.testing.assert_close(out.float(), whole, atol=0.05, rtol=0.05)


@pytest.mark.parametrize(
    ("rows", "dtype", "rounds_to"),
    [(1, torch.bfloat16, 1), (31, torch.bfloat16, 31), (33, torch.bfloat16, 64), (64, torch.bfloat16, 64), (33, torch.float32, 33)],
)  # fmt: skip
def test_single_words_and_fine_numbers_are_left_as_they_are(rows, dtype, rounds_to):
    assert len(rounded(torch.ones(rows, 8, dtype=dtype))) == rounds_to
