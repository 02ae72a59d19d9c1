"""Has the clips of one stream encoded, never further behind than a clip or two.

Clips wait in a newest-wins mailbox for their turn at the engine, one at a time, so that every
stream gets its share of it. When they queue, the stream looks less often; when some had to be lost,
what is stale is lost too: then the encoder's time is better spent on what is happening now.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from model.engine.contract import Engine, EngineBusy
from model.types import Clip
from stream.mailbox import Closed, Mailbox
from stream.rate import RateController
from stream.thumbnail import thumbnail
from stream.timeline import Clock
from stream.writer import Entry

log = logging.getLogger(__name__)

AGES = 512
FAILURES_TOLD = 3
"""Clips in a row that the engine must fail on before the stream says so: one may be a bad clip."""


class ClipEncoder:
    """One stream's turn at the engine.

    Attributes:
        pace: Chooses how often the stream looks.
        encode_ms: How long the newest clip took to encode, waiting included; None before the first.
        failed: Clips that the engine failed on.
        trouble: None while the engine encodes; else the sentence that says that it fails.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        *,
        pace: RateController,
        waiting: int,
        stale_after: float,
        thumbnail_width: int,
        monotonic: Clock,
        on_encoded: Callable[[Entry], None],
        on_trouble: Callable[[], None],
    ) -> None:
        """Take what encoding needs.

        Args:
            name: The stream's, for the log.
            engine: Encodes.
            pace: Chooses how often the stream looks.
            waiting: Clips that may wait.
            stale_after: Age in seconds at which a clip is lost once others had to be lost.
            thumbnail_width: In pixels.
            monotonic: Seconds that never go back.
            on_encoded: Takes what is to be remembered.
            on_trouble: Is told when `trouble` changes.
        """
        self.pace = pace
        self.encode_ms: float | None = None
        self.failed = 0
        self.trouble: str | None = None
        self._name = name
        self._engine = engine
        self._stale_after = stale_after
        self._thumbnail_width = thumbnail_width
        self._monotonic = monotonic
        self._on_encoded = on_encoded
        self._on_trouble = on_trouble
        self._failures_in_a_row = 0
        self._mailbox = Mailbox[tuple[Clip, float]](waiting)
        self._lost_seen = self._stale = self._refused = 0
        self._overloaded = False
        self._ages: deque[float] = deque(maxlen=AGES)
        self._encoding = False
        self._done = asyncio.Event()
        self._closed = False

    @property
    def lost(self) -> int:
        """Clips lost to overload: displaced, stale, refused, or not done when the stream closed."""
        return self._mailbox.lost + self._stale + self._refused

    @property
    def busy(self) -> bool:
        """Whether clips are being encoded or wait for it."""
        return self._encoding or len(self._mailbox) > 0

    def ages(self) -> list[float]:
        """Return how old the newest frames of recent clips were when the network began, in order."""
        return list(self._ages)

    def put(self, clip: Clip, captured: float, *, paced: bool) -> None:
        """Take a clip whose newest frame arrived at `captured`. Never waits.

        Args:
            clip: To encode.
            captured: Monotonic seconds.
            paced: Whether its source goes on whatever happens here, so that only looking less
                often helps.
        """
        if paced:
            self.pace.clip_queued(len(self._mailbox))
        self._mailbox.put((clip, captured))

    async def room(self) -> None:
        """Wait until `put` would lose nothing."""
        await self._mailbox.room()

    async def settled(self) -> None:
        """Wait until nothing is being encoded or waits for it."""
        while self.busy and not self._closed:
            self._done.clear()
            await self._done.wait()

    def close(self) -> None:
        """Let `run` encode what waits, and end."""
        self._mailbox.close()

    def abandon(self) -> None:
        """Lose what waits, and wake whoever waits for `settled`: `run` will not go on."""
        self._closed = True
        if self._mailbox:
            log.warning("stream %s: %d clips were not encoded", self._name, len(self._mailbox))
        self._mailbox.lose()
        self._done.set()

    async def run(self) -> None:
        """Encode until closed."""
        while True:
            try:
                clip, captured = await self._mailbox.get()
            except Closed:
                return
            self._encoding = True
            try:
                await self._encode(clip, captured)
            finally:
                self._encoding = False
                self._done.set()

    async def _encode(self, clip: Clip, captured: float) -> None:
        began = self._monotonic()
        stale = began - captured > self._stale_after
        self._overloaded = self._mailbox.lost > self._lost_seen or (self._overloaded and stale)
        self._lost_seen = self._mailbox.lost
        if self._overloaded and stale:
            self._stale += 1
            return
        error = await self._try(clip, captured)
        if isinstance(error, EngineBusy):
            self._refused += 1
            self.pace.clip_queued(1)
        elif error is not None:
            self._count_failure(error)
        else:
            self._failures_in_a_row = 0
            self._say(None)
            took = self._monotonic() - began
            self.encode_ms = took * 1000
            self.pace.clip_encoded(took, self._engine.frames_per_clip / self.pace.rate)

    async def _try(self, clip: Clip, captured: float) -> BaseException | None:
        """Encode `clip` and hand on what is to be remembered; return what went wrong.

        Raises:
            CancelledError: If the stream was closed before the engine was done.
        """
        # In a task of its own: whatever the network makes of one clip, the stream goes on.
        work = asyncio.create_task(self._work(clip, captured))
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            self._refused += 1
            work.cancel()
            await asyncio.wait([work])
            raise
        if work.cancelled():
            return EngineBusy("The engine stopped.")
        if (error := work.exception()) is None:
            self._on_encoded(work.result())
        return error

    async def _work(self, clip: Clip, captured: float) -> Entry:
        ages: list[float] = []
        try:
            # Told from the engine's thread; `_ages` belongs to this one.
            tokens = await self._engine.encode(
                clip, lambda: ages.append(self._monotonic() - captured)
            )
        finally:
            self._ages.extend(ages)
        return Entry(tokens, await asyncio.to_thread(thumbnail, clip, self._thumbnail_width))

    def _count_failure(self, error: BaseException) -> None:
        self.failed += 1
        self._failures_in_a_row += 1
        if self._failures_in_a_row == 1:
            # A network that is broken fails every few seconds: one report is enough.
            log.error("a clip of stream %s could not be encoded", self._name, exc_info=error)
        if self._failures_in_a_row >= FAILURES_TOLD:
            self._say(
                f"The encoder fails on every clip ({type(error).__name__}), so nothing new is "
                "remembered; the service's log says more."
            )

    def _say(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._on_trouble()
