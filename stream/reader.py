"""Reads a video file into a stream, as fast as it can be seen or in real time.

For questions about a file, without a server around. Decoding happens in threads, a handful of
pictures at a time, so that memory stays small and the event loop free.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from stream.feed import Feed
from stream.film import NoVideo, open_film
from stream.live import LiveStream
from stream.scale import to_rgb

__all__ = ["Film", "NoVideo", "VideoFile", "feed_file"]

TOGETHER = 8
DAMAGED_IN_A_ROW = 100


@dataclass(frozen=True, slots=True)
class Film:
    """What a file says of its video.

    Attributes:
        length: Seconds, if the file knows.
        width: Of a picture, in pixels.
        height: Of a picture, in pixels.
    """

    length: float | None
    width: int
    height: int


class VideoFile:
    """An open video file. Use `async with`; one reader at a time.

    Attributes:
        film: What the file says of itself.
    """

    film: Film

    def __init__(self, path: Path, *, sparse: bool = False) -> None:
        """Take what to read.

        Args:
            path: Of any format FFmpeg reads.
            sparse: Skip pictures that no other is built on: quicker, and enough to sample from.
        """
        self._path = path
        self._sparse = sparse

    async def __aenter__(self) -> "VideoFile":
        """Open the file.

        Raises:
            NoVideo: If it cannot be read or holds no video.
        """
        self._container, self._video = await asyncio.to_thread(self._open)
        self.film = self._describe()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._container.close)

    async def pictures(self, after: float = 0.0) -> AsyncGenerator[tuple[float, VideoFrame], None]:
        """Yield every picture from `after` seconds on with its time from the file's beginning."""
        if after > 0:
            await asyncio.to_thread(
                self._container.seek, int((after + self._origin()) * av.time_base)
            )
        source = self._decode()
        while some := await asyncio.to_thread(lambda: list(islice(source, TOGETHER))):
            for time, picture in some:
                if time >= after:
                    yield time, picture

    async def last(self, seconds: float) -> float:
        """Return when the last `seconds` begin; 0 for a file that does not tell its length."""
        return await asyncio.to_thread(self._last, seconds)

    def _last(self, seconds: float) -> float:
        # What a file says of its length is no more than a place to look for its end: a recording
        # that was cut short says too much, and one that does not begin at 0 counts from there.
        length, back, ends = self.film.length, seconds, list[float]()
        while length is not None and back < length and not ends:
            self._container.seek(int((length - back + self._origin()) * av.time_base))
            packets = self._container.demux(self._video)
            ends = [
                float(p.pts * p.time_base) for p in packets if p.pts is not None and p.time_base
            ]
            back *= 4
        begin = max(ends) - self._origin() - seconds if ends else 0.0
        if begin > 0:
            return begin
        self._container.close()  # it was read to its end
        self._container, self._video = self._open()
        return 0.0

    def _open(self) -> tuple[InputContainer, VideoStream]:
        container, film = open_film(self._path)
        film.thread_type = "AUTO"
        if self._sparse:
            film.codec_context.skip_frame = "NONREF"
        return container, film

    def _describe(self) -> Film:
        length = self._container.duration
        return Film(
            length=None if length is None else length / av.time_base,
            width=self._video.width,
            height=self._video.height,
        )

    def _origin(self) -> float:
        start = self._container.start_time
        return 0.0 if start is None else start / av.time_base

    def _decode(self) -> Iterator[tuple[float, VideoFrame]]:
        origin, last, damaged = self._origin(), 0.0, 0
        step = 1 / float(self._video.average_rate or 25)
        for packet in self._container.demux(self._video):
            try:
                pictures = packet.decode()
            except av.FFmpegError:
                damaged += 1
                if damaged == DAMAGED_IN_A_ROW:
                    return
                continue
            for picture in pictures:
                damaged = 0
                last = last + step if picture.time is None else picture.time - origin
                yield last, picture


async def feed_file(
    path: Path,
    live: LiveStream,
    *,
    paced: bool = False,
    last: float | None = None,
    side: int = 640,
    progress: Callable[[float, float | None], None] = lambda _at, _length: None,
) -> None:
    """Show `live` the file, to its end.

    Args:
        path: Of any format FFmpeg reads.
        live: The stream to feed; its media time is the file's own.
        paced: In real time, with media time by the clock, instead of as fast as it can be seen.
        last: Begin so many seconds before the end; None begins at the beginning.
        side: Longer side of a picture, in pixels.
        progress: Is told how far it is, in seconds, and the length where it is known.

    Raises:
        NoVideo: If the file cannot be read or holds no video.
        TooManyStreams: If every place for a stream with a source is taken.
    """
    async with VideoFile(path, sparse=not paced) as file:
        length = file.film.length
        after = 0.0 if last is None else await file.last(last)
        feed = live.open_feed("file", own_times=not paced)
        try:
            async with aclosing(file.pictures(after)) as pictures:
                await _feed(pictures, feed, paced, side, lambda at: progress(at, length))
        finally:
            feed.close("The file is at its end.")


async def _feed(
    pictures: AsyncIterator[tuple[float, VideoFrame]],
    feed: Feed,
    paced: bool,
    side: int,
    progress: Callable[[float], None],
) -> None:
    loop = asyncio.get_running_loop()
    began: float | None = None
    async for time, picture in pictures:
        if feed.closed:
            return
        if paced:
            began = loop.time() - time if began is None else began
            await asyncio.sleep(began + time - loop.time())
        else:
            await feed.room()
        slot = feed.accepts(time)
        if slot is not None:
            feed.give(slot, await asyncio.to_thread(to_rgb, picture, side))
            progress(time)
