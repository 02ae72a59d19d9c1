"""The detector is the published one."""

from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from model.vision.networks.detections import KINDS
from model.vision.networks.detector import WEIGHTS, fit, load_detector
from training.detector.convert_detector import made_up_picture

GOLDEN = Path(__file__).parents[1] / "golden" / "detector.safetensors"


@pytest.fixture(scope="module")
def detector():
    return load_detector()


@pytest.fixture(scope="module")
def golden():
    with safe_open(GOLDEN, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


@pytest.fixture(scope="module")
def said(detector):
    """What our network says of the made-up picture, at the places that were kept of the graph."""
    with torch.inference_mode():
        return [maps[0, :, 3::16, 3::16] for maps in detector(made_up_picture())]


def test_the_weights_are_those_that_were_held_against_the_graph(golden):
    assert sha256(WEIGHTS.read_bytes()).hexdigest() == golden[1]["weights"]


def test_it_says_what_the_published_graph_says_up_to_the_graphs_rounded_sixths(golden, said):
    torch.testing.assert_close(said[0], golden[0]["published.heat"], atol=1e-3, rtol=0.02)
    torch.testing.assert_close(said[1], golden[0]["published.sizes"], atol=1.0, rtol=0.01)


def test_it_says_what_the_graph_says_with_true_sixths(golden, said):
    torch.testing.assert_close(said[0], golden[0]["exact.heat"], atol=1e-6, rtol=1e-3)
    torch.testing.assert_close(said[1], golden[0]["exact.sizes"], atol=1e-2, rtol=0)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 160)])
def test_a_picture_of_any_size_in_steps_of_32_has_maps_a_quarter_of_it(detector, height, width):
    heat, sizes = detector(torch.zeros(2, 3, height, width, dtype=torch.uint8))
    assert heat.shape == (2, len(KINDS), height // 4, width // 4)
    assert sizes.shape == (2, 4, height // 4, width // 4)


@pytest.mark.parametrize(("height", "width"), [(64, 72), (50, 64)])
def test_a_picture_of_another_size_is_refused(detector, height, width):
    with pytest.raises(ValueError, match=rf"multiples of 32, not \({height}, {width}\)"):
        detector(torch.zeros(1, 3, height, width))


def test_pictures_do_not_mix_and_half_precision_is_near(detector):
    frames = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8)
    heat, _ = detector(frames)
    torch.testing.assert_close(detector(frames[1:])[0], heat[1:], atol=1e-5, rtol=1e-3)
    half = load_detector(dtype=torch.bfloat16)(frames)
    assert half[0].dtype == torch.bfloat16
    torch.testing.assert_close(half[0].float(), heat, atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("height", "width", "fitted"),
    [
        (720, 1280, (288, 512)),
        (1920, 1080, (512, 288)),
        (480, 640, (384, 512)),
        (30, 40, (384, 512)),
        (10, 4000, (32, 512)),
    ],
)
def test_a_picture_is_fitted_without_pulling_it_out_of_shape(height, width, fitted):
    pixels = torch.zeros(1, height, width, 3, dtype=torch.uint8)
    pixels[:, :, width // 2 :, 1] = 200
    frames = fit(pixels)
    assert (frames.shape, frames.dtype) == ((1, 3, *fitted), torch.uint8)
    assert frames[0, :, 0, 0].tolist() == [0, 0, 0]
    assert frames[0, :, -1, -1].tolist() == [0, 200, 0]


def test_a_picture_is_fitted_smaller_on_request():
    assert fit(torch.zeros(2, 720, 1280, 3, dtype=torch.uint8), 320).shape == (2, 3, 192, 320)
