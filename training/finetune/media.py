"""Opens what a record shows: pictures, or as many frames of a film as its length asks for."""

import math
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from stream.errors import NoVideo
from stream.file.film import open_film
from stream.file.frames import chosen_frames
from stream.file.index import FilmIndex, read_index
from stream.file.sampling import middles
from training.finetune.data_list import Record

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


class BrokenMedia(Exception):
    """A picture or film cannot be read; the message names it."""


@dataclass(frozen=True, slots=True, eq=False)
class FilmSample:
    """What is looked at of a film.

    Attributes:
        frames: In order; a multiple of `together`, the last repeated where it has fewer.
        seen: How many of them are different.
        seconds: How long the film, or the part that counts, is.
    """

    frames: UInt8[Tensor, "frames height width 3"]
    seen: int
    seconds: float


def frames_for(seconds: float, fewest: int, most: int, together: int = 4) -> int:
    """Return how many frames a film of this length is looked at by: one a second, within bounds."""
    return max(fewest, min(most, together * int(seconds // together)))


def fewest_of(seconds: float, fewest: int, together: int = 4) -> int:
    """Return the fewest frames of a part of a film: of one that is short, one a second suffices."""
    return max(together, min(fewest, together * int(seconds // together)))


def read_film(record: Record, fewest: int, most: int, together: int = 4) -> FilmSample:
    """Return the frames of a record's film.

    Raises:
        BrokenMedia: If it cannot be read.
    """
    assert record.video is not None
    if record.video.is_dir():
        return _folder(record.video, record, fewest, most, together)
    try:
        return _file(record.video, record.span, fewest, most, together)
    except (NoVideo, av.FFmpegError, OSError) as error:
        raise BrokenMedia(f"{record.video}: {error}") from None


def read_picture(path: Path) -> UInt8[Tensor, "1 height width 3"]:
    """Return a picture.

    Raises:
        BrokenMedia: If it cannot be read.
    """
    try:
        return torch.from_numpy(np.array(Image.open(path).convert("RGB")))[None]
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise BrokenMedia(f"{path}: {error}") from None


def _file(
    path: Path, span: tuple[float, float] | None, fewest: int, most: int, together: int
) -> FilmSample:
    container, video = open_film(path)
    with container:
        index: FilmIndex
        *_, index = read_index(container, video)
    inside = range(index.frames) if span is None else index.between(*span)
    seconds = index.length if span is None else min(span[1], index.length) - span[0]
    fewest = fewest if span is None else fewest_of(seconds, fewest, together)
    if not inside:
        raise BrokenMedia(f"{path}: nothing to be seen in {span}")
    wanted = min(frames_for(seconds, fewest, most, together), len(inside))
    container, video = open_film(path)
    with container:
        runs = index.runs([inside[n] for n in middles(len(inside), wanted)])
        steps = chosen_frames(container, video, runs, None if index.timed else index.step)
        shown = [step[1].to_ndarray(format="rgb24") for step in steps if step is not None]
    if not shown:
        raise BrokenMedia(f"{path}: not one frame can be decoded")
    return _film([torch.from_numpy(frame.astype(np.uint8)) for frame in shown], seconds, together)


def _folder(path: Path, record: Record, fewest: int, most: int, together: int) -> FilmSample:
    span, rate = record.span, record.rate
    files = sorted(
        (file for file in path.iterdir() if file.suffix.lower() in PICTURES),
        key=lambda file: (len(file.stem), file.stem),
    )
    if span is not None:
        last = len(files) if math.isinf(span[1]) else int(span[1] * rate) + 1
        files = files[int(span[0] * rate) : last]
    if not files:
        raise BrokenMedia(f"{path}: no frames in it")
    seconds = len(files) / rate
    fewest = fewest if span is None else fewest_of(seconds, fewest, together)
    wanted = min(frames_for(seconds, fewest, most, together), len(files))
    frames = [read_picture(files[n])[0] for n in middles(len(files), wanted)]
    return _film(frames, seconds, together)


def _film(frames: list[Tensor], seconds: float, together: int) -> FilmSample:
    seen = len(frames)
    frames = [*frames, *[frames[-1]] * (-seen % together)]
    return FilmSample(torch.stack(frames), seen, seconds)
