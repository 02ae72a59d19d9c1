"""What a live stream tells about itself: its state in words, its numbers, its news.

The page, the list of streams and the benchmarks all read these; nothing here can change a stream.
"""

from dataclasses import dataclass
from typing import Literal

from memory.store import Moment, StreamRecord

State = Literal["connecting", "live", "stalled", "retrying", "ended"]
SourceKind = Literal["none", "webrtc", "pictures", "file", "url", "device"]


@dataclass(frozen=True, slots=True)
class Losses:
    """How many clips never reached memory, by cause.

    Attributes:
        overload: Newer clips took their place before the encoder was free.
        failed: The encoder failed on them.
        unwritten: The store stayed away for longer than the backlog holds.
        full: The store had no room.
    """

    overload: int = 0
    failed: int = 0
    unwritten: int = 0
    full: int = 0

    @property
    def total(self) -> int:
        """All clips lost since the stream was opened here."""
        return self.overload + self.failed + self.unwritten + self.full


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept of a stream, and from when on how.

    Attributes:
        bytes: What it takes in memory.
        keep_seconds: How long what it showed is kept; None is as the service says.
        coarse_until: Media time before which clips are kept with fewer bits; None is not at all.
        folded_until: Media time before which several clips are kept as one; None is not at all.
        forgotten_until: Media time before which nothing is kept any more, to make room or because of
            its age; None is not at all.
    """

    bytes: int = 0
    keep_seconds: float | None = None
    coarse_until: float | None = None
    folded_until: float | None = None
    forgotten_until: float | None = None

    @staticmethod
    def of(record: StreamRecord | None) -> "Held":
        """Return what `record` says of it; nothing is held of a stream that has none."""
        if record is None:
            return Held()
        return Held(
            record.bytes,
            record.keep,
            record.coarse_until,
            record.folded_until,
            record.forgotten_until,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStatus:
    """A stream at one moment; the wire has the same names.

    Attributes:
        name: The stream's identifier.
        state: `connecting` (no frame yet), `live`, `stalled` (frames stopped), `retrying` (a
            pulled source is away) or `ended` (nothing feeds it; it can still be asked).
        reason: Why it is in this state, as a sentence for people.
        source: What feeds it now, or fed it last; `none` if it is known from the store alone.
        began: Wall-clock time of media time zero, in Unix seconds.
        end: End of the newest remembered clip in media seconds; None without clips.
        clips: Clips remembered.
        frames: Pictures that arrived since the stream was opened here.
        sampled: Frames of those that were sampled.
        rate: Frames sampled per second of media time, as it is set now.
        lost: Clips that never reached memory, by cause.
        unwritten: Encoded clips that wait for the store.
        frame_age_ms: From the arrival of a whole picture to the moment the network begins to encode
            it, for the newest clip's newest picture; None before the first.
        frame_age_p50_ms: The same, the median of the newest clips.
        frame_age_p99_ms: The same, the worst one in a hundred of the newest clips.
        encode_ms: How long the newest clip took to encode, waiting included; None before the first.
        memory: None while what is seen is remembered; else the sentence that says why not.
        held: What is kept, and from when on how, as memory said last.
    """

    name: str
    state: State = "ended"
    reason: str = "No source is connected."
    source: SourceKind = "none"
    began: float
    end: float | None
    clips: int
    frames: int = 0
    sampled: int = 0
    rate: float
    lost: Losses = Losses()
    unwritten: int = 0
    frame_age_ms: float | None = None
    frame_age_p50_ms: float | None = None
    frame_age_p99_ms: float | None = None
    encode_ms: float | None = None
    memory: str | None = None
    held: Held = Held()


def remembered(record: StreamRecord, rate: float) -> StreamStatus:
    """Return the status of a stream that is known from the store alone.

    Args:
        record: What the store knows.
        rate: Frames that would be sampled per second.
    """
    return StreamStatus(
        name=record.name,
        began=record.began,
        end=record.end,
        clips=record.clips,
        rate=rate,
        held=Held.of(record),
    )


@dataclass(frozen=True, slots=True)
class ClipRemembered:
    """News: a clip is in memory and can be asked about."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Changed:
    """News: the stream's state, its reason, or what memory says of it, is another one now."""

    status: StreamStatus


StreamEvent = ClipRemembered | Changed
