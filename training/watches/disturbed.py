"""What a camera makes of what it looks at: noise, light that changes, compression. Pictures in, clips out."""

from collections.abc import Iterator
from typing import Literal

import av
import numpy as np
import torch

from model.types import Clip
from training.watches.quiet import CLIP_SECONDS

Disturbance = Literal["noise", "lighting", "compression"]
DISTURBANCES: tuple[Disturbance, ...] = ("noise", "lighting", "compression")
_JUMP = 0.03
"""Chance that the light jumps with a clip, under `lighting`."""
_LIGHT = (0.25, 1.5)
_NOISE = {"noise": (8.0, 30.0), "lighting": (2.0, 6.0), "compression": (1.0, 4.0)}
"""Standard deviations, of 255; a part has one of them."""
_CRF = (34, 46)


def clips_of(
    pictures: np.ndarray, count: int, each: int, kind: Disturbance, random: np.random.Generator
) -> list[Clip]:
    """Return `count` clips of `each` frames as a disturbed camera sends them: to and fro through `pictures`."""
    shown = np.stack(list(_frames(pictures, count * each, each, kind, random)))
    if kind == "compression":
        shown = _compressed(shown, int(random.integers(*_CRF)))
    return [
        Clip(torch.from_numpy(shown[n * each : (n + 1) * each]), n * CLIP_SECONDS, (n + 0.75) * CLIP_SECONDS)
        for n in range(count)
    ]  # fmt: skip


def _frames(
    pictures: np.ndarray, count: int, each: int, kind: Disturbance, random: np.random.Generator
) -> Iterator[np.ndarray]:
    sigma = float(random.uniform(*_NOISE[kind]))
    step = max(1, len(pictures) // 16)
    at, light, cast = int(random.integers(len(pictures))), 1.0, np.ones(3, dtype=np.float32)
    for number in range(count):
        at += step + int(random.integers(0, 2))  # not the same pictures every time round
        if kind == "lighting" and number % each == 0:
            if random.random() < _JUMP:
                light = float(random.uniform(*_LIGHT))
                cast = random.uniform(0.85, 1.15, 3).astype(np.float32)
            light += 0.02 * (1.0 - light) + float(random.normal(0, 0.02))
        picture = pictures[_to_and_fro(at, len(pictures))]
        noise = sigma * random.standard_normal(picture.shape, dtype=np.float32)
        yield np.clip(picture * (light * cast) + noise, 0, 255).astype(np.uint8)


def _to_and_fro(at: int, count: int) -> int:
    at %= max(1, 2 * count - 2)
    return at if at < count else 2 * count - 2 - at


def _compressed(frames: np.ndarray, crf: int) -> np.ndarray:
    """Return `frames` as they come out of H.264 of few bits."""
    height, width = frames.shape[1:3]
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.options = {"crf": str(crf), "preset": "veryfast", "tune": "zerolatency", "threads": "1"}
    decoder, out = av.CodecContext.create("h264", "r"), list[np.ndarray]()
    for number in range(len(frames) + 1):
        frame = av.VideoFrame.from_ndarray(frames[number], format="rgb24") if number < len(frames) else None  # fmt: skip
        for packet in encoder.encode(frame):
            out += [f.to_ndarray(format="rgb24") for f in decoder.decode(packet)]
    out += [f.to_ndarray(format="rgb24") for f in decoder.decode(None)]
    assert len(out) == len(frames), "every frame that goes into H.264 comes out"
    return np.stack(out)
