"""A film that passes before a stream: as fast as it is looked at, or in real time.

In real time frames come at their moments whatever happens here: while an answer is written the film
goes on, what the encoder cannot keep up with is lost, and a question that has to wait is late.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from av import VideoFrame

from stream.file.reader import VideoFile
from stream.frames.scale import to_rgb
from stream.live import LiveStream


class Pace(Protocol):
    """How far a film that began when this was made has come, in seconds."""

    @property
    def now(self) -> float:
        """Where it is."""
        ...

    async def reach(self, moment: float) -> None:
        """Wait until it is at `moment`; not at all if it is beyond."""
        ...


class RealTime:
    """A second a second."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def now(self) -> float:
        """See `Pace.now`."""
        return time.monotonic() - self._began

    async def reach(self, moment: float) -> None:
        """See `Pace.reach`."""
        await asyncio.sleep(moment - self.now)


class Passing:
    """A film that passes before a stream, which is asked meanwhile. Use `async with`.

    Args:
        path: A video file.
        live: The stream to feed; its media time is the file's own.
        pace: Makes the clock that it keeps, which begins with the first call of `play`; None waits
            for the encoder and stands still while it is asked.

    Raises:
        NoVideo: If the file cannot be read or holds no video.
    """

    def __init__(
        self, path: Path, live: LiveStream, *, pace: Callable[[], Pace] | None = None
    ) -> None:
        self._file = VideoFile(path)
        self._live, self._make_pace = live, pace
        self._waiting: tuple[float, VideoFrame] | None = None
        self._shown = 0.0
        self._pace: Pace | None = None
        self._passing: asyncio.Task[None] | None = None
        self._came = asyncio.Condition()
        self._next = -math.inf

    async def __aenter__(self) -> Self:
        """Open it."""
        await self._file.__aenter__()
        self._frames: AsyncGenerator[tuple[float, VideoFrame], None] = self._file.pictures()
        self._feed = self._live.open_feed("file", own_times=True)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close it."""
        if self._passing is not None:
            self._passing.cancel()
            await asyncio.gather(self._passing, return_exceptions=True)
        self._feed.close("The film was stopped.")
        await self._frames.aclose()
        await self._file.__aexit__(kind, error, at)

    @property
    def now(self) -> float:
        """Where the film is, in media seconds; of one that is not paced, what was played up to."""
        return self._shown if self._pace is None else self._pace.now

    async def play(self, until: float) -> None:
        """Show what comes up to `until`, in media seconds.

        When this returns all of it has been looked at; of a paced film it has arrived.

        Raises:
            NoVideo: If the file cannot be read on.
        """
        if self._make_pace is None:
            await self._show(until)
        else:
            await self._come_to(until, self._make_pace)
        self._feed.flush()
        if self._pace is None:
            await self._live.settle()

    async def _show(self, until: float) -> None:
        while (frame := self._waiting or await anext(self._frames, None)) is not None:
            self._waiting = frame
            if frame[0] > until:
                break
            self._waiting = None
            await self._feed.room()
            await self._give(*frame)
        self._shown = max(self._shown, until)

    async def _come_to(self, until: float, make_pace: Callable[[], Pace]) -> None:
        if self._passing is None or self._pace is None:
            self._pace = make_pace()
            self._passing = asyncio.create_task(self._pass(self._pace))
        if math.isfinite(until):
            reached = asyncio.create_task(self._pace.reach(until))
            await asyncio.wait((reached, self._passing), return_when=asyncio.FIRST_COMPLETED)
            reached.cancel()
        async with self._came:
            await self._came.wait_for(lambda: self._next > until or self._over)
        if self._over:
            self._passing.result()

    @property
    def _over(self) -> bool:
        return self._passing is not None and self._passing.done()

    async def _pass(self, pace: Pace) -> None:
        try:
            async for at, frame in self._frames:
                await self._tell(at)
                await pace.reach(at)
                await self._give(at, frame)
        finally:
            await self._tell(math.inf)

    async def _tell(self, coming: float) -> None:
        """Say when the next frame comes: all before it were given."""
        async with self._came:
            self._next = coming
            self._came.notify_all()

    async def _give(self, at: float, frame: VideoFrame) -> None:
        if (slot := self._feed.offer(at)) is not None:
            side = self._live.frame_side
            self._feed.push(slot, await asyncio.to_thread(to_rgb, frame, side))
