"""Reads a video file into a stream, as fast as it can be seen.

For questions about a file, without a server around. Decoding happens in threads, a handful of
pictures at a time, so that memory stays small and the event loop free.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from itertools import islice
from pathlib import Path

import av
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from stream.feed import Feed
from stream.file.container import OneAtATime, open_in_thread
from stream.file.film import Film, OpenFilm, film_of
from stream.file.media_clock import MediaClock, clock_of, starts_again
from stream.file.skipping import SkipRule
from stream.file.tracks import VideoPacket, packets_of
from stream.frames.scale import to_rgb
from stream.live import LiveStream

_TOGETHER = 8
_DAMAGED_IN_A_ROW = 100


class VideoFile:
    """An open video file. Use `async with`; one reader at a time.

    Attributes:
        length: Seconds, if the file says.
    """

    length: float | None

    def __init__(self, film: Path | Film, *, wanted: float | None = None) -> None:
        """Take what to read.

        Args:
            film: A file of any format FFmpeg reads, or another film.
            wanted: How many pictures per second are enough: others may be left out, which is
                quicker. None for every picture.
        """
        self._film = film_of(film)
        self._wanted = wanted
        self._using = OneAtATime()

    async def __aenter__(self) -> "VideoFile":
        """Open the file.

        Raises:
            NoVideo: If it cannot be read or holds no video.
        """
        self._open = await open_in_thread(self._opened, lambda opened: opened.close())
        self._restarts = False
        length = self._container.duration
        self.length = length / av.time_base if length else None
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._using.do_last(lambda: self._open.close())

    @property
    def left_out(self) -> str:
        """What is not read of it, once it was read, in a sentence; nothing if all is."""
        return self._open.left_out()

    async def pictures(self, after: float = 0.0) -> AsyncGenerator[tuple[float, VideoFrame], None]:
        """Yield every picture from `after` seconds on with its time from the file's beginning."""
        clock = self._clock()
        # Where the file's clock starts again a time names several places, and it is read through.
        if after > 0 and not self._restarts and await self._using.do(lambda: self._seek(after)):
            clock.sought()
        source = self._decode(clock)
        while some := await self._using.do(lambda: list(islice(source, _TOGETHER))):
            for time, picture in some:
                if time >= after:
                    yield time, picture

    async def last(self, seconds: float) -> float:
        """Return when the last `seconds` begin."""
        return await self._using.do(lambda: self._last(seconds))

    def _last(self, seconds: float) -> float:
        # What a file says of its length is no more than a place to look for its end: a recording
        # that was cut short says too much, and one that does not begin at 0 counts from there.
        end, begin = self._end_by_seeking(seconds), 0.0
        if end is None:
            self._reopen()
            end = self._end(clock := self._clock(packets=True))
            self._restarts = clock.restarted
        if end is not None and end > seconds:
            begin = end - seconds
        self._reopen()  # it was read to its end
        return begin

    def _seek(self, time: float) -> bool:
        """Go to `time`; False if files of this kind cannot: it is at its beginning then."""
        if not self._open.sought:
            self._reopen()
            return False
        try:
            self._container.seek(int((time + self._origin()) * av.time_base))
        except av.FFmpegError:
            self._reopen()
            return False
        return True

    def _end_by_seeking(self, seconds: float) -> float | None:
        """Return when the last picture is; None if only reading all of the file tells."""
        if self.length is None or starts_again(self._container.format):
            return None
        back = seconds
        while back < self.length:
            if not self._seek(self.length - back):
                return None
            clock = self._clock(packets=True)
            clock.sought()
            end = self._end(clock)
            if clock.restarted:
                return None
            if end is not None:
                return end
            back *= 4
        return None

    def _end(self, clock: MediaClock) -> float | None:
        """Return the time of the last packet by `clock`; None if there are none left."""
        end: float | None = None
        for packet in self._packets():
            if packet.dts is not None and packet.time_base is not None:
                end = clock.time(float(packet.dts * packet.time_base))
            elif packet.size and packet.pts is None:
                end = clock.time(None)
            # Else it is of the few at the beginning of which only the order of showing is known.
        return end

    def _packets(self) -> Iterator[VideoPacket]:
        try:
            yield from packets_of(self._container, self._video)
        except av.FFmpegError:
            return  # damaged from here on: the end of what can be read

    @property
    def _container(self) -> InputContainer:
        return self._open.container

    @property
    def _video(self) -> VideoStream:
        return self._open.video

    def _opened(self) -> OpenFilm:
        opened = self._film.open()
        opened.video.thread_type = "AUTO"
        return opened

    def _reopen(self) -> None:
        self._open.close()
        self._open = self._opened()

    def _clock(self, *, packets: bool = False) -> MediaClock:
        return clock_of(self._container, self._video, packets=packets)

    def _origin(self) -> float:
        start = self._container.start_time
        return 0.0 if start is None else start / av.time_base

    def _decode(self, clock: MediaClock) -> Iterator[tuple[float, VideoFrame]]:
        rule, damaged = SkipRule(), 0
        for packet in self._packets():
            self._skip(rule, packet.dts is not None)
            try:
                pictures = packet.decode()
            except av.FFmpegError:
                damaged += 1
                if damaged == _DAMAGED_IN_A_ROW:
                    return
                continue
            for picture in pictures:
                damaged = 0
                time = clock.time(picture.time)
                if self._wanted is not None:
                    rule.decoded(time, self._wanted)
                yield time, picture

    def _skip(self, rule: SkipRule, timed: bool) -> None:
        """Leave out what may be; nothing of a file without times: they are counted."""
        if self._wanted is None:
            return
        rate = float(self._video.average_rate or 0) if timed else 0.0
        skips = rule.skips(rate, self._wanted)
        self._video.codec_context.skip_frame = "NONREF" if skips else "DEFAULT"


async def feed_file(
    film: Path | Film,
    live: LiveStream,
    *,
    last: float | None = None,
    progress: Callable[[float, float | None], None] = lambda _at, _length: None,
) -> str:
    """Show `live` the file, to its end; return what of it was not read, in a sentence, if anything.

    Args:
        film: A file of any format FFmpeg reads, or another film.
        live: The stream to feed; its media time is the film's own.
        last: Begin so many seconds before the end; None begins at the beginning.
        progress: Is told how far it is, in seconds, and the length where it is known.

    Raises:
        NoVideo: If the file cannot be read or holds no video.
        NoRoom: If every place for a stream with a source is taken.
    """
    async with VideoFile(film, wanted=live.status().rate) as file:
        length = file.length
        after = 0.0 if last is None else await file.last(last)
        feed = live.open_feed("file", own_times=True)
        try:
            async with aclosing(file.pictures(after)) as pictures:
                await _feed(pictures, feed, live.frame_side, lambda at: progress(at, length))
        finally:
            feed.close("The file is at its end.")
        return file.left_out


async def _feed(
    pictures: AsyncIterator[tuple[float, VideoFrame]],
    feed: Feed,
    side: int,
    progress: Callable[[float], None],
) -> None:
    async for time, picture in pictures:
        if feed.closed:
            return
        await feed.room()
        slot = feed.offer(time)
        if slot is not None:
            await feed.hand_over(slot, await asyncio.to_thread(to_rgb, picture, side))
            progress(time)
