"""Which device a network runs on, and in which numbers.

A graphics card takes bfloat16 where its hardware knows it (from the Ampere generation on); float16
would overflow in Qwen2. Of processors only some are faster with it than with float32, others many
times slower, so a moment's measurement decides. It has to decide the same on a busy machine: a service that
is started anew is to answer as it did before.
"""

import os
import statistics
import time
from collections.abc import Callable

import torch

_ROUNDS = 9
_WORTH = 1.2
"""How many times faster bfloat16 must be: it costs precision."""
_KERNELS = 128
"""An encoder and a language model in work need fewer at a time: 64 were no slower than 1,024."""


def bound_kernels() -> None:
    """Have oneDNN keep few of the kernels that it makes, one for every shape; before its first product.

    By itself it keeps 1,024, most of them for a length of a question or a history that does not come again:
    after an hour some 400 MB. What whoever runs us has set in the environment holds.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(_KERNELS))


def pick_device() -> torch.device:
    """Return the first CUDA device, or else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def seconds(dtype: torch.dtype) -> float:
    """Return how long a product takes, once, of the shape that a clip makes in a layer of `lite`."""
    rows, weights = torch.ones(64, 576, dtype=dtype), torch.ones(576, 1536, dtype=dtype)
    threads = torch.get_num_threads()
    # On a busy machine several would wait for one another, for much longer than the product takes.
    torch.set_num_threads(1)
    try:
        rows @ weights  # the first one sets the kernel up
        begun = time.perf_counter()
        rows @ weights
        return time.perf_counter() - begun
    finally:
        torch.set_num_threads(threads)


def pick_dtype(
    device: torch.device, measure: Callable[[torch.dtype], float] = seconds
) -> torch.dtype:
    """Return the numbers in which a language model runs faster on `device`.

    Args:
        device: Where it is to run.
        measure: Says how long some work takes in such numbers on the processor, in seconds.
    """
    if device.type == "cuda":
        known = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if known else torch.float32
    # In pairs: what else the machine does holds either up, as often as the other.
    gains = [measure(torch.float32) / measure(torch.bfloat16) for _ in range(_ROUNDS)]
    return torch.bfloat16 if statistics.median(gains) >= _WORTH else torch.float32
