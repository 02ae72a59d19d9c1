"""What the service says of a live stream, over WebSocket and HTTP alike.

OpenAI's Realtime API has no names for it; ours begin with `flashback.`. `docs/protocol.md` is
generated from these types.
"""

from typing import Literal

from stream.status import SourceKind, State
from web.realtime.wire_items import Wire


class ServerMessage(Wire):
    """Something the service says."""

    event_id: str


class MomentReport(Wire):
    """One remembered clip."""

    start: float
    end: float


class MomentRemembered(ServerMessage):
    """A clip is in memory and can be asked about from now on."""

    type: Literal["flashback.moment"] = "flashback.moment"
    stream: str
    moment: MomentReport


class StreamAbsent(ServerMessage):
    """There is no such stream: it has not begun yet, or was deleted and what it showed is forgotten."""

    type: Literal["flashback.absent"] = "flashback.absent"
    stream: str


class LossReport(Wire):
    """Clips that never reached memory, by cause.

    Attributes:
        overload: Newer ones took their place before the encoder was free.
        failed: The encoder failed on them; the log says how.
        unwritten: Memory stayed away for too long.
        full: Memory had no room.
    """

    overload: int
    failed: int
    unwritten: int
    full: int


class HeldReport(Wire):
    """What is kept of a stream: past a quota, older clips are kept with less detail.

    Attributes:
        bytes: What it takes in memory.
        keep_seconds: How long what it showed is kept; null is as the service is set up.
        coarse_until: Media second before which clips are kept with fewer bits.
        folded_until: Media second before which several clips are kept as one.
        forgotten_until: Media second before which nothing is kept any more.
    """

    bytes: int
    keep_seconds: float | None
    coarse_until: float | None
    folded_until: float | None
    forgotten_until: float | None


class StreamReport(Wire):
    """What a stream tells of itself; also the body of `GET /v1/streams/{stream}`.

    Attributes:
        state: `connecting`, `live`, `stalled`, `retrying` or `ended`.
        reason: Why it is in this state, as a sentence.
        source: What feeds it, or fed it last.
        origin: Where a pulled source comes from, without credentials; null for others.
        began: Unix seconds of media time zero.
        end: Media second where the newest remembered clip ends.
        clips: Clips remembered.
        frames: Pictures that arrived since the stream was opened.
        sampled: Frames of those that were sampled.
        rate: Frames sampled per second, as it is now.
        lost: Clips that never reached memory, by cause.
        unwritten: Encoded clips that wait for memory to come back.
        frame_age_ms: From the arrival of a whole picture to the moment the network begins to encode
            it, every wait but that for the other pictures of its clip included; of the newest clip's
            newest picture.
        frame_age_p50_ms: The median of the newest clips.
        frame_age_p99_ms: The worst one in a hundred of the newest clips.
        encode_ms: What the newest clip took to encode, waiting included.
        memory: Null, or why what is seen cannot be remembered now.
        held: What is kept of it, and from when on how.
    """

    name: str
    state: State
    reason: str
    source: SourceKind
    origin: str | None = None
    began: float
    end: float | None
    clips: int
    frames: int
    sampled: int
    rate: float
    lost: LossReport
    unwritten: int
    frame_age_ms: float | None
    frame_age_p50_ms: float | None
    frame_age_p99_ms: float | None
    encode_ms: float | None
    memory: str | None
    held: HeldReport


class StreamChanged(ServerMessage):
    """The stream's state is another one now; sent once at the start, and then every 2 s."""

    type: Literal["flashback.stream"] = "flashback.stream"
    stream: StreamReport
