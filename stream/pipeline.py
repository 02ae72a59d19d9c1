"""The way of a clip into memory, as two coroutines that run side by side.

    clip     ->  engine.encode  ->  backlog
    backlog  ->  store.append   ->  history  ->  news

They are two because encoding must not wait for a store in trouble, and what was encoded should
outlive a short outage. Both queues are bounded, the newest win, every loss is counted by cause.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from memory.errors import StoreFull, StoreUnavailable, StreamForgotten
from memory.store import Moment
from model.engine.contract import Engine
from model.errors import EngineBusy
from model.types import Clip, ClipTokens
from stream.backoff import Backoff
from stream.channels import Broadcast, Mailbox
from stream.frames.rate import RateController
from stream.frames.thumbnail import thumbnail
from stream.frames.timeline import Clock
from stream.health import PipelineHealth, Stage
from stream.past.record import LiveRecord
from stream.settings import StreamSettings
from stream.status import ClipRemembered, Losses, StreamEvent

log = logging.getLogger(__name__)

_INTERNAL = "An internal error lost what was seen; the service's log says more."
_AWAY = "What is seen is kept here for a while, and written once memory takes it."


@dataclass(frozen=True, slots=True, eq=False)
class _Encoded:
    """A clip that waits for the store, with its JPEG thumbnail."""

    tokens: ClipTokens
    thumbnail: bytes


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A clip that waits for the encoder; times are monotonic seconds.

    Attributes:
        captured: When its newest frame arrived.
        late: How long that frame took from there to its clip, in seconds.
        given: When the clip was whole and given.
    """

    clip: Clip
    captured: float
    late: float
    given: float


OnEncoded = Callable[[str, ClipTokens], None]
"""Is shown a stream's name and a clip of it."""


def ignore_clip(_stream: str, _clip: ClipTokens) -> None:
    """Do nothing: nobody watches."""


class Pipeline:
    """Has the clips of one stream encoded and remembered.

    Attributes:
        newest: End of the newest clip given, in media seconds; None before the first.
        health: How it is doing.
    """

    def __init__(
        self,
        record: LiveRecord,
        *,
        engine: Engine,
        news: Broadcast[StreamEvent],
        settings: StreamSettings,
        monotonic: Clock,
        on_trouble: Callable[[], None],
        on_deleted: Callable[[], None],
        on_encoded: OnEncoded = ignore_clip,
    ) -> None:
        """Take what lies along the way.

        Args:
            record: Remembers.
            engine: Encodes, and learns of what was remembered.
            news: Of what was remembered.
            settings: Bounds and times.
            monotonic: Seconds that never go back.
            on_trouble: Is told when what is wrong changes.
            on_deleted: Is told once another process deleted the stream: nothing more is written.
            on_encoded: Is shown every encoded clip, before it is written; must not wait.
        """
        self.newest = record.end
        self.health = PipelineHealth(record.name, on_trouble)
        self._record = record
        self._engine = engine
        self._news = news
        self._settings = settings
        self._monotonic = monotonic
        self._on_deleted = on_deleted
        self._on_encoded = on_encoded
        self._pace = RateController(settings.rate, settings.slowest_rate, settings.stale_after)
        self._waiting = Mailbox[_Waiting](settings.waiting_clips)
        self._backlog = Mailbox[_Encoded](settings.unwritten_clips)
        self._away = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._forgotten: list[Moment] = []

    async def _encode_clips(self) -> None:
        """Clip -> engine -> backlog.

        One at a time, so that every stream gets its share of the engine. When clips queue, the
        stream samples less often; when some had to be lost, what is stale is lost too: then the
        encoder's time is better spent on what is happening now.
        """
        async for waiting in self._waiting:
            began = self._monotonic()
            if self._pace.is_stale(began - waiting.captured, self._waiting.lost):
                self.health.not_encoded += 1
                continue
            # Whatever the network makes of one clip, the stream goes on.
            [made] = await asyncio.gather(self._encode(waiting), return_exceptions=True)
            if isinstance(made, _Encoded):
                self._backlog.put(made)
                self._on_encoded(self._record.name, made.tokens)
                took = self._monotonic() - began
                self.health.note_encoded(took)
                self._pace.clip_encoded(took, self._engine.frames_per_clip / self._pace.rate)
            elif isinstance(made, EngineBusy | asyncio.CancelledError):  # it is stopping
                self.health.not_encoded += 1
                self._pace.clip_queued(1)
            else:
                self.health.note_failure(made)

    async def _remember_clips(self) -> None:
        """Backlog -> store -> history, news; while the store is away, again and again."""
        async for clip in self._backlog:
            try:
                kept = await self._append(clip)
            except StreamForgotten:
                self._on_deleted()
                return
            except StoreUnavailable as error:
                self._backlog.put_back()
                self.health.say("store", f"{_AWAY} {error}")
                if self._backlog.closed:
                    return
                await self._pause(self._backlog, self._settings.retry_after)
            except ValueError as error:
                self.health.failed += 1
                log.error("a clip of stream %s cannot be kept: %s", self._record.name, error)  # noqa: TRY400
                self.health.say(
                    "store", f"What was seen last cannot be kept, and is lost: {error}."
                )
            except StoreFull as error:
                self.health.full += 1
                self.health.say("store", f"Memory is full; new clips are lost. {error}")
            else:
                self.health.say("store", None)
                await self._learn(kept)

    def start(self) -> None:
        """Begin to encode and remember."""
        encoding = self._keep_going("encoder", self._encode_clips, self._waiting)
        remembering = self._keep_going("store", self._remember_clips, self._backlog)
        self._tasks = [asyncio.create_task(encoding), asyncio.create_task(remembering)]

    async def _keep_going(
        self, stage: Stage, work: Callable[[], Coroutine[None, None, None]], queue: Mailbox[Any]
    ) -> None:
        """Do `work` until its queue is closed and empty.

        What nobody thought of costs the clip in hand: the stream, and whoever feeds it, goes on.
        """
        waits = Backoff(self._settings.retry_after, self._settings.longest_retry)
        while True:
            [error] = await asyncio.gather(work(), return_exceptions=True)
            if error is None:
                return
            log.error("stream %s: an internal error", self._record.name, exc_info=error)
            self.health.failed += queue.drop()
            if self.health.is_well(stage):  # it has worked since the last time
                waits.reset()
            self.health.say(stage, _INTERNAL)
            await self._pause(queue, waits.next())

    def put(self, clip: Clip, captured: float, *, late: float = 0.0, paced: bool) -> None:
        """Take a clip whose newest frame arrived at `captured`. Never waits.

        Args:
            clip: To encode.
            captured: Monotonic seconds.
            late: Seconds that the newest frame took from its arrival to its clip.
            paced: Whether its source goes on whatever happens here, so that only sampling
                less often helps.
        """
        self.newest = clip.end if self.newest is None else max(self.newest, clip.end)
        if paced:
            self._pace.clip_queued(len(self._waiting))
        self._waiting.put(_Waiting(clip, captured, late, self._monotonic()))

    def forget(self, span: Moment) -> None:
        """Remember no clip any more that shows anything of `span`; it may not reach into the future."""
        self._forgotten.append(span)

    async def room(self) -> None:
        """Wait until `put` would lose nothing: for a source that can wait."""
        await self._waiting.room()

    async def settle(self) -> None:
        """Wait until every clip given so far is remembered or counted as lost."""
        await self._waiting.join()
        await self._backlog.join()

    async def looked(self) -> None:
        """Wait as `settle` does, but not for a store that is away."""
        await self._waiting.join()
        ends = [asyncio.create_task(wait) for wait in (self._backlog.join(), self._away.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()

    async def close(self) -> None:
        """Encode and write what can be in time; the rest is lost, and counted."""
        self._waiting.close()
        try:
            if self._tasks:
                encoding, remembering = self._tasks
                await asyncio.wait([encoding], timeout=self._settings.close_within)
                self._backlog.close()
                await asyncio.wait([remembering], timeout=self._settings.close_within)
        finally:  # also if whoever closes it is stopped meanwhile
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self.abandon()

    def abandon(self) -> None:
        """Lose what is under way, and wake whoever waits for it: nothing goes on."""
        if lost := self._waiting.abandon():
            log.warning("stream %s: %d clips were not encoded", self._record.name, lost)
        if lost := self._backlog.abandon():
            log.warning("stream %s: %d clips could not be written", self._record.name, lost)

    @property
    def rate(self) -> float:
        """Frames per second that the stream should sample now: fewer under load."""
        return self._pace.rate

    @property
    def busy(self) -> bool:
        """Whether clips wait to be encoded or remembered."""
        return bool(self._waiting.unfinished or self._backlog.unfinished)

    @property
    def under_way(self) -> list[Moment]:
        """When the clips were seen that wait to be encoded or remembered, oldest first."""
        encoded = [Moment(clip.tokens.start, clip.tokens.end) for clip in self._backlog.unfinished]
        return encoded + [
            Moment(waiting.clip.start, waiting.clip.end) for waiting in self._waiting.unfinished
        ]

    @property
    def unwritten(self) -> int:
        """Encoded clips that wait for the store."""
        return len(self._backlog.unfinished)

    @property
    def lost(self) -> Losses:
        """Clips that never reached memory, by cause."""
        return Losses(
            overload=self._waiting.lost + self.health.not_encoded,
            failed=self.health.failed,
            unwritten=self._backlog.lost,
            full=self.health.full,
        )

    async def _encode(self, waiting: _Waiting) -> _Encoded:
        began = self._monotonic()
        encoded = await self._engine.encode(waiting.clip)
        # Not since `captured`: a frame that a scene ends with waited for the next one, to be known as
        # the last, and that is the rate's doing, not a delay.
        self.health.ages.append(waiting.late + began - waiting.given + encoded.waited)
        picture = await asyncio.to_thread(thumbnail, waiting.clip, self._settings.thumbnail_width)
        return _Encoded(encoded.tokens, picture)

    async def _append(self, clip: _Encoded) -> ClipTokens | None:
        """Return the clip as the store keeps it; None if it shows what is to be forgotten."""
        if self._is_forgotten(clip.tokens):
            return None
        if not self.health.is_well("store"):
            await self._record.begin()  # the store may come back with less than it had
        kept = await self._record.append(clip.tokens, clip.thumbnail)
        if self._is_forgotten(kept):  # since it was handed over
            await self._record.forget(kept)
            return None
        return kept

    async def _learn(self, kept: ClipTokens | None) -> None:
        """Add a clip to the history as it is kept, so that one made from memory is the same."""
        if kept is not None:
            await self._engine.learn(self._record.name, kept, after=self._record.end)
            self._record.count(kept)
            self._news.publish(ClipRemembered(Moment(kept.start, kept.end)))

    def _is_forgotten(self, tokens: ClipTokens) -> bool:
        return any(
            span.start <= tokens.end and tokens.start <= span.end for span in self._forgotten
        )

    async def _pause(self, queue: Mailbox[Any], seconds: float) -> None:
        self._away.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await queue.wait_closed()
        self._away.clear()
