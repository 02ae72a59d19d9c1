"""What the service says, as far as this client reads it; whatever else it says is passed over.

Times are media seconds, since the stream began, unless they are called clocks: those are ISO 8601.
"""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """The base of all: frozen, and fields that only a newer service knows are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Lost(Value):
    """Clips that never reached memory."""

    total: int = 0


class Stream(Value):
    """A stream of the service.

    Attributes:
        name: What it is called.
        state: `connecting`, `live`, `stalled`, `retrying` or `ended`.
        reason: Why it is in that state, as a sentence.
        began: Unix second at which it began.
        end: Media second up to which it is remembered; None before the first moment.
        clips: Moments that are remembered.
        frame_age_ms: How old what is seen was when the network began with it; None before the first.
        rate: Frames sampled a second.
        lost: Moments that were not remembered.
    """

    name: str
    state: str
    reason: str
    began: float
    end: float | None
    clips: int
    frame_age_ms: float | None = None
    rate: float = 0.0
    lost: Lost = Lost()

    def media(self, clock: datetime) -> float:
        """Return the media second at which it was `clock`; one without a zone is local."""
        return clock.timestamp() - self.began

    def clock(self, media: float) -> datetime:
        """Return when a media second was, in UTC."""
        return datetime.fromtimestamp(self.began + media, UTC)


class Moment(Value):
    """What was remembered of a few seconds."""

    start: float
    end: float


class Evidence(Value):
    """How much an answer rests on one moment.

    Attributes:
        start: Where the moment begins.
        end: Where it ends.
        score: Its share; those of an answer sum to 1.
        clock: What a clock showed when it began; None of pictures.
    """

    start: float
    end: float
    score: float
    clock: str | None = None


class TimeUnderstood(Value):
    """The words of time in a question, and the range that they were taken for."""

    words: str
    since: float | None
    until: float | None
    since_clock: str | None
    until_clock: str | None
    question: str


class Answer(Value):
    """An answer and what it rests on.

    Attributes:
        text: In words.
        stream: The stream that was asked.
        start: Media second from which on the answer could look.
        end: Media second up to which it could.
        behind: Seconds of video that came before the question, after `end`, and were not read yet.
        frames: Frames that were seen in between.
        evidence: The moments it rests on, oldest first.
        time: The words of time in the question, if it had any.
    """

    text: str
    stream: str | None
    start: float
    end: float
    behind: float
    frames: int
    evidence: tuple[Evidence, ...]
    time: TimeUnderstood | None


class FoundMoment(Value):
    """A stretch of a stream that shows what was looked for.

    Attributes:
        stream: Where.
        start: Its first media second.
        end: Its last.
        clock: What a clock showed at its start.
        best: Where the moment in it begins that fits best.
        best_end: Where that moment ends.
        score: How sure it is, 0 to 1.
        moments: How many moments of it fit.
        thumbnail: Path of its picture at the service.
    """

    stream: str
    start: float
    end: float
    clock: str | None
    best: float
    best_end: float
    score: float
    moments: int
    thumbnail: str


class SearchResult(Value):
    """What was found.

    Attributes:
        understood: What was looked for, in a sentence.
        unmatched: Parts of the request that no moment can be matched on.
        notes: Sentences that should be read beside it.
        found: The surest first.
        total: How many there are, more of them perhaps than are listed.
    """

    understood: str
    unmatched: tuple[str, ...]
    notes: tuple[str, ...]
    found: tuple[FoundMoment, ...]
    total: int


class Scene(Value):
    """Neighbouring moments that show much the same.

    Attributes:
        start: First media second.
        end: Last media second.
        start_clock: What a clock showed at its start.
        end_clock: What it showed at its end.
        text: What was there, in words.
        came: Names of what the scene before had not.
        left: Names of what only the scene before had.
        thumbnail: Path of its picture at the service.
    """

    start: float
    end: float
    start_clock: str | None
    end_clock: str | None
    text: str
    came: tuple[str, ...]
    left: tuple[str, ...]
    thumbnail: str


class ThingSeen(Value):
    """What became of one thing in a time.

    Attributes:
        name: What it is called.
        first_clock: What a clock showed when it was first seen.
        last_clock: The same of the last.
        seconds: How long it was there in all.
        times: How often it came.
        most: How many there were at once, at most; 5 is more than four.
    """

    name: str
    first_clock: str | None
    last_clock: str | None
    seconds: float
    times: int
    most: int


class WatchEvent(Value):
    """One time that a watch fired.

    Attributes:
        id: Its name for programs, the same each time that it is told.
        watch: Which watch.
        question: What that asks.
        stream: Where it was seen.
        at: Unix second when it fired.
        start: Media second where its condition began to hold.
        fired: Media second when it had held long enough.
        end: Media second until when it held; so far, while it is open.
        open: Whether it goes on.
        peak: The highest score of a moment.
        verdict: What the model said: `confirmed`, `rejected`, `failed` or `unverified`.
        why: That in a sentence; or why what is said to be gone may be there still. Else empty.
        evidence: The moments that made it fire, the newest last.
        clip: Path of its film; None if there is none (any more).
    """

    id: str
    watch: str
    question: str
    stream: str
    at: float
    start: float
    fired: float
    end: float
    open: bool
    peak: float
    verdict: str
    why: str
    evidence: tuple[Evidence, ...]
    clip: str | None = None


class Summary(Value):
    """What happened in a time, by the things in its moments; no language model wrote it.

    Attributes:
        stream: Where.
        moments: How many were gone through.
        scenes: In order.
        seen: Every thing that was there, the longest there first.
        events: Of a day: what watches told of it, the newest first.
    """

    stream: str
    moments: int
    scenes: tuple[Scene, ...]
    seen: tuple[ThingSeen, ...]
    events: tuple[WatchEvent, ...] = ()


class StreamAnswer(Value):
    """What one of several streams answers.

    Attributes:
        stream: Which.
        text: In words, times by the clock.
        sureness: How sure it is that the stream shows what the question names; None if it names
            nothing that moments can be matched on.
        seen_last_clock: When that was plainly seen last; None if it was not.
        best: Where the moment begins that stands for the answer; None if no moment does.
        best_end: Where it ends.
        thumbnail: Path of its picture at the service.
    """

    stream: str
    text: str
    sureness: float | None
    seen_last_clock: str | None
    best: float | None
    best_end: float | None
    thumbnail: str | None


class Unanswered(Value):
    """A stream that has no answer, and why."""

    stream: str
    reason: str


class AllAnswers(Value):
    """What several streams answer.

    Attributes:
        text: All of it in a sentence or two; names the camera.
        answers: The one that counts most first.
        unanswered: Streams that have no answer.
        left_out: Streams that were not asked, because there are too many for one question.
    """

    text: str
    answers: tuple[StreamAnswer, ...]
    unanswered: tuple[Unanswered, ...]
    left_out: int
