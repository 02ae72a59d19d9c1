"""The histories of the streams asked about most recently, under a budget of bytes.

A history is a cache of what memory holds: it may be given up at any time and made again from
clip tokens. It may also lag: clips wait here until the network has a moment, or a question needs
them. When one comes near the end of the positions its language model can tell apart, or of half
the budget (two histories of one stream stand side by side for a while), a second one is begun
from the newer half of the clips and grows beside it; questions go on being answered from the first
until the second has caught up.

`add`, `reach` and `forget` may be called from any thread, the rest from the one that owns the
network.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from model.errors import HistoryFull, UnsupportedCheckpoint
from model.history import History
from model.types import ClipTokens
from model.video_chat import RESERVED, VideoChat

CLIPS_AT_ONCE = 4
"""Clips read at a time: about a third of a second of work for `lite` on two cores."""

MAX_WAITING = 4096
"""Clips of one stream that may wait; a stream that is further behind is rebuilt when asked about."""

RENEW_AT = 0.85
"""Share of its positions, or of its memory, after which a history's successor is begun."""

LATE_MARKER = 3600.0
"""Media seconds of the clip whose time marker stands for those of all: later ones are hardly longer."""

FEWEST = 64
"""Clips that every history may hold, whatever the budget."""


@dataclass(slots=True, eq=False)
class _Entry:
    """One stream's history, and what it has not read yet.

    Attributes:
        history: Opened on the thread that owns the network, when first needed.
        waiting: Clips to read.
        read: Clips that were read: a successor is made from them.
        successor: What will take its place.
        full: Whether the next clip has no position left; the successor will read it.
        reach: End of the newest clip given, in media seconds.
    """

    history: History | None = None
    waiting: deque[ClipTokens] = field(default_factory=deque)
    read: list[ClipTokens] = field(default_factory=list)
    successor: "_Entry | None" = None
    full: bool = False
    reach: float = float("-inf")


class HistoryCache:
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
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._most_clips = max(FEWEST, budget // 2 // chat.clip_bytes)
        room = self._room()
        self.capacity = max(1, int(min(room, self._most_clips) / 2))
        self.clips_at_most = max(
            self.capacity, int(min(room, self._most_clips) * RENEW_AT) - CLIPS_AT_ONCE
        )

    @property
    def bytes(self) -> int:
        """Memory that the histories hold."""
        return sum(_bytes(entry) for entry in list(self._entries.values()))

    def reach(self, stream: str) -> float | None:
        """Return the end of the newest clip given for `stream`; None if nothing is held."""
        entry = self._entries.get(stream)
        return None if entry is None else entry.reach

    def add(self, stream: str, clips: Sequence[ClipTokens], after: float | None = None) -> None:
        """Let `clips`, oldest first, wait to be read; those already known are passed over.

        All are, if the history does not reach `after`: see `Engine.extend`.
        """
        with self._lock:
            entry = self._entries.get(stream)
            if after is not None and (entry is None or entry.reach < after):
                return
            if entry is None:
                entry = self._entries[stream] = _Entry()
                # More than fits at once is not read at all: the newest are what is looked at.
                clips = clips[-self.capacity :]
            for clip in clips:
                if clip.start > entry.reach or entry.reach == float("-inf"):
                    entry.waiting.append(clip)
                    entry.reach = clip.end
            if len(entry.waiting) > max(MAX_WAITING, self.clips_at_most):
                del self._entries[stream]

    def forget(self, stream: str) -> None:
        """Give up the history of `stream`."""
        with self._lock:
            self._entries.pop(stream, None)

    def current(self, stream: str) -> History | None:
        """Return the history of `stream`, marked as used just now; None if nothing is held."""
        with self._lock:
            if (entry := self._entries.get(stream)) is None:
                return None
            self._entries.move_to_end(stream)
        return self._opened(entry)

    def is_behind(self, stream: str, until: float) -> bool:
        """Return whether a clip of `stream` waits to be read that begins at or before `until`.

        What begins later came after the question: who waits for that too may wait for ever.
        """
        entry = self._entries.get(stream)
        if entry is None or not entry.waiting:
            return False
        # Also of a full one: its successor will read what waits, which is worth waiting for.
        return entry.waiting[0].start <= until

    def next_behind(self) -> str | None:
        """Return a stream with something left to read, the most recently used first."""
        with self._lock:
            for stream, entry in reversed(self._entries.items()):
                if entry.waiting or entry.successor is not None:
                    return stream
        return None

    def catch_up(self, stream: str, keep: str | None = None) -> None:
        """Read the next few clips of `stream`, or bring its successor closer; then make room.

        Args:
            stream: Whose history.
            keep: A stream that keeps its history whatever happens, as a question waits for
                it; None spares the one asked about last.
        """
        entry = self._entries.get(stream)
        if entry is None:
            return
        if entry.waiting and not entry.full:
            self._read(entry)
        elif (successor := entry.successor) is not None:
            self._read(successor)
            if not successor.waiting:
                self._succeed(stream, entry, successor)
        self._make_room(keep)

    def _opened(self, entry: _Entry) -> History:
        if entry.history is None:
            entry.history = self._chat.open()
        return entry.history

    def _read(self, entry: _Entry) -> None:
        history = self._opened(entry)
        with self._lock:
            clips = [entry.waiting.popleft() for _ in range(min(CLIPS_AT_ONCE, len(entry.waiting)))]
        try:
            self._chat.extend(history, clips)
        except HistoryFull:
            # Nothing was read. Only a flood of clips gets here before the successor is ready.
            entry.waiting.extendleft(reversed(clips))
            entry.full = True
            self._renew(entry)
            return
        entry.read.extend(clips)
        if entry.successor is not None:
            entry.successor.waiting.extend(clips)
        elif max(history.fullness, len(history.clips) / self._most_clips) > RENEW_AT:
            self._renew(entry)

    def _renew(self, entry: _Entry) -> None:
        if entry.successor is None:
            newer = entry.read[len(entry.read) // 2 :]
            entry.successor = _Entry(waiting=deque(newer))

    def _succeed(self, stream: str, entry: _Entry, successor: _Entry) -> None:
        with self._lock:
            successor.waiting, successor.reach = entry.waiting, entry.reach
            if self._entries.get(stream) is entry:
                self._entries[stream] = successor

    def _make_room(self, keep: str | None) -> None:
        with self._lock:
            streams = list(self._entries)
            if keep not in self._entries:
                keep = streams[-1] if streams else None
            for stream in streams:
                if self.bytes <= self._budget:
                    return
                if stream != keep:
                    del self._entries[stream]

    def _room(self) -> float:
        """Return how many clips fill the positions of a history.

        Raises:
            UnsupportedCheckpoint: If so few would fill it that none could be added to half.
        """
        config = self._chat.parts.config
        marker = len(self._chat.prompt.marker(LATE_MARKER))
        per_clip = config.vision.tokens_per_clip * config.visual_step + marker
        positions = (self._chat.reach - RESERVED) / per_clip
        if positions - len(self._chat.prompt.prefix()) / per_clip < CLIPS_AT_ONCE + 1:
            raise UnsupportedCheckpoint(
                f"the language model tells {self._chat.reach:.0f} positions apart, of which "
                f"{RESERVED:.0f} are for a question and its answer: too few to remember a stream in"
            )
        return positions


def _bytes(entry: _Entry) -> int:
    # The clips of a successor are some of those that were read here.
    clips = sum(clip.values.nbytes for clip in [*entry.read, *entry.waiting])
    return clips + _cache_bytes(entry)


def _cache_bytes(entry: _Entry) -> int:
    own = 0 if entry.history is None else entry.history.bytes
    return own + (_cache_bytes(entry.successor) if entry.successor is not None else 0)
