"""The newest pictures of a stream, kept as JPEG: the film of an event begins before anybody knew of it.

    push(picture) -> mailbox -> JPEG, in a thread -> reel

Kept are pictures that were converted anyway, to be looked at or watched: so the reel costs no decoding.
It is bounded in seconds, pictures and bytes, whichever is reached first.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from memory.store import Moment
from stream.channels import Mailbox
from stream.frames.frame import Picture

_WAITING = 4
_QUALITY = 80
_LONGEST_SIDE = 960
_SHORTEST_GAP = 0.19
"""Seconds: about five pictures a second, of ten that whoever watches gets."""
_MOST_BYTES = 8 * 2**20
_SPANS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """One picture that is kept.

    Attributes:
        time: Media time in seconds.
        jpeg: The picture.
    """

    time: float
    jpeg: bytes


class Reel:
    """Keeps the newest pictures of one stream.

    Args:
        seconds: How many of media time; 0 keeps none.
        wanted: Whether anybody may ask for them.

    Attributes:
        seconds: As given.
    """

    def __init__(self, seconds: float, wanted: Callable[[], bool] = lambda: True) -> None:
        self.seconds = seconds
        self._wanted = wanted
        self._waiting = Mailbox[tuple[float, Picture]](_WAITING)
        self._stills: deque[Still] = deque()
        self._bytes = 0
        self._forgotten: deque[Moment] = deque(maxlen=_SPANS)
        self._newest: float | None = None
        self._resting = True
        self._changed = asyncio.Event()

    @property
    def lost(self) -> int:
        """Pictures that came faster than they could be kept."""
        return self._waiting.lost

    @property
    def bytes(self) -> int:
        """What the pictures take."""
        return self._bytes

    @property
    def kept(self) -> tuple[float, float] | None:
        """The media seconds of the oldest and the newest picture that are kept; None without one."""
        return (self._stills[0].time, self._stills[-1].time) if self._stills else None

    def push(self, time: float, picture: Picture) -> None:
        """Take a picture, if it is wanted. Never waits."""
        if not self.seconds or not self._wanted():
            return
        if self._newest is not None and 0 <= time - self._newest < _SHORTEST_GAP:
            return
        self._newest = time
        self._resting = False
        self._waiting.put((time, picture))

    def stills(self, since: float, until: float) -> list[Still]:
        """Return what is kept of that time, oldest first."""
        return [still for still in self._stills if since <= still.time <= until]

    async def reached(self, time: float) -> None:
        """Wait until the pictures up to `time` are kept, or no more come."""
        while not self._has(time):
            await self._changed.wait()

    def rest(self) -> None:
        """Take note that no more pictures come for now."""
        self._resting = True
        self._tell()

    def forget(self, span: Moment) -> None:
        """Drop the pictures of `span`, also those on their way."""
        self._forgotten.append(span)
        self._stills = deque(still for still in self._stills if not self._is_forgotten(still.time))
        self._bytes = sum(len(still.jpeg) for still in self._stills)

    def has_forgotten(self, since: float, until: float) -> bool:
        """Say whether anything of that time was to be forgotten."""
        return any(span.start <= until and since <= span.end for span in self._forgotten)

    async def run(self) -> None:
        """Keep what is pushed, until closed."""
        async for time, picture in self._waiting:
            jpeg = await asyncio.to_thread(_jpeg, picture)
            if not self._is_forgotten(time):
                self._keep(Still(time, jpeg))
            self._waiting.drop()
            self._tell()

    def close(self) -> None:
        """Let go of everything."""
        self._waiting.abandon()
        self._stills.clear()
        self._bytes = 0
        self.rest()

    def _has(self, time: float) -> bool:
        if self._stills and self._stills[-1].time >= time:
            return True
        return self._resting and not self._waiting.unfinished

    def _keep(self, still: Still) -> None:
        self._stills.append(still)
        self._bytes += len(still.jpeg)
        oldest = still.time - self.seconds
        while self._stills[0].time < oldest or self._bytes > _MOST_BYTES:
            self._bytes -= len(self._stills.popleft().jpeg)

    def _is_forgotten(self, time: float) -> bool:
        return self.has_forgotten(time, time)

    def _tell(self) -> None:
        """Wake whoever waits, to look again."""
        self._changed.set()
        self._changed = asyncio.Event()


def _jpeg(picture: Picture) -> bytes:
    image = Image.fromarray(picture)
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.BILINEAR)
    out = BytesIO()
    image.save(out, format="JPEG", quality=_QUALITY)
    return out.getvalue()
