"""How times read for people and programs outside: what was understood of words of time, and clocks."""

from model.errors import NothingSeen
from model.types import Finish
from web.errors import Refusal
from web.realtime.server_events import EvidencePart, TimeUnderstood
from web.time_words.extent import Reference
from web.time_words.understand import TimeAsked


def time_report(asked: TimeAsked | None, reference: Reference) -> TimeUnderstood | None:
    """Return what was understood, for the wire; None if there were no words of time."""
    if asked is None:
        return None
    return TimeUnderstood(
        words=asked.words,
        since=asked.since,
        until=asked.until,
        since_clock=None if asked.since is None else clock(asked.since, reference),
        until_clock=None if asked.until is None else clock(asked.until, reference),
        question=asked.rest or "",
    )


def evidence_report(finish: Finish, reference: Reference) -> tuple[EvidencePart, ...]:
    """Return what an answer rests on, for the wire."""
    return tuple(
        EvidencePart(
            start=part.start,
            end=part.end,
            score=round(part.score, 6),
            clock=clock(part.start, reference),
        )
        for part in finish.evidence
    )


def clock(media: float, reference: Reference) -> str | None:
    """Return the time of day of a media second in ISO 8601; None in a film, which has none."""
    return None if reference.began is None else reference.clock(media).isoformat(timespec="seconds")


def refusal(failure: Refusal, understood: TimeUnderstood | None, reference: Reference) -> str:
    """Return why there is no answer, in the words of time that were asked about, if there were any."""
    cause = failure.__cause__
    if understood is None or not isinstance(cause, NothingSeen) or cause.held is None:
        return str(failure)
    first, last = (_short(media, clock(media, reference)) for media in cause.held)
    return (
        f"Nothing was seen “{understood.words}” ({range_in_words(understood)}); what is remembered of "
        f"this stream goes from {first} to {last}."
    )


def range_in_words(understood: TimeUnderstood) -> str:
    """Return the range that was looked at as `0:10`, `0:05 to 0:20`, `from 10:05:00 on`."""
    since = _short(understood.since, understood.since_clock)
    until = _short(understood.until, understood.until_clock)
    if since and until:
        return since if since == until else f"{since} to {until}"
    if since:
        return f"from {since} on"
    return f"up to {until}" if until else "everything"


def _short(media: float | None, clock: str | None) -> str | None:
    if media is None:
        return None
    if clock is not None:
        return clock[:19].replace("T", " ")
    return Reference.minutes(media)
