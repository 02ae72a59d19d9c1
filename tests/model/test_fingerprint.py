"""The name of an encoder in memory: another one as soon as any weight is another."""

import torch

from model.zoo.fingerprint import fingerprint


def test_every_value_of_every_weight_counts():
    weights = {"deep.weight": torch.randn(3, 4), "first.bias": torch.randn(2).half()}
    names = {fingerprint(weights)}
    for name, value in weights.items():
        for place in range(value.numel()):
            other = value.clone()
            other.view(-1)[place] += 0.5
            names.add(fingerprint({**weights, name: other}))
    names.add(fingerprint({"deep.weights": weights["deep.weight"], **weights}))
    assert len(names) == 1 + 12 + 2 + 1


def test_it_is_the_same_in_whatever_order_weights_were_read():
    one, other = torch.randn(2), torch.randn(3)
    assert fingerprint({"a": one, "b": other}) == fingerprint({"b": other, "a": one})
