"""One stream's history as it grows: clips are folded, and read by the language model as folded.

The list of blocks (`model/folding/fold.py`) says what is to be read; it changes at fixed numbers of
clips. Some clips before it does, what it is going to be is known already: a successor begins to read
that, and takes over with the clip that changes the list. If the machine is too busy for that, the
history there is goes on answering until the successor has caught up. One that is far behind (it is
rebuilt from memory) reads nothing that would be folded before it is through: all that waits is folded
first, which takes a hundredth of the time that reading it takes.
"""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from model.errors import HistoryFull
from model.folding.fold import Fold, FoldPlan
from model.history import History
from model.language.decoder import LayerHook, no_hook
from model.types import ClipTokens
from model.video_chat import VideoChat

CLIPS_AT_ONCE = 4
"""Clips read at a time: about a third of a second of work for `lite` on two cores."""
MANY_AT_ONCE = 32
"""The same where only whoever asked waits for it: enough for cores to read parts of them side by side."""
_FOLDED_AT_ONCE = 32
"""Clips folded, or neighbours joined, at a time: about ten milliseconds for `lite`."""


@dataclass(slots=True, eq=False)
class _Growing:
    """A history in the language model, and what it is still to read.

    Attributes:
        folds: How often the list that it reads was folded.
        unread: What it is to read next.
        history: Opened on the thread that owns the network, when first needed.
        full: Whether the next clip has no position left; the successor will read it.
    """

    folds: int
    unread: deque[ClipTokens] = field(default_factory=deque)
    history: History | None = None
    full: bool = False


class FoldedHistory:
    """See above. `wait`, `reach`, `is_new` and `is_behind` are for any thread, the rest for one at a time.

    Args:
        chat: Opens and extends histories.
        plan: When is folded.

    Attributes:
        reach: End of the newest clip given, in media seconds.
        waiting: Clips given that the fold has not taken.
        lock: To be held by whoever takes `history`, or calls `catch_up`, `fold_waiting` or `blocks`.
    """

    def __init__(self, chat: VideoChat, plan: FoldPlan) -> None:
        self._chat = chat
        self._fold = Fold(chat.parts.rows, plan)
        self._serving = _Growing(0)
        self._successor: _Growing | None = None
        self.reach = float("-inf")
        self.waiting: deque[ClipTokens] = deque()
        self.lock = threading.Lock()

    @property
    def history(self) -> History:
        """What answers now."""
        return self._opened(self._serving)

    @property
    def bytes(self) -> int:
        """Memory that it holds, in bytes."""
        waiting = sum(clip.values.nbytes for clip in list(self.waiting))
        return waiting + self._fold.bytes + _bytes(self._serving) + _bytes(self._successor)

    @property
    def has_work(self) -> bool:
        """Whether `catch_up` has anything to do."""
        unread = self._serving.unread and not self._serving.full
        idle = not (self._fold.unprepared or self._may_begin)
        return bool(self.waiting or unread or self._successor_reads) or not idle

    @property
    def _is_overtaken(self) -> bool:
        """Whether what waits brings about a fold that no successor has begun to read."""
        if self._successor is not None:
            return False
        # For the sake of a clip or two, what answers goes on answering.
        many = len(self.waiting) > CLIPS_AT_ONCE
        if self.is_new:
            return many or len(self.waiting) >= self._fold.room
        return many and len(self.waiting) >= self._fold.room

    @property
    def _may_begin(self) -> bool:
        """Whether the next successor can begin: the last one has taken over."""
        return self._fold.prepared and self._successor is None

    @property
    def _successor_reads(self) -> bool:
        following = self._successor
        return following is not None and bool(following.unread)

    @property
    def is_folded(self) -> bool:
        """Whether any clips are folded, or going to be once those that wait are taken."""
        return self._fold.folds > 0 or len(self.waiting) >= self._fold.room

    @property
    def is_new(self) -> bool:
        """Whether nothing of it has been read."""
        return self._serving.history is None

    def blocks(self) -> list[ClipTokens]:
        """Return what it is made of, oldest first; nothing while clips wait that fill the list.

        What waits for a history of which nothing has been read is folded for this.
        """
        if self.is_new and self._successor is None:
            self.fold_waiting(len(self.waiting))
        waiting = list(self.waiting)
        return [] if len(waiting) >= self._fold.room else [*self._fold.tokens, *waiting]

    def wait(self, clips: Iterable[ClipTokens]) -> None:
        """Let `clips`, oldest first, wait to be read; those already known are passed over."""
        for clip in clips:
            if clip.start > self.reach or self.reach == float("-inf"):
                self.waiting.append(clip)
                self.reach = clip.end

    def is_behind(self, until: float) -> bool:
        """Return whether a clip is not read yet that begins at or before `until`.

        For any thread: a clip that is taken meanwhile is seen where it was or where it went.
        """
        # Also of a full one: its successor will read what waits, which is worth waiting for.
        if any(clip.start <= until for clip in _first(self.waiting)):
            return True
        return any(clip.start <= until for clip in _first(self._serving.unread))

    def fold_waiting(self, count: int) -> None:
        """Fold the next `count` clips without reading them: the history is read anew."""
        taken = [self.waiting[n] for n in range(min(count, len(self.waiting)))]
        for clip in taken:
            self._fold.add(clip)
        self._serving = _Growing(self._fold.folds, deque(self._fold.tokens))
        self._successor = None
        for _ in taken:  # only now: until here nobody else would have known of them
            self.waiting.popleft()

    def catch_up(self, at_once: int = CLIPS_AT_ONCE, hook: LayerHook = no_hook) -> None:
        """Do the next little bit: take clips, read some, or bring the successor closer.

        Args:
            at_once: Clips to read at most.
            hook: See `Decoder.run`.
        """
        if self._is_overtaken:
            self.fold_waiting(min(_FOLDED_AT_ONCE, self._fold.room))
            return
        for _ in range(min(CLIPS_AT_ONCE - len(self._serving.unread), len(self.waiting))):
            self._take(self.waiting[0])
            self.waiting.popleft()
        if self._serving.unread and not self._serving.full:
            self._read(self._serving, at_once, hook)
        elif not self._prepare() and self._successor_reads and self._successor is not None:
            self._read(self._successor, at_once, hook)
        self._succeed()

    def _take(self, clip: ClipTokens) -> None:
        folded = self._fold.add(clip)
        self._serving.unread.append(clip)
        if folded and (self._successor is None or self._successor.folds < self._fold.folds):
            self._successor = _Growing(self._fold.folds, deque(self._fold.tokens))
        elif self._successor is not None:
            self._successor.unread.append(clip)

    def _prepare(self) -> bool:
        """Bring the next fold closer; say whether there was anything to do."""
        worked = False
        for _ in range(_FOLDED_AT_ONCE):
            if not self._fold.prepare():
                break
            worked = True
        tokens = self._fold.next_tokens
        if tokens is not None and self._successor is None:
            self._successor = _Growing(self._fold.folds + 1, deque(tokens))
            worked = True
        return worked

    def _opened(self, growing: _Growing, hook: LayerHook = no_hook) -> History:
        if growing.history is None:
            growing.history = self._chat.open(hook)
        return growing.history

    def _read(self, growing: _Growing, at_once: int, hook: LayerHook) -> None:
        """Let a history read the next clips.

        Raises:
            HistoryFull: If they do not fit, and there is no other that they might.
        """
        history = self._opened(growing, hook)
        clips = [growing.unread[n] for n in range(min(at_once, len(growing.unread)))]
        try:
            self._chat.extend(history, clips, hook)
        except HistoryFull:
            if self._successor in {None, growing}:
                raise
            # Nothing was read. Only a flood of clips gets here before the successor is ready.
            growing.full = True
            return
        for _ in clips:
            growing.unread.popleft()

    def _succeed(self) -> None:
        successor = self._successor
        if successor is None or successor.unread or successor.folds > self._fold.folds:
            return
        self._serving, self._successor = successor, None


def _first(clips: deque[ClipTokens]) -> list[ClipTokens]:
    # Not `clips[0]` behind a look at the length: another thread may take it in between.
    return list(clips)[:1]


def _bytes(growing: _Growing | None) -> int:
    # What is unread are blocks of the fold, or few clips.
    return 0 if growing is None or growing.history is None else growing.history.bytes
