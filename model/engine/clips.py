"""The clips that wait to be encoded, a batch at a time, whichever streams they come from."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from model.engine.generation import engine_failed
from model.errors import EngineBusy
from model.types import Clip, ClipTokens, Encoded
from model.video_chat import VideoChat

MAX_WAITING_CLIPS = 64
BATCH = 4
"""Clips encoded at once."""


class WaitingClip(Future[Encoded]):
    """A clip that waits to be encoded, and what it will be.

    Args:
        clip: To encode.
        given: Monotonic seconds when it came.
    """

    def __init__(self, clip: Clip, given: float) -> None:
        super().__init__()
        self.clip = clip
        self.given = given


class Clips:
    """What waits; a caller of anything but `encode` holds a lock.

    Args:
        chat: The network.
        monotonic: Seconds that never go back.
    """

    def __init__(self, chat: VideoChat, monotonic: Callable[[], float]) -> None:
        self._chat = chat
        self._monotonic = monotonic
        self._waiting: deque[WaitingClip] = deque()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def add(self, clip: Clip) -> WaitingClip:
        """Let `clip` wait.

        Raises:
            EngineBusy: If too many wait already.
        """
        if len(self._waiting) >= MAX_WAITING_CLIPS:
            raise EngineBusy(f"{len(self._waiting)} clips wait to be encoded")
        waiting = WaitingClip(clip, self._monotonic())
        self._waiting.append(waiting)
        return waiting

    def discard(self, waiting: WaitingClip) -> None:
        """Let it wait no longer, if it does."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)

    def take(self) -> list[WaitingClip]:
        """Return the next batch, which waits no longer."""
        return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def clear(self) -> list[WaitingClip]:
        """Return all that waited; nothing does any more."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    def encode(self, taken: Sequence[WaitingClip]) -> bool:
        """Encode a batch; say if anybody wanted any of it. For the thread that owns the network."""
        batch = [waiting for waiting in taken if waiting.set_running_or_notify_cancel()]
        if not batch:
            return False
        began = self._monotonic()
        try:
            encoded = self._chat.encode([waiting.clip for waiting in batch])
        except Exception as error:  # noqa: BLE001 - handed to the one who sent the clip
            self._encode_each(batch, error)
            return True
        for waiting, tokens in zip(batch, encoded, strict=True):
            waiting.set_result(Encoded(tokens, began - waiting.given))
        return True

    def _encode_each(self, batch: Sequence[WaitingClip], error: Exception) -> None:
        """Encode one by one what failed together: one stream's bad clip is its own affair."""
        for waiting in batch:
            waited = self._monotonic() - waiting.given
            try:
                [tokens] = self._chat.encode([waiting.clip]) if len(batch) > 1 else _again(error)
                waiting.set_result(Encoded(tokens, waited))
            except ValueError as wrong:  # no clip that this network can take
                waiting.set_exception(wrong)
            except Exception as own:  # noqa: BLE001 - handed to the one who sent the clip
                waiting.set_exception(engine_failed("a clip", own))


def _again(error: Exception) -> list[ClipTokens]:
    raise error
