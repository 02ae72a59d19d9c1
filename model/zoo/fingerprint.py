"""A short name for weights, so that what one encoder made is never read by another."""

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor


def fingerprint(weights: Mapping[str, Tensor]) -> str:
    """Return eight hexadecimal digits that change when a name or a value of `weights` does."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].detach().to("cpu", torch.float32).numpy().tobytes())
    return digest.hexdigest()[:8]
