"""A video file as a WebRTC track, in real time, again and again if wanted.

aiortc's own player does not keep the pace once a file repeats, hence this one.
"""

import asyncio
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.container import InputContainer
from av.video.stream import VideoStream

from stream.errors import NoVideo
from stream.file.container import open_in_thread
from stream.file.film import open_film
from stream.file.media_clock import clock_of

CLOCK = 90_000
_TIME_BASE = Fraction(1, CLOCK)


class FileTrack(MediaStreamTrack):
    """Frames of a file at their time. Made by `open`, ended by `close`.

    Attributes:
        finished: Whether the end of the file was reached.
    """

    kind = "video"
    _frames: Iterator[av.VideoFrame]

    def __init__(
        self, path: Path, container: InputContainer, film: VideoStream, repeat: bool
    ) -> None:
        super().__init__()
        self.finished = False
        self._path = path
        self._play(container, film)
        self._repeat = repeat
        self._reading = threading.Lock()
        self._base = 0.0
        self._last = 0.0
        self._began: float | None = None

    @classmethod
    async def open(cls, path: Path, *, repeat: bool) -> "FileTrack":
        """Return the track of the file's first video.

        Raises:
            NoVideo: If the file cannot be read or holds no video.
        """
        container, video = await open_in_thread(
            lambda: open_film(path), lambda opened: opened[0].close()
        )
        return cls(path, container, video, repeat)

    async def recv(self) -> av.VideoFrame:
        """Return the next frame when its time has come.

        Raises:
            MediaStreamError: If the file is at its end or the track was stopped.
        """
        if self.readyState != "live":
            raise MediaStreamError
        frame = await asyncio.to_thread(self._next)
        if frame is None:
            self.finished = True
            self.stop()
            raise MediaStreamError
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._began = loop.time() - self._last
        await asyncio.sleep(self._began + self._last - loop.time())
        return frame

    async def close(self) -> None:
        """Stop and close the file, once no frame is being read any more."""
        self.stop()
        await asyncio.to_thread(self._close)

    def _next(self) -> av.VideoFrame | None:
        with self._reading:
            frame = self._decode()
            if frame is None and self._repeat and self._last > self._base:
                # A frame's length lies between the last one and the first one of the next round.
                self._base = self._last + 1 / float(self._film.average_rate or 25)
                self._begin_again()
                frame = self._decode()
            if frame is None:
                return None
            self._last = max(self._last, self._base + self._clock.time(frame.time))
            frame.pts, frame.time_base = round(self._last * CLOCK), _TIME_BASE
            return frame

    def _begin_again(self) -> None:
        # Not by seeking: not every container can, and joined files go back to their last part.
        self._container.close()
        try:
            self._play(*open_film(self._path))
        except NoVideo:  # it was removed meanwhile
            self._frames = iter(())

    def _play(self, container: InputContainer, film: VideoStream) -> None:
        self._container, self._film = container, film
        self._frames = container.decode(film)
        self._clock = clock_of(container, film)

    def _decode(self) -> av.VideoFrame | None:
        try:
            return next(self._frames, None)
        except av.FFmpegError:
            return None  # damaged from here on: the end of what can be played

    def _close(self) -> None:
        with self._reading:
            self._frames = iter(())
            self._container.close()
