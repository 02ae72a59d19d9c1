"""The histories of the streams asked about most recently, under a budget of bytes.

A history is a cache of what memory holds: it may be given up at any time and made again from
clip tokens. It may also lag: clips wait here until the network has a moment, or a question needs
them. It never outgrows the positions that its language model can tell apart, or half the budget (two
histories of one stream stand side by side for a while), as old clips are folded
(`model/engine/folded_history.py`).

`add`, `receiving`, `reach`, `blocks` and `forget` may be called from any thread, the rest from the one that owns the
network.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from model.engine.folded_history import CLIPS_AT_ONCE, FoldedHistory
from model.errors import ModelUnavailable, NothingSeen
from model.folding.fold import FoldPlan
from model.history import History
from model.language.decoder import LayerHook, no_hook
from model.types import ClipTokens
from model.video_chat import VideoChat

_MAX_WAITING = 1024
"""Clips of one stream that may wait; of more, whoever gives them folds as many."""

FULL_AT = 0.85
"""Share of its positions, or of its memory, that a history may fill: while a successor is late, it
goes on growing."""

_FEWEST = 64
"""Clips that every history may hold, whatever the budget."""


class HistoryCache:
    """Holds histories; those not asked about for longest go first when there is no room.

    Args:
        chat: Opens and extends them.
        budget: Bytes of caches in all; the history in use is kept even if it alone is larger.
        on_work: Called, from any thread, when there is something to read.

    Attributes:
        clips_at_most: Clips that are held as they are; of more, the older are folded.

    Raises:
        ModelUnavailable: If the language model has no positions for a stream.
    """

    def __init__(
        self, chat: VideoChat, budget: int, on_work: Callable[[], None] = lambda: None
    ) -> None:
        self._chat = chat
        self._on_work = on_work
        self._budget = budget
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, FoldedHistory] = OrderedDict()
        self._receiving: Counter[str] = Counter()
        most = min(self._room(), max(_FEWEST, budget // 2 // chat.clip_bytes))
        self._plan = FoldPlan.within(max(2, int(most * FULL_AT) - CLIPS_AT_ONCE + 1))
        self.clips_at_most = self._plan.most - 1

    @property
    def bytes(self) -> int:
        """Memory that the histories hold."""
        return sum(entry.bytes for entry in list(self._entries.values()))

    def reach(self, stream: str) -> float | None:
        """Return the end of the newest clip given for `stream`; None if nothing is held."""
        entry = self._entries.get(stream)
        return None if entry is None else entry.reach

    def add(
        self,
        stream: str,
        clips: Sequence[ClipTokens],
        after: float | None = None,
        most: int | None = None,
    ) -> None:
        """Let `clips`, oldest first, wait to be read; those already known are passed over.

        All are, if the history does not reach `after` (any more): they would leave a hole. None is
        that nothing comes before them, or nothing that matters.
        """
        with self._lock:
            entry = self._entries.get(stream)
            if after is not None and (entry is None or entry.reach < after):
                return
            if entry is None:
                plan = self._plan if most is None else FoldPlan.within(min(most, self._plan.most))
                entry = FoldedHistory(self._chat, plan)
            entry.wait(clips)
            self._entries[stream] = entry  # not before: what is empty is behind nothing
        if len(entry.waiting) > _MAX_WAITING:
            with entry.lock:
                entry.fold_waiting(len(clips))
        self._on_work()

    @contextmanager
    def receiving(self, stream: str) -> Iterator[None]:
        """Begin no history of `stream` meanwhile: it would read what later clips have folded."""
        self._receiving[stream] += 1
        try:
            yield
        finally:
            self._receiving -= Counter([stream])
            self._on_work()

    def forget(self, stream: str) -> None:
        """Give up the history of `stream`."""
        with self._lock:
            self._entries.pop(stream, None)

    def current(self, stream: str, until: float) -> History:
        """Return the history of `stream`, marked as used just now.

        Args:
            stream: Whose.
            until: How far it must reach, and have been read.

        Raises:
            NothingSeen: With the code history_gone, if nothing is held that does. It was given up,
                perhaps, and is being made again: half of it would answer as if the other half had
                never been.
        """
        with self._lock:
            if (entry := self._entries.get(stream)) is None:
                raise NothingSeen("nothing is held of this stream", code="history_gone")
            self._entries.move_to_end(stream)
        with entry.lock:
            if entry.reach < until or entry.is_behind(until):
                message = "what was held of this stream is being made again"
                raise NothingSeen(message, code="history_gone")
            return entry.history

    def is_folded(self, stream: str) -> bool:
        """Return whether any of the clips given for `stream` are folded, or going to be at once."""
        entry = self._entries.get(stream)
        return entry is not None and entry.is_folded

    def blocks(self, stream: str) -> list[ClipTokens]:
        """Return what the history of `stream` is made of; see `FoldedHistory.blocks`. May take a while."""
        if (entry := self._entries.get(stream)) is None:
            return []
        with entry.lock:
            return entry.blocks()

    def is_behind(self, stream: str, until: float) -> bool:
        """Return whether a clip of `stream` waits to be read that begins at or before `until`.

        What begins later came after the question: who waits for that too may wait for ever.
        """
        entry = self._entries.get(stream)
        return entry is not None and entry.is_behind(until)

    def next_behind(self) -> str | None:
        """Return a stream with something left to read, the most recently used first."""
        with self._lock:
            for stream, entry in reversed(self._entries.items()):
                if entry.has_work and not (entry.is_new and stream in self._receiving):
                    return stream
        return None

    def catch_up(
        self,
        stream: str,
        keep: str | None = None,
        at_once: int = CLIPS_AT_ONCE,
        hook: LayerHook = no_hook,
    ) -> None:
        """Read the next few clips of `stream`, or bring its successor closer; then make room.

        Args:
            stream: Whose history.
            keep: A stream that keeps its history whatever happens, as a question waits for
                it; None spares the one asked about last.
            at_once: Clips to read at most.
            hook: See `Decoder.run`.
        """
        entry = self._entries.get(stream)
        if entry is None:
            return
        with entry.lock:
            entry.catch_up(at_once, hook)
        self._make_room(keep)

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
            ModelUnavailable: If so few would fill it that none could be added to half.
        """
        config = self._chat.parts.config
        markers = self._chat.markers
        per_clip = config.vision.tokens_per_clip * config.visual_step + markers.positions
        positions = (self._chat.reach - self._chat.reserved - markers.spare) / per_clip
        if positions - len(self._chat.prompt.prefix()) / per_clip < CLIPS_AT_ONCE + 1:
            raise ModelUnavailable(
                f"the language model tells {self._chat.reach:.0f} positions apart, of which "
                f"{self._chat.reserved:.0f} are for a question and its answer: too few to remember a stream in"
            )
        return positions
