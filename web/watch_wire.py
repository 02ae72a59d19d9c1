"""Watches as they come and go over HTTP, and from there to records and back."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from model.vision.vocabulary import WordTable
from stream.address.source_url import read_source
from stream.registry import NAME
from stream.watches.clauses import LONGEST_REQUEST, understand
from stream.watches.condition import (
    LONGEST_HOLD,
    MOST_CLAUSES,
    MOST_COUNTED,
    MOST_WORDS,
    Clause,
    Condition,
    check,
    describe,
)
from stream.watches.lexicon import Lexicon
from stream.watches.records import Counters, Schedule, Watch, Webhook
from stream.watches.webhook import SECRET_PREFIX, SHORTEST_SECRET
from web.problems import Refusal

StreamName = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]
Sureness = Annotated[float, Field(gt=0, le=1)]
Hold = Annotated[float, Field(ge=0, le=LONGEST_HOLD)]
State = Literal["on", "paused", "expired", "off schedule"]
MOST_STREAMS = 64


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


class Request(Body):
    """What a person wants to be told of, in words."""

    question: Annotated[str, Field(min_length=1, max_length=LONGEST_REQUEST)]


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
    """

    streams: Annotated[list[StreamName], Field(max_length=MOST_STREAMS)] = []
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
        if not self.model_fields_set:
            raise ValueError("say what to change")
        return self


class Reading(BaseModel):
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


class WatchReport(Reading):
    """A standing question, as it is now.

    Attributes:
        webhook: Where events are sent, without what may be secret in it.
        webhook_secret: What signs them, in the reply to the request that set the webhook alone.
        state: `on`, `paused`, `expired` or `off schedule`.
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
    webhook: str | None
    webhook_secret: str | None = None
    counters: CountersReport
    created: float
    changed: float


def read_question(question: str, lexicon: Lexicon) -> Reading:
    """Return what is understood of `question`.

    Raises:
        BadCondition: If nothing in it can be watched for.
    """
    found = understand(question, lexicon)
    fields = _condition_fields(found.condition, lexicon.table)
    return Reading(**fields, unmatched=list(found.unmatched), notes=list(found.notes))


def new_watch(body: NewWatch, key: str, lexicon: Lexicon, unix: float) -> Watch:
    """Return the watch that `body` asks for.

    Raises:
        BadCondition: If it cannot be watched for.
        Refusal: 422 if a field is wrong.
    """
    return _with(Watch(key, "", (), Condition(), created=unix), body, lexicon, unix)


def changed_watch(watch: Watch, body: WatchChange, lexicon: Lexicon, unix: float) -> Watch:
    """Return `watch` as `body` wants it.

    Raises:
        BadCondition: If it cannot be watched for.
        Refusal: 422 if a field is wrong.
    """
    return _with(watch, body, lexicon, unix)


def _with(watch: Watch, body: NewWatch | WatchChange, lexicon: Lexicon, unix: float) -> Watch:
    given = {name: getattr(body, name) for name in body.model_fields_set}
    fields: dict[str, Any] = {
        name: read(given[name]) for name, read in _FIELDS.items() if name in given
    }
    changed = replace(watch, **fields, changed=unix)
    if (question := given.get("question")) is not None:
        changed = _asking(changed, question, body, lexicon)
    changed = replace(changed, condition=_condition(changed.condition, given))
    check(changed.condition, lexicon.table)
    try:
        _ = changed.rule
    except ValueError as error:
        raise Refusal(422, f"body: {error}") from None
    return changed


def _asking(watch: Watch, question: str, body: WatchFields, lexicon: Lexicon) -> Watch:
    if body.positive is not None or body.negative is not None:  # what was understood is edited
        return replace(watch, question=question, unmatched=())
    found = understand(question, lexicon)
    return replace(watch, question=question, condition=found.condition, unmatched=found.unmatched)


def _condition(condition: Condition, given: dict[str, Any]) -> Condition:
    fields: dict[str, Any] = {
        name: tuple(clause.clause() for clause in given[name])
        for name in ("positive", "negative")
        if given.get(name) is not None
    }
    fields |= {n: given[n] for n in ("hold_s", "after_seen") if given.get(n) is not None}
    return replace(condition, **fields)


def _schedule(body: ScheduleBody | None) -> Schedule | None:
    return None if body is None else body.schedule()


def _webhook(body: WebhookBody | None) -> Webhook | None:
    return None if body is None else body.webhook()


def _same(value: object) -> object:
    return value


_FIELDS: dict[str, Callable[[Any], object]] = {
    "streams": tuple,
    "schedule": _schedule,
    "webhook": _webhook,
    **dict.fromkeys(("onset", "offset", "refractory_s", "verify", "expires", "paused"), _same),
}


def watch_report(watch: Watch, counters: Counters, table: WordTable, unix: float) -> WatchReport:
    """Return `watch` for the wire, as it is at `unix`."""
    schedule = watch.schedule
    return WatchReport(
        **_condition_fields(watch.condition, table),
        unmatched=list(watch.unmatched),
        id=watch.id,
        question=watch.question,
        streams=list(watch.streams),
        onset=watch.onset,
        offset=watch.offset,
        refractory_s=watch.refractory_s,
        verify=watch.verify,
        schedule=None
        if schedule is None
        else ScheduleBody(
            start=schedule.start,
            end=schedule.end,
            days=list(schedule.days),
            timezone=schedule.timezone,
        ),
        expires=watch.expires,
        state=_state(watch, unix),
        webhook=None if watch.webhook is None else read_source(watch.webhook.url).shown,
        counters=CountersReport.model_validate(counters, from_attributes=True),
        created=watch.created,
        changed=watch.changed,
    )


def _state(watch: Watch, unix: float) -> State:
    if watch.paused:
        return "paused"
    if watch.expires is not None and unix >= watch.expires:
        return "expired"
    return "on" if watch.is_on(unix) else "off schedule"


def _condition_fields(condition: Condition, table: WordTable) -> dict[str, Any]:
    return {
        "understood": describe(condition, table),
        "positive": [_clause_body(clause) for clause in condition.positive],
        "negative": [_clause_body(clause) for clause in condition.negative],
        "hold_s": condition.hold_s,
        "after_seen": condition.after_seen,
    }


def _clause_body(clause: Clause) -> ClauseBody:
    return ClauseBody(
        words=list(clause.words),
        at_least=clause.at_least,
        colour=clause.colour,
        movement=clause.movement,
        place=clause.place,
    )
