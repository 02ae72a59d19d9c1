"""Random small language models and clips, for the properties of reading them."""

from itertools import pairwise

import torch
from hypothesis import strategies as st

from model.config import DropoutConfig, DropStage, LanguageConfig
from model.language.decoder import Decoder
from model.language.dropout import Tokens

LAYERS, HIDDEN, TOKENS_PER_CLIP = 6, 16, 8
RATIOS = [0.25, 0.4, 0.5, 0.63, 0.75, 1.0]
"""Several of them leave places that do not lie within those of the next larger one."""


def decoder(seed=0, **changes):
    shape = {
        "hidden": HIDDEN,
        "layers": LAYERS,
        "heads": 4,
        "kv_heads": 2,
        "head_dim": 4,
        "intermediate": 24,
        "vocab": 31,
    }
    torch.manual_seed(seed)
    network = Decoder(LanguageConfig(**(shape | changes))).eval()
    with torch.no_grad():
        for weights in network.parameters():
            # Wider than the default: attention that is far from uniform makes wrong code visible.
            weights.copy_(torch.randn(weights.shape) * 0.4 + (weights.ndim == 1))
    return network.requires_grad_(False)


def text(generator, count):
    return torch.randn(count, HIDDEN, generator=generator)


def clip(generator, marker=0, tokens=TOKENS_PER_CLIP, number=0):
    return Tokens.of_clip(number, text(generator, marker), text(generator, tokens))


def spans(count, first=0):
    return [(4.0 * n, 4.0 * n + 3.0) for n in range(first, first + count)]


def growing(history):
    """Return everything in a history that grows with every clip."""
    caches = [blocks for kept in history._caches for blocks in (kept._keys, kept._values)]
    waiting = [history._keys, history._hidden, history._labels]
    return caches + [blocks for blocks in waiting if blocks.length]


INSIDE_CLIPS = st.sampled_from(["clipwise", "leading"])


@st.composite
def dropouts(draw, layers=LAYERS):
    """Any number of clip-wise stages, then any number of text-guided ones, at any layers."""
    asking, arriving = draw(st.sampled_from([1, 2, 0])), draw(st.integers(0, 2))
    asking = min(asking, layers - 1)
    arriving = min(arriving, layers - 1 - asking)
    places = draw(st.permutations(range(1, layers)))[: arriving + asking]
    ratios = sorted(draw(st.lists(st.sampled_from(RATIOS), min_size=4, max_size=4)), reverse=True)
    budget = draw(st.none() | st.integers(1, 12)) if asking else None
    stages = []
    for number, layer in enumerate(sorted(places)):
        kind = draw(INSIDE_CLIPS) if number < arriving else "attention"
        last = number == arriving + asking - 1
        stages.append((layer, ratios[number], kind, budget if last else None))
    return stages


def dropout(stages):
    return DropoutConfig(tuple(DropStage(*stage) for stage in stages))


@st.composite
def chunkings(draw, count):
    """`count` split into consecutive chunks of any sizes."""
    cuts = sorted(draw(st.sets(st.integers(1, max(count - 1, 1)), max_size=count)))
    borders = [0, *[cut for cut in cuts if cut < count], count]
    return list(pairwise(borders))
