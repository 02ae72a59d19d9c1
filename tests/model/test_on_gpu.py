"""The same on a graphics card; left out where there is none."""

import pytest
import torch

from model.config import DropoutConfig, DropStage
from model.dropout import Tokens
from model.history import History
from model.reading import Reader
from tests.model import small_networks as small

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
KEEP_ALL = DropoutConfig((DropStage(2, 1.0, "clipwise"), DropStage(4, 1.0, "attention")))


@pytest.mark.parametrize(
    ("dtype", "near"), [(torch.float32, 1e-3), (torch.bfloat16, 0.2), (torch.float16, 0.05)]
)
def test_the_history_equals_one_pass_on_the_processor(dtype, near):
    generator = torch.Generator().manual_seed(0)
    prefix, suffix = small.text(generator, 3), small.text(generator, 5)
    clips = [small.clip(generator) for _ in range(40)]
    shape = {"head_dim": 64, "hidden": small.HIDDEN}  # the fused kernels want wide heads
    slow = small.decoder(**shape)
    parts = [
        Tokens.of_text(prefix),
        *(Tokens(c.hidden, torch.full_like(c.clip, n), c.place) for n, c in enumerate(clips)),
        Tokens.of_text(suffix),
    ]
    exact = Reader(slow, KEEP_ALL, small.TOKENS_PER_CLIP).read(Tokens.join(parts)).logits
    fast = small.decoder(**shape).to("cuda", dtype)
    history = History(Reader(fast, KEEP_ALL, small.TOKENS_PER_CLIP), prefix.to("cuda", dtype))
    for number, clip in enumerate(clips):
        here = Tokens(clip.hidden.to("cuda", dtype), clip.clip.to("cuda"), clip.place.to("cuda"))
        history.extend(small.spans(1, number), [here])
    ours = history.ask(suffix.to("cuda", dtype)).logits.cpu()
    assert (ours - exact).norm() < near * exact.norm()
