"""Watches as they come and go over HTTP; `watch_reports` makes records of them, and back."""

import base64
import secrets
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stream.registry import NAME
from stream.watches.condition import (
    LONGEST_HOLD,
    MOST_CLAUSES,
    MOST_COUNTED,
    MOST_WORDS,
    Clause,
)
from stream.watches.records import Schedule, Webhook
from stream.watches.webhooks.webhook import SECRET_PREFIX, SHORTEST_SECRET
from stream.watches.words.clauses import LONGEST_REQUEST
from web.errors import Refusal

StreamName = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
Sureness = Annotated[float, Field(gt=0, le=1)]
Hold = Annotated[float, Field(ge=0, le=LONGEST_HOLD)]
State = Literal["on", "paused", "expired", "off schedule"]
_MOST_STREAMS = 64


class Body(BaseModel):
    """What comes in: nothing unknown is let in."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ClauseBody(Body):
    """One kind of thing.

    Attributes:
        words: Names of the model's vocabulary, singular, or broader ones (`animal`): any counts.
        at_least: How many; 5 is "more than four".
        colour: One of the model's colours; null is any.
        movement: `left`, `right`, `up` or `down`; null is any, also none.
        place: One or two of `left`, `right`, `top`, `bottom`, `middle`, such as `top left`.
    """

    words: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=MOST_WORDS)]  # fmt: skip
    at_least: Annotated[int, Field(ge=1, le=MOST_COUNTED)] = 1
    colour: Annotated[str | None, Field(max_length=16)] = None
    movement: Annotated[str | None, Field(max_length=16)] = None
    place: Annotated[str | None, Field(max_length=32)] = None

    def clause(self) -> Clause:
        """Return it as the matcher reads it."""
        return Clause(tuple(self.words), self.at_least, self.colour, self.movement, self.place)


class ScheduleBody(Body):
    """When a watch tells, by the clock on the wall.

    Attributes:
        start: `HH:MM`.
        end: `HH:MM`; one that is not later than `start` is of the next day.
        days: Days on which it starts, 0 is Monday.
        timezone: Such as `Europe/Berlin`.
    """

    start: Annotated[str, Field(max_length=5)] = "00:00"
    end: Annotated[str, Field(max_length=5)] = "00:00"
    days: Annotated[list[int], Field(min_length=1, max_length=7)] = [0, 1, 2, 3, 4, 5, 6]
    timezone: Annotated[str, Field(max_length=64)] = "UTC"

    def schedule(self) -> Schedule:
        """Return it as a watch keeps it.

        Raises:
            Refusal: 422 if a field is wrong.
        """
        try:
            return Schedule(self.start, self.end, tuple(self.days), self.timezone)
        except ValueError as error:
            raise Refusal(422, f"body.schedule: {error}") from None


Clauses = Annotated[list[ClauseBody], Field(max_length=MOST_CLAUSES)]


Zone = Annotated[str | None, Field(max_length=64)]


class WatchRequest(Body):
    """What a person wants to be told of, in words.

    Attributes:
        timezone: Of whoever asks, such as `Europe/Berlin`: hours in the question are by its clock; null is UTC.
    """

    question: Annotated[str, Field(min_length=1, max_length=LONGEST_REQUEST)]
    timezone: Zone = None


class WebhookBody(Body):
    """Where events are sent by HTTP POST, signed as Standard Webhooks are.

    Attributes:
        url: http or https; where it leads into a private network, the service must allow that.
        secret: Signs what is sent; left out, one is made, and shown once in the reply.
    """

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    secret: Annotated[str, Field(min_length=SHORTEST_SECRET, max_length=128)] | None = None

    def webhook(self) -> Webhook:
        """Return it as a watch keeps it."""
        made = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()
        return Webhook(self.url, self.secret or made)


class WatchFields(Body):
    """What may be set of a watch.

    Attributes:
        streams: Which streams; an empty list is every one, also those that begin later.
        positive: What has to be seen, all of it. With `negative`, in the place of what is understood.
        negative: What must not be seen, none of it.
        hold_s: Seconds that it has to last.
        after_seen: Whether `negative` counts only once it was seen: "gone", not "not there".
        onset: Sureness from which on a clip shows a thing.
        offset: Sureness below which it does not.
        refractory_s: Seconds after an event without another one of the same stream.
        verify: Whether the model is asked before anybody is told; what it denies is told to nobody.
        schedule: When it tells; null is always.
        expires: Unix second after which it does not; null is never.
        paused: Whether it rests.
        webhook: Where events are sent; null is nowhere.
        timezone: Of whoever asks, such as `Europe/Berlin`: hours in the question ("at night") are by its clock
            and become the schedule, where none is given; null is UTC.
    """

    timezone: Zone = None
    streams: Annotated[list[StreamName], Field(max_length=_MOST_STREAMS)] = []
    positive: Clauses | None = None
    negative: Clauses | None = None
    hold_s: Hold | None = None
    after_seen: bool | None = None
    onset: Sureness = 0.5
    offset: Sureness = 0.25
    refractory_s: Hold = 60.0
    verify: bool = False
    schedule: ScheduleBody | None = None
    expires: Annotated[float | None, Field(ge=0, le=1e11)] = None
    paused: bool = False
    webhook: WebhookBody | None = None


class NewWatch(WatchFields):
    """A watch to make."""

    question: Annotated[str, Field(min_length=1, max_length=LONGEST_REQUEST)]


class WatchChange(WatchFields):
    """What to change of a watch; what is left out stays. A new question is understood anew."""

    question: Annotated[str | None, Field(min_length=1, max_length=LONGEST_REQUEST)] = None

    @model_validator(mode="after")
    def _said(self) -> Self:
        if not self.model_fields_set - {"timezone"}:
            raise ValueError("say what to change")
        return self


class WatchReading(BaseModel):
    """What was made of a question.

    Attributes:
        understood: What is watched for, in a sentence.
        positive: What has to be seen, all of it.
        negative: What must not be seen, none of it.
        hold_s: Seconds that it has to last.
        after_seen: Whether `negative` counts only once it was seen.
        unmatched: Parts of the question that no clip can be matched on.
        notes: What a person should know beside it.
    """

    understood: str
    positive: list[ClauseBody]
    negative: list[ClauseBody]
    hold_s: float
    after_seen: bool
    unmatched: list[str]
    notes: list[str] = []


class CountersReport(BaseModel):
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

    fired: int
    confirmed: int
    rejected: int
    failed: int
    delivered: int
    undelivered: int
    last_fired: float | None
    last_error: str | None


class WatchReport(WatchReading):
    """A standing question, as it is now.

    Attributes:
        webhook: Where events are sent, without what may be secret in it.
        webhook_secret: What signs them, in the reply to the request that set the webhook alone.
        state: `on`, `paused`, `expired` or `off schedule`.
        hard_to_see: Where its things are seen in few of the clips in which they are about: by the name of
            the stream the share, below 0.75. There it misses things, and tells that they are gone while
            they are there.
        created: Unix second.
        changed: Unix second of the newest change.
    """

    id: str
    question: str
    streams: list[str]
    onset: float
    offset: float
    refractory_s: float
    verify: bool
    schedule: ScheduleBody | None
    expires: float | None
    state: State
    hard_to_see: dict[str, float]
    webhook: str | None
    webhook_secret: str | None = None
    counters: CountersReport
    created: float
    changed: float
