"""From pictures as they come to the numbers a video encoder takes.

Two steps, so that the small result of the first travels to the device and the second runs there:
resize to a square (the aspect ratio is not kept) and normalise.

Resizing is bicubic with antialiasing on whole numbers, rounded after each direction: what Pillow
does, which prepared the frames that the released models were trained on. Without antialiasing a
large camera picture would turn to noise on its way down.

Source: the preprocessing of VideoChat-Flash (https://arxiv.org/abs/2501.00574).
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from model.config import VisionConfig
from model.types import Clip


def resize(
    pixels: UInt8[Tensor, "frames height width 3"], size: int
) -> UInt8[Tensor, "frames 3 size size"]:
    """Return RGB `pixels`, in main memory, as squares of `size`, channels first.

    Raises:
        ValueError: If `pixels` are no RGB pictures of whole numbers from 0 to 255, or empty.
    """
    if pixels.dtype != torch.uint8 or pixels.ndim != 4 or pixels.shape[-1] != 3:
        raise ValueError(
            f"expected uint8 frames of height x width x 3, got {pixels.dtype} {tuple(pixels.shape)}"
        )
    if pixels.numel() == 0:
        raise ValueError(f"there is nothing to see in frames of {tuple(pixels.shape)}")
    frames = pixels.movedim(-1, 1)
    if frames.shape[-2:] == (size, size):
        return frames
    return functional.interpolate(frames, size=(size, size), mode="bicubic", antialias=True)


def squares(
    clips: Sequence[Clip], size: int, device: torch.device
) -> UInt8[Tensor, "clips frames 3 size size"]:
    """Return the frames of `clips`, which have equally many, as one batch of squares on `device`.

    Raises:
        ValueError: If a clip's pixels are no RGB pictures of whole numbers, or empty.
    """
    # They travel as they lie, colours last, and are put in order where that takes no time.
    parts = [resize(clip.pixels, size).movedim(1, -1) for clip in clips]
    if device.type != "cuda":
        return torch.stack(parts).to(device).movedim(-1, 2).contiguous()
    # From pinned memory they travel while the card still works on what came before.
    frames = torch.empty((len(parts), *parts[0].shape), dtype=torch.uint8, pin_memory=True)
    torch.stack(parts, out=frames)
    return frames.to(device, non_blocking=True).movedim(-1, 2).contiguous()


def normalise(
    frames: UInt8[Tensor, "*batch 3 size size"],
    config: VisionConfig,
    dtype: torch.dtype = torch.float32,
) -> Float[Tensor, "*batch 3 size size"]:
    """Return `frames` scaled to 0...1, less the mean, over the deviation, channel by channel."""
    # In float32 whatever `dtype`: bfloat16 cannot tell neighbouring bright levels apart.
    mean, std = _scale(config.mean, config.std, frames.device)
    return ((frames.float() / 255 - mean) / std).to(dtype)


@lru_cache(maxsize=8)
def _scale(
    mean: tuple[float, ...], std: tuple[float, ...], device: torch.device
) -> tuple[Tensor, Tensor]:
    # Kept, since a graphics card finishes all it has to do before it takes a new constant.
    with torch.inference_mode(mode=False):
        return tuple(torch.tensor(values, device=device).view(3, 1, 1) for values in (mean, std))  # type: ignore[return-value]
