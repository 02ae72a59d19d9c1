"""Gradients worked out side by side are those of one process."""

import json
import subprocess
import sys

import pytest

# In a process of its own: workers are forked, and this one has threads of other tests.
PROGRAM = """
import json, sys
import torch
from torch import nn
from training.workers import Workers

weight = nn.Parameter(torch.tensor([1.0, 2.0]))

def gradients(step, number):
    loss = (weight * (step + number)).square().sum()
    return loss.item(), torch.autograd.grad(loss, [weight])

with Workers(int(sys.argv[1]), [weight], gradients) as workers:
    loss = workers.add_gradients(3, 5)
    first = weight.grad.tolist()
    with torch.no_grad():
        weight.mul_(2)
    weight.grad = None
    workers.add_gradients(3, 5)
print(json.dumps([loss, first, weight.grad.tolist()]))
"""


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_sum_is_that_of_one_after_the_other(count):
    command = [sys.executable, "-c", PROGRAM, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    loss, first, doubled = json.loads(done.stdout)
    squares = sum((3 + number) ** 2 for number in range(5))
    assert loss == pytest.approx(5 * squares)
    assert first == pytest.approx([2 * squares, 4 * squares])
    assert doubled == pytest.approx([4 * squares, 8 * squares]), "a step is seen by all"
