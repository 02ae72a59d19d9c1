"""A live stream: the object with a life, from the first frame to the last question.

Any source feeds it through a `Feed`; it samples, groups frames into clips, has them encoded,
remembered and added to the engine's history, and answers questions from all of it. It outlives
its sources: a browser that reloads opens a new feed of the same stream, and what was seen stays.

    source --Feed--> sampler --> clipper --> mailbox (newest wins) --> encoder --> store, history
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from jaxtyping import UInt8

from memory.store import ClipStore, StreamRecord
from model.engine import Engine
from model.types import AnswerPiece, Question
from stream.status import SourceKind, State, StreamEvent, StreamStatus

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How a stream looks at its source.

    Attributes:
        rate: Pictures looked at per second of media time while the encoder keeps up.
        slowest_rate: The fewest it goes down to under load before clips are lost.
        stalled_after: Seconds without a frame after which a stream is shown as stalled.
        waiting_clips: Clips that may wait for the encoder; the newest win.
        unwritten_clips: Encoded clips kept while the store is away; the newest win.
        thumbnail_width: Width of a clip's picture in memory, in pixels.
    """

    rate: float = 2.0
    slowest_rate: float = 0.5
    stalled_after: float = 3.0
    waiting_clips: int = 2
    unwritten_clips: int = 256
    thumbnail_width: int = 160


class Feed:
    """One source's way into a stream. Opened by `LiveStream.open_feed`; close it when done.

    All methods are for the event loop's thread and return at once. When another source takes
    the stream over, `closed` is set and everything given from then on is ignored.
    """

    @property
    def closed(self) -> bool:
        """Whether this feed is over: closed by its source, taken over, or the stream closed."""
        raise NotImplementedError

    def accepts(self, time: float) -> bool:
        """Say whether the picture at `time` (seconds, the source's own clock) is to be looked at.

        Ask for every picture that arrives, before converting it: this counts it, keeps the
        stream live, and converts nothing that would be thrown away.
        """
        raise NotImplementedError

    def give(self, pixels: UInt8[np.ndarray, "height width 3"], time: float) -> None:
        """Hand over the RGB picture that `accepts(time)` said yes to."""
        raise NotImplementedError

    def say(self, state: State, reason: str) -> None:
        """Show the source's own trouble: `connecting` or `retrying`, and why."""
        raise NotImplementedError

    def close(self, reason: str) -> None:
        """End: flush the clip begun, and show `reason`. Safe to call twice."""
        raise NotImplementedError


class Subscription:
    """News of one stream for one reader; a slow reader loses the oldest news, never memory.

        with live.subscribe() as news:
            async for event in news: ...

    The iteration ends when the stream is closed.
    """

    def __enter__(self) -> "Subscription":
        raise NotImplementedError

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        raise NotImplementedError

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        raise NotImplementedError


class LiveStream:
    """One named stream. Made and closed by the `Registry`."""

    def __init__(
        self,
        record: StreamRecord,
        *,
        engine: Engine,
        store: ClipStore,
        settings: LiveSettings,
        wall: Clock,
        monotonic: Clock,
    ) -> None:
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The stream's identifier."""
        raise NotImplementedError

    def open_feed(self, source: SourceKind, *, own_times: bool = False) -> Feed:
        """Let a source in; the one before it, if any, is closed: the newest wins.

        Media time goes on with the wall clock: what lies between two feeds is a gap. With
        `own_times` (a file read as fast as it can be) media time is the file's own, counted
        on from the newest clip.
        """
        raise NotImplementedError

    def status(self) -> StreamStatus:
        """Return what the stream can tell of itself now."""
        raise NotImplementedError

    def subscribe(self) -> Subscription:
        """Return news from now on: every clip remembered, every change of state."""
        raise NotImplementedError

    def ask(self, question: Question) -> AsyncGenerator[AnswerPiece, None]:
        """Answer from everything remembered so far, as words come; use `aclosing`.

        The engine's history is first brought up to date from the store.

        Raises:
            NothingSeen: If no clip has been remembered, or none in the time asked about.
            StoreUnavailable: If memory cannot be read.
            ForeignTokens: If what is remembered was made by another vision encoder.
            EngineBusy: If too many questions wait already.
        """
        raise NotImplementedError

    def newest_picture(self) -> UInt8[np.ndarray, "height width 3"] | None:
        """Return the picture looked at last, RGB; None before the first."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Wait until every clip given so far is remembered or counted as lost."""
        raise NotImplementedError

    async def close(self) -> None:
        """End the feed and the work, write what can be written, end all subscriptions."""
        raise NotImplementedError
