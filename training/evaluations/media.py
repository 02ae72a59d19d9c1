"""Shows a stream what an item is about: a film, a part of one, or a folder of frames."""

import asyncio
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from model.vision.preprocess import resize
from stream.errors import NoVideo
from stream.file.sampling import frames_wanted, middles
from stream.file.whole_file import feed_whole_file
from stream.frames.frame import Picture
from stream.live import LiveStream
from training.evaluations.items import Media

PICTURES = (".jpg", ".jpeg", ".png", ".webp")


async def show(media: Media, live: LiveStream, most: int) -> float:
    """Show `live` a whole film, or the part that counts; return its length in seconds.

    Args:
        media: What to show.
        live: Where it is remembered.
        most: Frames to look at, however long it is.

    Raises:
        NoVideo: If it cannot be read.
    """
    if await asyncio.to_thread(media.path.is_dir):
        return await _show_folder(media, live, most)
    whole = media.start is None and media.end is None
    part = None if whole else (media.start or 0.0, math.inf if media.end is None else media.end)
    return (await feed_whole_file(media.path, live, most=most, part=part)).length


async def _show_folder(media: Media, live: LiveStream, most: int) -> float:
    """Show frames that were saved one by one, `media.rate` of them a second.

    Raises:
        NoVideo: If there are none, or one cannot be read.
    """
    files = await asyncio.to_thread(_pictures, media.path)
    first = math.ceil((media.start or 0.0) * media.rate)
    last = len(files) if media.end is None else math.floor(media.end * media.rate) + 1
    files = files[first:last]
    if not files:
        raise NoVideo(f"{media.path} holds no frames from {media.start} to {media.end} s.")
    length = len(files) / media.rate
    feed = live.open_feed("file", own_times=True, longest_gap=math.inf)
    try:
        for number in middles(len(files), frames_wanted(len(files), length, most, live.rate)):
            await feed.room()
            if (slot := feed.place((first + number) / media.rate)) is not None:
                feed.push(slot, await asyncio.to_thread(_read, files[number], live.image_size))
    finally:
        feed.close("All frames were shown.")
    return length


def _pictures(folder: Path) -> list[Path]:
    """Return the frames of a folder in the order of the numbers in their names."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES]
    return sorted(found, key=lambda path: (len(path.stem), path.stem))


def _read(file: Path, size: int) -> Picture:
    """Return a frame as the encoder takes it.

    Raises:
        NoVideo: If it cannot be read.
    """
    try:
        pixels = np.array(Image.open(file).convert("RGB"))
    except OSError as error:
        raise NoVideo(f"{file} cannot be read as a picture.") from error
    squared = resize(torch.from_numpy(pixels)[None], size)[0].movedim(0, -1)
    return np.ascontiguousarray(squared.numpy())
