"""A live stream: the object with a life, from the first frame to the last question.

Any source feeds it through a `Feed`, its `Pipeline` has clips encoded and remembered, and questions
are answered from all of it. It outlives its sources: a browser that reloads opens a new feed of the
same stream, and what was seen stays.

    source --Feed--> clips --Pipeline--> store, history --> answers
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from memory.store import ClipStore, Moment, StreamRecord
from model.engine.contract import Engine
from model.types import AnswerPiece, Finish, Question
from stream.channels import Broadcast, Subscription
from stream.errors import StreamClosed
from stream.feed import Feed
from stream.feeds import Feeds
from stream.frames.frame import Picture
from stream.frames.timeline import Clock
from stream.past.recall import Recall
from stream.past.record import LiveRecord
from stream.past.thing_index import ThingIndex
from stream.pipeline import OnEncoded, Pipeline, ignore_clip
from stream.reel import Reel
from stream.settings import StreamSettings
from stream.status import Changed, SourceKind, StreamEvent, StreamStatus

log = logging.getLogger(__name__)

_NEWS_WAITING = 64


class LiveStream:
    """One named stream. Made, started and closed by the `Registry`.

    Attributes:
        deleted: Whether another process deleted it while it was fed here.
        reel: Its newest pictures.
    """

    def __init__(
        self,
        record: StreamRecord,
        *,
        engine: Engine,
        store: ClipStore,
        settings: StreamSettings,
        wall: Clock,
        monotonic: Clock,
        admit: Callable[[], None] = lambda: None,
        on_encoded: OnEncoded = ignore_clip,
        films: Callable[[str], bool] = lambda _: False,
        index: ThingIndex | None = None,
    ) -> None:
        """Take what the stream works with.

        Args:
            record: What the store knows of it.
            engine: Encodes and answers.
            store: Remembers.
            settings: How it samples its source.
            wall: Unix seconds; read when a source connects.
            monotonic: Seconds that never go back.
            admit: Raises if the stream may not have a source now.
            on_encoded: Is shown every encoded clip; must not wait.
            films: Says whether films of what a stream shows may be asked for, also while nobody
                watches it.
            index: Knows what remembered clips show; None is one of its own.
        """
        self._engine = engine
        self._settings = settings
        self._wall = wall
        self._monotonic = monotonic
        self._admit = admit
        self._news = Broadcast[StreamEvent](_NEWS_WAITING)
        self._pictures = Broadcast[Picture](1)
        self.reel = Reel(
            settings.reel_seconds, lambda: films(record.name) or self._pictures.readers > 0
        )
        self._recall = Recall(
            record.name, engine, store, looks_again=settings.second_look, index=index
        )
        self._record = LiveRecord(record, store, engine)
        self._pipeline = Pipeline(
            self._record,
            engine=engine,
            news=self._news,
            settings=settings,
            monotonic=monotonic,
            on_trouble=self._changed,
            on_deleted=self._end_deleted,
            on_encoded=on_encoded,
        )
        self._feeds = Feeds(
            self._record,
            engine=engine,
            settings=settings,
            pipeline=self._pipeline,
            pictures=self._pictures,
            reel=self.reel,
            wall=wall,
            monotonic=monotonic,
            on_change=self._changed,
        )
        self.deleted = False
        self._closed = False
        self._beside: list[asyncio.Task[None]] = []

    @property
    def name(self) -> str:
        """The stream's identifier."""
        return self._record.name

    @property
    def fed(self) -> bool:
        """Whether it has a source now."""
        return self._feeds.open

    @property
    def unfinished(self) -> bool:
        """Whether clips wait to be encoded or written."""
        return self._pipeline.busy

    @property
    def asked(self) -> bool:
        """Whether someone is being answered from it, or about to be."""
        return self._recall.busy

    @property
    def end(self) -> float | None:
        """End of the newest remembered clip in media seconds; None without clips."""
        return self._record.end

    def start(self) -> None:
        """Begin to encode and write what feeds will bring."""
        self._pipeline.start()
        self._beside = [asyncio.create_task(work) for work in (self._watch(), self.reel.run())]

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._settings.stalled_after / 4)
            self.check()

    def check(self) -> None:
        """Show the stream as stalled if pictures stopped coming."""
        self._feeds.check()

    # Pictures in.

    @property
    def image_size(self) -> int:
        """Height and width of the frames that the encoder takes, in pixels."""
        return self._engine.image_size

    @property
    def frame_side(self) -> int:
        """Shorter side of the pictures that a feed is given, in pixels: scale larger ones down."""
        return self._settings.side_for(self._engine.image_size)

    @property
    def rate(self) -> float:
        """Frames sampled per second of media time while nothing slows it."""
        return self._settings.rate

    def now(self) -> float:
        """Return the monotonic seconds that feeds count in."""
        return self._monotonic()

    def open_feed(
        self, source: SourceKind, *, own_times: bool = False, longest_gap: float | None = None
    ) -> Feed:
        """Let a source in; the one before it, if any, is closed: the newest wins.

        Media time goes on with the wall clock: what lies between two feeds is a gap. With
        `own_times` (a file read as fast as it can be) media time is the file's own, counted
        on from the newest clip. Pictures that lie further apart than `longest_gap` seconds are not
        put into one clip; None is as the settings say.

        Raises:
            StreamClosed: If it is closed: what is fed now would be lost.
            NoRoom: If it has no source and every place of the registry is taken.
        """
        if self._closed or self.deleted:
            raise StreamClosed("The stream was closed meanwhile; connect again.")
        if not self.fed:
            self._admit()
        return self._feeds.begin(source, own_times=own_times, longest_gap=longest_gap)

    def end_feed(self, reason: str) -> None:
        """Let its source go, if it has one: somebody else feeds the stream from now on."""
        self._feeds.close(reason)

    # News and pictures out.

    def subscribe(self) -> Subscription[StreamEvent]:
        """Return news from now on: every clip remembered, every change of state."""
        return self._news.subscribe()

    def watch(self) -> Subscription[Picture]:
        """Return the newest pictures, RGB, about 10 a second where the source has that many.

        While someone watches more pictures are converted than are sampled.
        """
        return self._pictures.subscribe()

    def newest_picture(self) -> Picture | None:
        """Return the frame sampled last, RGB; None before the first."""
        return self._feeds.newest_picture

    def status(self) -> StreamStatus:
        """Return what the stream can tell of itself now."""
        pipeline = self._pipeline
        newest, median, worst = pipeline.health.frame_ages_ms()
        status = StreamStatus(
            name=self.name,
            began=self._record.began,
            end=self._record.end,
            clips=self._record.clips,
            rate=pipeline.rate,
            lost=pipeline.lost,
            unwritten=pipeline.unwritten,
            frame_age_ms=newest,
            frame_age_p50_ms=median,
            frame_age_p99_ms=worst,
            encode_ms=pipeline.health.encode_ms,
            memory=pipeline.health.trouble,
            held=self._record.held,
        )
        return self._feeds.shown_in(status)

    def _changed(self) -> None:
        if not self.fed:
            self.reel.rest()
        self._news.publish(Changed(self.status()))

    # Questions.

    async def ask(self, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Answer from everything given so far, as words come; use `aclosing`.

        What is being encoded is waited for, but not for ever: `Usage.behind` says what lacks.

        Raises:
            NothingSeen: If no clip has been remembered, or none in the time asked about.
            StoreUnavailable: If memory cannot be read.
            EncoderMismatch: If what is remembered was made by another vision encoder.
            EngineBusy: If too many questions wait already.
        """
        with self._recall.called():
            await self.wait_for_given(question)
            newest = max(self._under_way(question, begun=True), default=-math.inf)
            behind = newest - (self.end or 0.0)
            asked = replace(question, ended=not self.fed)
            async with aclosing(self._recall.ask(asked)) as pieces:
                async for piece in pieces:
                    yield _behind(piece, behind, newest) if isinstance(piece, Finish) else piece

    async def wait_for_given(self, question: Question) -> None:
        """Wait for clips that were given before `question` and are being encoded, but not for ever."""
        if self._under_way(question):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.question_waits):
                    await self.looked()

    def _under_way(self, question: Question, *, begun: bool = False) -> list[float]:
        """Return the ends of clips that a question is about and that are not remembered yet.

        Args:
            question: What is asked; nothing later than its range counts.
            begun: Whether to count the pictures that wait for others to make a clip, too.
        """
        moments = self._pipeline.under_way
        if begun and (unfinished := self._feeds.begun) is not None:
            moments.append(unfinished)
        until = math.inf if question.until is None else question.until
        return [min(moment.end, until) for moment in moments if moment.start <= until]

    async def settle(self) -> None:
        """Wait until every clip given so far is remembered or counted as lost."""
        await self._pipeline.settle()

    async def looked(self) -> None:
        """Wait as `settle` does, but not for a store that is away."""
        await self._pipeline.looked()

    async def catch_up(self) -> None:
        """Bring the engine's history up to date from the store, ahead of a question.

        Raises:
            StoreUnavailable: If memory cannot be read.
            EncoderMismatch: If what is remembered was made by another vision encoder.
        """
        await self._recall.catch_up()

    # What is forgotten.

    async def forget(self, since: float, until: float) -> Moment:
        """Remember nothing of a time any more that is still on its way; return it, cut off at now."""
        newest = self._pipeline.newest or 0.0
        span = Moment(since, min(until, max(newest, self._wall() - self._record.began)))
        self._pipeline.forget(span)
        self.reel.forget(span)
        await self._engine.forget(self.name)
        return span

    async def refresh(self, record: StreamRecord | None, known: float | None) -> None:
        """Take over what the store said, which may have lost old clips.

        Args:
            record: What it said; None if it does not know the stream.
            known: What `end` was when it was asked: what was remembered since is not lost.
        """
        await self._record.refresh(record, known)

    def _end_deleted(self) -> None:
        self.deleted = True
        log.warning("stream %s was deleted by another process; its source is let go", self.name)
        self._pipeline.abandon()
        self.reel.forget(Moment(-math.inf, math.inf))
        self._feeds.close("The stream was deleted.")

    # The end.

    async def close(self, reason: str = "The stream was closed.") -> None:
        """End the feed and the work, write what can be written, end all subscriptions."""
        self._closed = True
        self._recall.close()
        self._feeds.close(reason)
        try:
            await self._pipeline.close()
        finally:  # also if whoever closes it is stopped meanwhile
            self.reel.close()
            for task in self._beside:
                task.cancel()
            await asyncio.gather(*self._beside, return_exceptions=True)
            self._news.close()
            self._pictures.close()


def _behind(finish: Finish, behind: float, newest: float) -> Finish:
    """Return `finish`, saying what its answer lacks.

    Args:
        finish: Of the answer.
        behind: Seconds from the end of what was remembered to the newest that was given.
        newest: Media second of the latter; it may have been read after all.
    """
    lacks = max(0.0, min(behind, newest - finish.usage.end))
    return replace(finish, usage=replace(finish.usage, behind=lacks))
