"""What the service says of watches, as far as this client reads it."""

from pydantic import Field

from flashback_client.types import Value, WatchEvent


class WatchClause(Value):
    """One kind of thing that a watch waits for.

    Attributes:
        words: Names; any of them counts.
        at_least: How many; 5 is "more than four".
        colour: None is any.
        movement: None is any, also none.
        place: None is anywhere.
    """

    words: tuple[str, ...]
    at_least: int = 1
    colour: str | None = None
    movement: str | None = None
    place: str | None = None


class WatchSchedule(Value):
    """When a watch tells, by the clock on the wall.

    Attributes:
        start: `HH:MM`.
        end: `HH:MM`; one that is not later than `start` is of the next day.
        days: Days on which it starts, 0 is Monday.
        timezone: Such as `Europe/Berlin`.
    """

    start: str
    end: str
    days: tuple[int, ...]
    timezone: str


class WatchCounters(Value):
    """What has become of a watch since it was made.

    Attributes:
        fired: Events.
        confirmed: Events that the model said yes to.
        rejected: Events that it said no to: nobody was told.
        failed: Events that it could not be asked about.
        delivered: Webhooks that were taken.
        undelivered: Webhooks that were given up.
        last_fired: Unix second of the newest event.
        last_error: What went wrong last, in a sentence.
    """

    fired: int = 0
    confirmed: int = 0
    rejected: int = 0
    failed: int = 0
    delivered: int = 0
    undelivered: int = 0
    last_fired: float | None = None
    last_error: str | None = None


class WatchReading(Value):
    """What was made of a question.

    Attributes:
        understood: What is watched for, in a sentence.
        positive: What has to be seen, all of it.
        negative: What must not be seen, none of it.
        hold_s: Seconds that it has to last.
        after_seen: Whether `negative` counts only once it was seen.
        unmatched: Parts of the question that clips cannot be matched on.
        notes: What a person should know beside it.
    """

    understood: str
    positive: tuple[WatchClause, ...]
    negative: tuple[WatchClause, ...]
    hold_s: float
    after_seen: bool
    unmatched: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Watch(WatchReading):
    """A standing question.

    Attributes:
        id: Its name for programs.
        question: As a person said it.
        streams: Where; none is everywhere.
        onset: Sureness from which on a clip shows a thing.
        offset: Sureness below which it does not.
        refractory_s: Media seconds after an event in which there is no other of the same stream.
        verify: Whether the model is asked before anybody is told.
        schedule: When it tells; None is always.
        expires: Unix second after which it does not; None is never.
        state: `on`, `paused`, `expired` or such.
        hard_to_see: By the name of the stream, the share of clips that show its thing where that is few.
        webhook: Where events are sent, without what may be secret in it; None is nowhere.
        webhook_secret: What signs them, where the webhook was set just now; else None.
        counters: What has become of it; `last_error` among it.
        created: Unix second.
        changed: Unix second of the newest change.
    """

    id: str
    question: str
    streams: tuple[str, ...]
    onset: float
    offset: float
    refractory_s: float
    verify: bool
    schedule: WatchSchedule | None
    expires: float | None
    state: str
    hard_to_see: dict[str, float] = Field(default_factory=dict)
    webhook: str | None = None
    webhook_secret: str | None = Field(default=None, repr=False)
    counters: WatchCounters
    created: float
    changed: float


class WatchList(Value):
    """Every watch, the oldest first.

    Attributes:
        watches: Those that the token may see.
        trouble: None, or why none of them can tell anything.
        lost: Clips that were not looked at, and events that were not told, for want of time.
    """

    watches: tuple[Watch, ...]
    trouble: str | None = None
    lost: int = 0


class WatchReplay(Value):
    """When a watch would have fired on one stream.

    Attributes:
        stream: Which.
        clips: Remembered moments that were looked at.
        events: Oldest first; none of them is kept, and nobody is told.
    """

    stream: str
    clips: int
    events: tuple[WatchEvent, ...]


class WatchTest(Value):
    """When a watch would have fired, by what is remembered.

    Attributes:
        streams: What was looked at.
        left_out: Streams that were not, because there are too many for one test.
    """

    streams: tuple[WatchReplay, ...]
    left_out: int = 0


class DeadLetter(Value):
    """An event that a webhook would not take, for hours.

    Attributes:
        event: What it was not told.
        tries: How often it was tried again.
        error: Why the last try failed.
        at: Unix second when it was given up.
    """

    event: WatchEvent
    tries: int
    error: str
    at: float
