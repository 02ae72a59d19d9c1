"""Shows a stream a whole video file by a bounded number of its frames, as the paper samples videos.

The file is read twice: once for the times of its frames, undecoded, then for the frames themselves.
Both happen in threads, a little at a time, so that the event loop stays free and whoever waits can
see how far it is, or stop it.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
import torch
from av import VideoFrame

from model.vision.preprocess import resize
from stream.errors import NoVideo
from stream.feed import Feed
from stream.file.container import OneAtATime, open_in_thread
from stream.file.film import Film, OpenFilm, film_of
from stream.file.frames import chosen_frames
from stream.file.index import FilmIndex, read_index
from stream.file.sampling import MOST, frames_wanted, middles
from stream.frames.frame import Picture
from stream.frames.scale import as_rgb, upright
from stream.live import LiveStream

_Step = TypeVar("_Step")
Progress = Callable[[float, float | None], None]


@dataclass(frozen=True, slots=True)
class Sampled:
    """What was looked at of a file.

    Attributes:
        length: Of the whole video, in seconds.
        frames: That were looked at.
        of: How many frames the video has.
        left_out: What was not read of it, in a sentence; nothing if all was.
    """

    length: float
    frames: int
    of: int
    left_out: str = ""


async def feed_whole_file(
    film: Path | Film,
    live: LiveStream,
    *,
    most: int = MOST,
    part: tuple[float, float] | None = None,
    indexing: Progress = lambda _at, _length: None,
    watching: Progress = lambda _at, _length: None,
) -> Sampled:
    """Show `live` frames of the whole file, from the middle of as many equal intervals.

    Args:
        film: A file of any format FFmpeg reads, or what else can be read from beginning to end twice.
        live: The stream to feed; its media time is the film's own.
        most: Frames to look at, however long the file is.
        part: Look at what lies between these seconds alone, as if it were the whole file.
        indexing: Is told how far the file was read through, in seconds, and its length if known.
        watching: The same of looking at it.

    Raises:
        NoVideo: If the film cannot be read or holds no video, or nothing lies in `part`.
        ValueError: If `most` is less than the fewest frames that are taken.
    """
    film = film_of(film)
    async with _opened(film) as (opened, using):
        container, video = opened.container, opened.video
        said = None if container.duration is None else container.duration / av.time_base
        index: FilmIndex | None = None
        async with aclosing(_in_threads(read_index(container, video), using)) as indexes:
            async for index in indexes:
                indexing(index.at, said)
        left_out = opened.left_out()
    assert index is not None
    inside = range(index.frames) if part is None else index.between(*part)
    if part is not None and not inside:
        raise NoVideo(
            f"{film} shows nothing from {part[0]:g} s on."
            if math.isinf(part[1])
            else f"{film} shows nothing from {part[0]:g} to {part[1]:g} s."
        )
    length = index.length if part is None else min(part[1], index.length) - part[0]
    wanted = frames_wanted(len(inside), length, most, live.rate)
    runs = index.runs([inside[n] for n in middles(len(inside), wanted)]) if wanted else []
    async with _opened(film) as (opened, using):
        feed = live.open_feed("file", own_times=True, longest_gap=math.inf)
        step = None if index.timed else index.step
        frames = chosen_frames(opened.container, opened.video, runs, step)
        try:
            steps = _in_threads(frames, using)
            await _feed(steps, feed, live.image_size, lambda at: watching(at, length))
        finally:
            feed.close("The file is at its end.")
    return Sampled(length, feed.sampled, len(inside), left_out)


async def _feed(
    steps: AsyncGenerator[tuple[float, VideoFrame] | None, None],
    feed: Feed,
    size: int,
    watched: Callable[[float], None],
) -> None:
    async with aclosing(steps):
        async for step in steps:
            if feed.closed:
                return
            if step is None:
                continue
            time, frame = step
            await feed.room()
            if (slot := feed.place(time)) is not None:
                await feed.hand_over(slot, await asyncio.to_thread(_as_encoded, frame, size))
                watched(time)


def _as_encoded(frame: VideoFrame, size: int) -> Picture:
    """Return `frame` as it is to be shown, in one step from its own size to the encoder's."""
    pixels = torch.from_numpy(upright(frame, as_rgb(frame)))
    return np.ascontiguousarray(resize(pixels[None], size)[0].movedim(0, -1).numpy())


@asynccontextmanager
async def _opened(film: Film) -> AsyncIterator[tuple[OpenFilm, OneAtATime]]:
    """Give the film, open, and what to use it by."""
    using = OneAtATime()
    opened = await open_in_thread(film.open, lambda opened: opened.close())
    opened.video.thread_type = "AUTO"
    try:
        yield opened, using
    finally:
        await using.do_last(opened.close)


async def _in_threads(steps: Iterator[_Step], using: OneAtATime) -> AsyncGenerator[_Step, None]:
    """Yield what `steps` does, each step made in a thread."""
    while made := await using.do(lambda: list(islice(steps, 1))):
        yield made[0]
