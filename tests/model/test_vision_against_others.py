"""The video encoder against a network that others wrote, for clips and for single pictures.

transformers' VideoMAE is the same plain transformer over a table of sines: with frames one deep,
it differs from ours in the last norm and in how its table is made for larger pictures.
"""

from itertools import product

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from transformers import VideoMAEConfig, VideoMAEModel

from model.config import VisionConfig
from model.vision.networks.umt import UmtVision, positions

WIDTH, HEADS, DEPTH, PATCH = 24, 3, 3, 4
SMALL = VisionConfig(image_size=14 * PATCH, patch_size=PATCH, width=WIDTH, heads=HEADS, depth=DEPTH)
LARGE = VisionConfig(image_size=28 * PATCH, patch_size=PATCH, width=WIDTH, heads=HEADS, depth=DEPTH)


def encoder(config):
    torch.manual_seed(0)
    ours = UmtVision(config).eval().requires_grad_(False)
    for weights in ours.parameters():
        weights.copy_(torch.randn(weights.shape) * 0.3 + (weights.ndim == 1))
    return ours


def theirs(ours, frames, table=None):
    """Return what VideoMAE makes of `frames` with the weights of `ours`."""
    config = VideoMAEConfig(
        image_size=ours.config.image_size,
        patch_size=PATCH,
        num_frames=frames.shape[1],
        tubelet_size=1,
        hidden_size=WIDTH,
        num_attention_heads=HEADS,
        num_hidden_layers=DEPTH - 1,
        intermediate_size=4 * WIDTH,
        layer_norm_eps=1e-6,
    )
    network = VideoMAEModel(config).eval().requires_grad_(False)
    network.embeddings.patch_embeddings.projection.load_state_dict(
        ours.patch_embed.proj.state_dict()
    )
    for block, layer in zip(ours.blocks, network.encoder.layer, strict=True):
        attention = layer.attention.attention
        parts = block.attn.qkv.weight.chunk(3)
        for part, weight in zip(
            (attention.query, attention.key, attention.value), parts, strict=True
        ):
            part.weight.copy_(weight)
        attention.query.bias.copy_(block.attn.q_bias)
        attention.value.bias.copy_(block.attn.v_bias)
        layer.attention.output.dense.load_state_dict(block.attn.proj.state_dict())
        layer.layernorm_before.load_state_dict(block.norm1.state_dict())
        layer.layernorm_after.load_state_dict(block.norm2.state_dict())
        layer.intermediate.dense.load_state_dict(block.mlp.fc1.state_dict())
        layer.output.dense.load_state_dict(block.mlp.fc2.state_dict())
    if table is not None:
        network.embeddings.position_embeddings = table[None]
    norm = ours.vision_layernorm
    out = network(frames).last_hidden_state
    return torch.nn.functional.layer_norm(out, (WIDTH,), norm.weight, norm.bias, eps=1e-12)


def sines(count, width):
    """The table of sines, number by number."""
    table = np.empty((count, width))
    for place, feature in product(range(count), range(width)):
        angle = place / 10_000 ** (2 * (feature // 2) / width)
        table[place, feature] = np.cos(angle) if feature % 2 else np.sin(angle)
    return table


def cubic(count, wanted):
    """Bicubic weights (a = -0.75, borders repeated) of `count` samples for each of `wanted`."""
    weights = np.zeros((wanted, count))
    for row in range(wanted):
        place = (row + 0.5) * count / wanted - 0.5
        for sample in range(int(np.floor(place)) - 1, int(np.floor(place)) + 3):
            x, a = abs(place - sample), -0.75
            near = (a + 2) * x**3 - (a + 3) * x**2 + 1
            far = a * (x**3 - 5 * x**2 + 8 * x - 4)
            weights[row, min(max(sample, 0), count - 1)] += near if x <= 1 else far
    return weights


def stretched(frames, width):
    """The positions of frames of 28 by 28 patches, from those of 14 by 14."""
    squares = sines(frames * 14 * 14, width).reshape(frames, 14, 14, width)
    weights = cubic(14, 28)
    table = np.einsum("ai,bj,fijw->fabw", weights, weights, squares)
    return torch.from_numpy(table.reshape(-1, width)).float()


@pytest.mark.parametrize("frames", [1, 4])
@torch.inference_mode()
def test_features_are_those_of_another_implementation(frames):
    ours, pictures = encoder(SMALL), torch.randn(2, frames, 3, 14 * PATCH, 14 * PATCH)
    assert_close(ours(pictures), theirs(ours, pictures), atol=1e-4, rtol=0)


@pytest.mark.parametrize("frames", [1, 4])
def test_positions_of_larger_pictures_are_stretched_bicubically(frames):
    table = positions(LARGE, frames, torch.device("cpu"), torch.float32)
    assert_close(table, stretched(frames, WIDTH), atol=1e-5, rtol=0)


@pytest.mark.parametrize("frames", [1, 4])
@torch.inference_mode()
def test_features_of_larger_pictures_are_those_of_another_implementation(frames):
    ours, pictures = encoder(LARGE), torch.randn(1, frames, 3, 28 * PATCH, 28 * PATCH)
    expected = theirs(ours, pictures, stretched(frames, WIDTH))
    assert_close(ours(pictures), expected, atol=1e-4, rtol=0)


@torch.inference_mode()
def test_a_picture_of_448_pixels_becomes_the_tokens_it_should():
    config = VisionConfig(image_size=448, width=16, heads=2, depth=2)
    assert config.patches == 4 * 28 * 28
    features = UmtVision(config)(torch.randn(1, 1, 3, 448, 448))
    assert features.shape == (1, 28 * 28, 16)
