import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from model.config import VisionConfig
from model.types import Clip
from model.vision.preprocess import normalise, resize, squares


def picture(height: int, width: int) -> np.ndarray:
    """A smooth picture with hard stripes, so that ringing and aliasing would show."""
    random = np.random.default_rng(height)
    coarse = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    pixels = np.array(Image.fromarray(coarse).resize((width, height)))
    pixels[::7] = random.integers(0, 256, pixels[::7].shape)
    return pixels


@pytest.mark.parametrize("shape", [(480, 640), (100, 60), (224, 300), (720, 1280)])
def test_resizing_is_pillows_to_within_rounding(shape):
    pixels = picture(*shape)
    ours = resize(torch.from_numpy(pixels)[None], 224)[0].movedim(0, -1).numpy().astype(int)
    theirs = np.array(Image.fromarray(pixels).resize((224, 224), Image.Resampling.BICUBIC))
    difference = np.abs(ours - theirs)
    assert difference.max() <= 2
    assert (difference > 0).mean() < 0.01


def test_a_picture_of_the_right_size_is_left_alone():
    pixels = torch.from_numpy(picture(96, 96))[None]
    assert torch.equal(resize(pixels, 96), pixels.movedim(-1, 1))


def test_frames_are_resized_one_like_the_other():
    pixels = torch.from_numpy(np.stack([picture(90, 120), picture(90, 120)[::-1]]))
    together = resize(pixels, 64)
    assert torch.equal(together[1], resize(pixels[1:], 64)[0])


def test_normalised_pixels_have_the_mean_taken_off_per_channel():
    config = VisionConfig(mean=(0.5, 0.0, 1.0), std=(0.25, 1.0, 0.5))
    frames = torch.tensor([0, 255, 51], dtype=torch.uint8).view(1, 3, 1, 1)
    assert_close(normalise(frames, config).flatten(), torch.tensor([-2.0, 1.0, -1.6]))


def test_low_precision_is_rounded_once_at_the_end():
    frames = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    config = VisionConfig()
    exact = normalise(frames, config)
    assert torch.equal(normalise(frames, config, torch.bfloat16), exact.bfloat16())


def test_prepared_frames_are_what_the_encoder_takes():
    clip = Clip(torch.from_numpy(picture(90, 120))[None], 0.0, 0.0)
    frames = squares([clip], 64, torch.device("cpu"))[0]
    prepared = normalise(frames, VisionConfig(image_size=64))
    assert prepared.shape == (1, 3, 64, 64)
    assert prepared.dtype == torch.float32


@pytest.mark.wrong_types
@pytest.mark.parametrize(
    "pixels",
    [
        torch.zeros(4, 8, 8, 3),
        torch.zeros(8, 8, 3, dtype=torch.uint8),
        torch.zeros(4, 3, 8, 8, dtype=torch.uint8),
    ],
)
def test_what_is_no_rgb_picture_is_refused(pixels):
    with pytest.raises(ValueError, match="expected uint8 frames of height x width x 3"):
        resize(pixels, 8)


def test_an_empty_picture_is_refused():
    with pytest.raises(ValueError, match="nothing to see"):
        resize(torch.zeros(4, 0, 8, 3, dtype=torch.uint8), 8)
