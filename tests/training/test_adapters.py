"""Adapters add nothing at first, and the same when merged as when trained."""

import torch

from model.language.decoder import Decoder
from model.zoo.lite_base import apply_adapters
from model.zoo.tiny import CONFIG
from training.adapters import adapt, adapters


def outputs(decoder):
    hidden = torch.randn(1, 7, CONFIG.language.hidden, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return decoder(hidden, torch.arange(7.0)[None])


def fresh():
    torch.manual_seed(3)
    return Decoder(CONFIG.language)


def test_new_adapters_change_nothing_and_alone_are_trained():
    plain, adapted = fresh(), fresh()
    adapt(adapted, rank=2)
    torch.testing.assert_close(outputs(adapted), outputs(plain))
    trained = {name for name, p in adapted.named_parameters() if p.requires_grad}
    assert trained
    assert all(name.endswith((".down", ".up")) for name in trained)


def test_merged_adapters_compute_what_trained_ones_did():
    adapted = fresh()
    adapt(adapted, rank=2)
    for name, matrix in adapters(adapted):
        torch.nn.init.normal_(matrix, std=0.2 if name.endswith("down") else 0.3)
    merged = fresh()
    merged.load_state_dict(apply_adapters(merged.state_dict(), dict(adapters(adapted))))
    torch.testing.assert_close(outputs(merged), outputs(adapted), atol=1e-4, rtol=1e-4)
    assert not torch.allclose(outputs(merged), outputs(fresh()), atol=1e-2)
