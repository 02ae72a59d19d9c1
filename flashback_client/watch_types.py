"""What the service says of watches, as far as this client reads it."""

from pydantic import Field

from flashback_client.types import Value


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


class Watch(Value):
    """A standing question.

    Attributes:
        id: Its name for programs.
        question: As a person said it.
        streams: Where; none is everywhere.
        understood: What is watched for, in a sentence.
        unmatched: Parts of the question that clips cannot be matched on.
        positive: What has to be seen, all of it.
        negative: What must not be seen, none of it.
        hold_s: Seconds that it has to last.
        after_seen: Whether `negative` counts only once it was seen.
        onset: Sureness from which on a clip shows a thing.
        offset: Sureness below which it does not.
        refractory_s: Media seconds after an event in which there is no other of the same stream.
        verify: Whether the model is asked before anybody is told.
        schedule: When it tells; None is always.
        expires: Unix second after which it does not; None is never.
        state: `on`, `paused`, `expired` or such.
        hard_to_see: By the name of the stream, the share of clips that show its thing where that is few.
        counters: What has become of it; `last_error` among it.
    """

    id: str
    question: str
    streams: tuple[str, ...]
    understood: str
    unmatched: tuple[str, ...]
    positive: tuple[WatchClause, ...]
    negative: tuple[WatchClause, ...]
    hold_s: float
    after_seen: bool
    onset: float
    offset: float
    refractory_s: float
    verify: bool
    schedule: WatchSchedule | None
    expires: float | None
    state: str
    counters: WatchCounters
    hard_to_see: dict[str, float] = Field(default_factory=dict)
