"""From what comes over HTTP to the records of watches, and back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from model.vision.vocabulary import WordTable
from stream.address.source_url import read_source
from stream.watches.condition import Clause, Condition, check, describe
from stream.watches.records import Counters, Schedule, Watch, Webhook
from stream.watches.words.clauses import understand
from stream.watches.words.hours import take_schedule
from stream.watches.words.lexicon import Lexicon
from web.errors import Refusal
from web.reports.watch_wire import (
    ClauseBody,
    CountersReport,
    NewWatch,
    ScheduleBody,
    State,
    WatchChange,
    WatchFields,
    WatchReading,
    WatchReport,
    WatchRequest,
    WebhookBody,
)


def read_question(body: WatchRequest, lexicon: Lexicon) -> WatchReading:
    """Return what is understood of a question. Blocks: time zones are read from the disk.

    Raises:
        BadInput: If nothing in it can be watched for.
        Refusal: 422 if there is no such time zone.
    """
    rest, schedule = _schedule_in(body.question, body.timezone)
    found = understand(rest, lexicon)
    fields = _condition_fields(found.condition, schedule, lexicon.table)
    return WatchReading(**fields, unmatched=list(found.unmatched), notes=list(found.notes))


def _schedule_in(question: str, timezone: str | None) -> tuple[str, Schedule | None]:
    try:
        return take_schedule(question, timezone or "UTC")
    except ValueError as error:
        raise Refusal(422, f"body.timezone: {error}") from None


def new_watch(body: NewWatch, key: str, lexicon: Lexicon, unix: float) -> Watch:
    """Return the watch that `body` asks for.

    Raises:
        BadInput: If it cannot be watched for.
        Refusal: 422 if a field is wrong.
    """
    return _with(Watch(key, "", (), Condition(), created=unix), body, lexicon, unix)


def changed_watch(watch: Watch, body: WatchChange, lexicon: Lexicon, unix: float) -> Watch:
    """Return `watch` as `body` wants it.

    Raises:
        BadInput: If it cannot be watched for.
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
    rest, schedule = _schedule_in(question, body.timezone)
    found = understand(rest, lexicon)
    if schedule is not None and "schedule" not in body.model_fields_set:
        watch = replace(watch, schedule=schedule)
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


def watch_report(
    watch: Watch, counters: Counters, table: WordTable, unix: float, hard: Mapping[str, float]
) -> WatchReport:
    """Return `watch` for the wire, as it is at `unix`, with the streams where its things are `hard` to see."""
    schedule = watch.schedule
    return WatchReport(
        **_condition_fields(watch.condition, schedule, table),
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
        hard_to_see={stream: round(share, 2) for stream, share in hard.items()},
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


def _condition_fields(
    condition: Condition, schedule: Schedule | None, table: WordTable
) -> dict[str, Any]:
    hours = schedule.words if schedule else ""
    return {
        "understood": ", ".join(filter(None, [describe(condition, table), hours])),
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
