import math

import pytest
import torch
from torch.testing import assert_close

from model.config import VisionConfig
from model.language.projector import Projector
from model.vision.merge import merge_tokens
from model.vision.networks.umt import UmtVision, positions
from model.vision.preprocess import normalise
from tests.model.golden_network import NAMES, load

TINY = VisionConfig(image_size=32, width=16, heads=2, depth=2, tokens_per_clip=4)


def golden_vision(settings):
    return VisionConfig(
        image_size=settings["image_size"],
        patch_size=settings["patch_size"],
        frames_per_clip=settings["frames_per_clip"],
        width=settings["vision_dim"],
        heads=settings["vision_heads"],
        depth=settings["vision_depth_total"],
        select_layer=settings["vision_select_layer"],
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    )


def part(golden, prefix):
    """Return the weights whose names begin with `prefix`, without it."""
    return {k.removeprefix(prefix): v for k, v in golden.weights.items() if k.startswith(prefix)}


@pytest.fixture(scope="module", params=NAMES)
def golden(request):
    return load(request.param)


@pytest.fixture(scope="module")
def encoder(golden):
    vision = UmtVision(golden_vision(golden.settings))
    vision.load_state_dict(part(golden, "vision_tower.vision_tower.encoder."), strict=True)
    return vision.eval()


@pytest.fixture(scope="module")
def frames(golden):
    return normalise(golden.tensors["pixels_u8"], golden_vision(golden.settings))


@torch.inference_mode()
def test_features_are_the_references(golden, encoder, frames):
    assert_close(encoder(frames), golden.tensors["vit_features"], atol=1e-4, rtol=0)


@torch.inference_mode()
def test_pixels_become_the_references_clip_tokens(golden, encoder, frames):
    projector = Projector(encoder.config.width, golden.settings["hidden"])
    projector.load_state_dict(part(golden, "mm_projector."), strict=True)
    merged = merge_tokens(encoder(frames), 64, encoder.config.heads)
    assert_close(merged, golden.tensors["merged"], atol=1e-4, rtol=0)
    assert_close(projector(merged), golden.tensors["clip_tokens"], atol=1e-4, rtol=0)


@torch.inference_mode()
def test_clips_encoded_together_equal_clips_encoded_alone(encoder, frames):
    alone = torch.cat([encoder(clip[None]) for clip in frames])
    assert_close(encoder(frames), alone, atol=1e-5, rtol=0)


def test_the_first_frames_positions_are_a_pictures_positions():
    for size in (224, 448):
        config = VisionConfig(image_size=size)
        cpu = torch.device("cpu")
        clip = positions(config, 4, cpu, torch.float32)
        picture = positions(config, 1, cpu, torch.float32)
        assert clip.shape == (config.patches, 1024)
        assert_close(picture, clip[: config.grid**2])


def test_positions_interleave_sine_and_cosine_of_the_patch_number():
    table = positions(VisionConfig(), 4, torch.device("cpu"), torch.float32)
    for patch, feature in [(0, 0), (0, 1), (5, 0), (5, 3), (783, 1022), (783, 1023)]:
        angle = patch / 10_000 ** (2 * (feature // 2) / 1024)
        expected = math.cos(angle) if feature % 2 else math.sin(angle)
        assert table[patch, feature].item() == pytest.approx(expected, abs=1e-6)


@torch.inference_mode()
def test_a_single_picture_is_encoded_alone(encoder, frames):
    features = encoder(frames[:, :1])
    grid = encoder.config.grid
    assert features.shape == (len(frames), grid**2, encoder.config.width)
    assert not torch.allclose(features, encoder(frames)[:, : grid**2], atol=1e-3)


def test_positions_made_without_gradients_serve_training():
    positions.cache_clear()
    encoder = UmtVision(TINY)
    frames = torch.rand(1, 4, 3, 32, 32)
    with torch.inference_mode():
        encoder(frames)
    encoder(frames).sum().backward()
    assert encoder.patch_embed.proj.weight.grad is not None


def test_only_blocks_that_run_are_built():
    assert len(UmtVision(TINY).blocks) == TINY.depth - 1
    with torch.device("meta"):
        assert len(UmtVision(VisionConfig()).blocks) == 23


@pytest.mark.parametrize("frames", [0, 2, 3, 5])
def test_a_clip_of_another_length_is_refused(frames):
    with pytest.raises(ValueError, match=f"got {frames}"):
        UmtVision(TINY)(torch.zeros(1, frames, 3, 32, 32))


def test_frames_of_another_size_are_refused():
    with pytest.raises(ValueError, match="takes 32x32 pixels, got 32x48"):
        UmtVision(TINY)(torch.zeros(1, 4, 3, 32, 48))
