"""The histories of the streams asked about most recently, under a budget of bytes.

A history is a cache of what memory holds: it may be given up at any time and made again from
clip tokens. It may also lag: clips wait here until the network has a moment, or a question needs
them. When one comes near the end of the positions its language model can tell apart, or of half
the budget (two histories of one stream stand side by side for a while), a second one is begun from the newer half of the clips and grows beside it; questions go on being answered
from the first until the second has caught up.

`give`, `reach` and `forget` may be called from any thread, the rest from the one that owns the
network.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from model.history import History, HistoryFull
from model.types import ClipTokens
from model.video_chat import RESERVE, VideoChat
from model.zoo.released import UnsupportedCheckpoint

CHUNK = 4
"""Clips read at a time: about a third of a second of work for `lite` on two cores."""

WAITING = 4096
"""Clips of one stream that may wait; a stream that lags more is rebuilt when asked about."""

RENEW = 0.85
"""Share of its positions, or of its memory, after which a history's successor is begun."""

LATE = 3600.0
"""Media seconds of the clip whose time marker stands for those of all: later ones are hardly longer."""

FEWEST = 64
"""Clips that every history may hold, whatever the budget."""


@dataclass(slots=True, eq=False)
class _Place:
    """One stream's history, and what it has not read yet.

    Attributes:
        history: Opened on the thread that owns the network, when first needed.
        waiting: Clips to read.
        read: Clips that were read: a successor is made from them.
        successor: What will take this place.
        full: Whether the next clip has no position left; the successor will read it.
        reach: End of the newest clip given, in media seconds.
    """

    history: History | None = None
    waiting: deque[ClipTokens] = field(default_factory=deque)
    read: list[ClipTokens] = field(default_factory=list)
    successor: "_Place | None" = None
    full: bool = False
    reach: float = float("-inf")


class Shelf:
    """Holds histories; those not asked about for longest go first when there is no room.

    Args:
        chat: Opens and extends them.
        budget: Bytes of caches in all; the history in use is kept even if it alone is larger.

    Attributes:
        capacity: Clips that a history begun anew takes.
        clips_at_most: Clips that one takes, added one after another, before its successor is begun.

    Raises:
        UnsupportedCheckpoint: If the language model has no positions for a stream.
    """

    def __init__(self, chat: VideoChat, budget: int) -> None:
        self._chat = chat
        self._budget = budget
        self._lock = threading.Lock()
        self._places: OrderedDict[str, _Place] = OrderedDict()
        self._most_clips = max(FEWEST, budget // 2 // chat.clip_bytes)
        room = self._room()
        self.capacity = max(1, int(min(room, self._most_clips) / 2))
        self.clips_at_most = max(self.capacity, int(min(room, self._most_clips) * RENEW) - CHUNK)

    @property
    def bytes(self) -> int:
        """Memory that the histories hold."""
        return sum(_bytes(place) for place in list(self._places.values()))

    def reach(self, stream: str) -> float | None:
        """Return the end of the newest clip given for `stream`; None if nothing is held."""
        place = self._places.get(stream)
        return None if place is None else place.reach

    def give(self, stream: str, clips: Sequence[ClipTokens], after: float | None = None) -> None:
        """Let `clips`, oldest first, wait to be read; those already known are passed over.

        All are, if the history does not reach `after`: see `Engine.extend`.
        """
        with self._lock:
            place = self._places.get(stream)
            if after is not None and (place is None or place.reach < after):
                return
            if place is None:
                place = self._places[stream] = _Place()
                # More than fits at once is not read at all: the newest are what is looked at.
                clips = clips[-self.capacity :]
            for clip in clips:
                if clip.start > place.reach or place.reach == float("-inf"):
                    place.waiting.append(clip)
                    place.reach = clip.end
            if len(place.waiting) > max(WAITING, self.clips_at_most):
                del self._places[stream]

    def forget(self, stream: str) -> None:
        """Give up the history of `stream`."""
        with self._lock:
            self._places.pop(stream, None)

    def current(self, stream: str) -> History | None:
        """Return the history of `stream`, marked as used just now; None if nothing is held."""
        with self._lock:
            if (place := self._places.get(stream)) is None:
                return None
            self._places.move_to_end(stream)
        return self._opened(place)

    def lags(self, stream: str, until: float) -> bool:
        """Return whether a clip of `stream` waits to be read that begins at or before `until`.

        What begins later came after the question: who waits for that too may wait for ever.
        """
        place = self._places.get(stream)
        if place is None or not place.waiting:
            return False
        # Also of a full one: its successor will read what waits, which is worth waiting for.
        return place.waiting[0].start <= until

    def lagging(self) -> str | None:
        """Return a stream with something left to read, the most recently used first."""
        with self._lock:
            for stream, place in reversed(self._places.items()):
                if place.waiting or place.successor is not None:
                    return stream
        return None

    def advance(self, stream: str, spared: str | None = None) -> None:
        """Read the next few clips of `stream`, or bring its successor closer; then make room.

        Args:
            stream: Whose history.
            spared: A stream that keeps its history whatever happens, as a question waits for
                it; None spares the one asked about last.
        """
        place = self._places.get(stream)
        if place is None:
            return
        if place.waiting and not place.full:
            self._read(place)
        elif (successor := place.successor) is not None:
            self._read(successor)
            if not successor.waiting:
                self._succeed(stream, place, successor)
        self._make_room(spared)

    def _opened(self, place: _Place) -> History:
        if place.history is None:
            place.history = self._chat.open()
        return place.history

    def _read(self, place: _Place) -> None:
        history = self._opened(place)
        with self._lock:
            clips = [place.waiting.popleft() for _ in range(min(CHUNK, len(place.waiting)))]
        try:
            self._chat.extend(history, clips)
        except HistoryFull:
            # Nothing was read. Only a flood of clips gets here before the successor is ready.
            place.waiting.extendleft(reversed(clips))
            place.full = True
            self._renew(place)
            return
        place.read.extend(clips)
        if place.successor is not None:
            place.successor.waiting.extend(clips)
        elif max(history.fullness, len(history.clips) / self._most_clips) > RENEW:
            self._renew(place)

    def _renew(self, place: _Place) -> None:
        if place.successor is None:
            newer = place.read[len(place.read) // 2 :]
            place.successor = _Place(waiting=deque(newer))

    def _succeed(self, stream: str, place: _Place, successor: _Place) -> None:
        with self._lock:
            successor.waiting, successor.reach = place.waiting, place.reach
            if self._places.get(stream) is place:
                self._places[stream] = successor

    def _make_room(self, spared: str | None) -> None:
        with self._lock:
            streams = list(self._places)
            if spared not in self._places:
                spared = streams[-1] if streams else None
            for stream in streams:
                if self.bytes <= self._budget:
                    return
                if stream != spared:
                    del self._places[stream]

    def _room(self) -> float:
        """Return how many clips fill the positions of a history.

        Raises:
            UnsupportedCheckpoint: If so few would fill it that none could be added to half.
        """
        config = self._chat.parts.config
        marker = len(self._chat.prompt.marker(LATE))
        per_clip = config.vision.tokens_per_clip * config.visual_step + marker
        positions = (self._chat.reach - RESERVE) / per_clip
        if positions - len(self._chat.prompt.prefix()) / per_clip < CHUNK + 1:
            raise UnsupportedCheckpoint(
                f"the language model tells {self._chat.reach:.0f} positions apart, of which "
                f"{RESERVE:.0f} are for a question and its answer: too few to remember a stream in"
            )
        return positions


def _bytes(place: _Place) -> int:
    # The clips of a successor are some of those that were read here.
    clips = sum(clip.values.nbytes for clip in [*place.read, *place.waiting])
    return clips + _cache_bytes(place)


def _cache_bytes(place: _Place) -> int:
    own = 0 if place.history is None else place.history.bytes
    return own + (_cache_bytes(place.successor) if place.successor is not None else 0)
