"""What encoding and merging one clip costs, by formula; see `benchmarks/cost/meter.py` for how it is counted."""

from benchmarks.cost.meter import Cost
from model.config import VisionConfig
from model.vision.networks.lite_network import COARSE, FINE, FRAMES, GRID, SIZE, trunk_blocks

_HEAD = 1280
"""Channels of the image network's last convolution."""
_TRACK_KEY, _TRACK_HIDDEN = 64, 128
"""Features by which `lite` looks for a token's likenesses, and of what it makes of them."""


def encode_umt(vision: VisionConfig) -> Cost:
    """Encoding one clip with the released models' encoder, and merging its tokens."""
    patches = vision.patches * 3 * vision.patch_size**2 * vision.width
    block = _block(vision.patches, vision.width, int(vision.width * vision.mlp_ratio))
    return Cost(patches + vision.blocks * block + _merge(vision))


def encode_lite(vision: VisionConfig, blocks: int = 2) -> Cost:
    """Encoding one clip with `lite`'s encoder of that many joint blocks, and merging its tokens."""
    cells = FRAMES * GRID**2
    what = cells * (COARSE * _HEAD + _HEAD * vision.width)
    where = cells * 4 * FINE * vision.width
    joint = blocks * _block(cells, vision.width, 4 * vision.width)
    seen = FRAMES * _trunk() + what + where
    return Cost(seen + _tracks(cells, vision.width) + joint + _merge(vision))


def _block(tokens: int, width: int, hidden: int) -> int:
    """A transformer block in which every token sees every other."""
    return tokens * width * (4 * width + 2 * hidden) + 2 * tokens**2 * width


def _tracks(cells: int, width: int) -> int:
    """Where each token's likenesses are in every frame: match, mean place, two layers."""
    match = cells * width * _TRACK_KEY + cells**2 * _TRACK_KEY
    facts = 3 * FRAMES
    return match + 2 * cells**2 + cells * _TRACK_HIDDEN * (facts + width)


def _trunk() -> int:
    """EfficientNet-Lite2 up to its last stage, on one frame."""
    side = SIZE // 2
    total = side**2 * 32 * 3 * 9
    for block in trunk_blocks():
        wide = block.inputs * block.expansion
        if block.expansion > 1:
            total += side**2 * block.inputs * wide
        side //= block.stride
        total += side**2 * wide * (block.kernel**2 + block.outputs)
    return total


def _merge(vision: VisionConfig) -> int:
    """Every round compares each even token with each odd one, by the mean over heads."""
    total, tokens = 0, vision.patches
    while tokens > vision.tokens_per_clip:
        odd = tokens // 2
        total += odd * (tokens - odd) * (vision.width // vision.heads)
        tokens -= min(tokens - vision.tokens_per_clip, odd)
    return total
