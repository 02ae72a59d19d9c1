"""What is kept of watches: the watch as people made it, its counters, and what it has told.

Every record is versioned JSON in the document store; a field that a later version adds has a default,
one that it drops is passed over.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter, ValidationError

from stream.watches.condition import Condition
from stream.watches.trigger import Rule

log = logging.getLogger(__name__)

VERSION = 1
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

Verdict = Literal["confirmed", "rejected", "unverified", "failed"]
"""What the model said when it was asked: yes, no, it was not asked (or was not clear, or hardly sees the
thing), it could not be."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a watch tells, by the clock on the wall.

    Attributes:
        start: `HH:MM`.
        end: `HH:MM`; one that is not later than `start` is of the next day.
        days: Days on which it starts, 0 is Monday.
        timezone: Such as `Europe/Berlin`.
    """

    start: str = "00:00"
    end: str = "00:00"
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: If one is wrong.
        """
        for clock in (self.start, self.end):
            if _CLOCK.fullmatch(clock) is None:
                raise ValueError(f"give times as HH:MM, not {clock!r}")
        if not self.days or not set(self.days) <= set(range(7)):
            raise ValueError("days are 0 (Monday) to 6, at least one")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{self.timezone!r} is not a time zone that is known here") from error

    @property
    def words(self) -> str:
        """When that is, such as "from 22:00 to 06:00 (Europe/Berlin)"; empty if it is always."""
        days = [_DAYS[day] for day in sorted(set(self.days))]
        said = [] if self.start == self.end else [f"from {self.start} to {self.end}"]
        if len(days) < len(_DAYS):
            said.append("on " + ", ".join(days[:-1]) + (" and " if days[1:] else "") + days[-1])
        return f"{' '.join(said)} ({self.timezone})" if said else ""

    def holds(self, unix: float) -> bool:
        """Say whether `unix` lies in it."""
        now = datetime.fromtimestamp(unix, ZoneInfo(self.timezone))
        clock, today = f"{now:%H:%M}", now.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= clock < self.end
        yesterday = (today - 1) % 7
        return (today in self.days and clock >= self.start) or (
            yesterday in self.days and clock < self.end
        )


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events are sent by HTTP.

    Attributes:
        url: The address; may hold a key, so it is shown to nobody in full.
        secret: Signs what is sent.
    """

    url: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Watch:
    """A standing question.

    Attributes:
        id: Its name for programs.
        question: As a person said it.
        streams: Which streams; none is every one.
        condition: What was understood.
        onset: Sureness from which on a clip shows a thing.
        offset: Sureness below which it does not.
        refractory_s: Media seconds after an event in which there is no other of the same stream.
        verify: Whether the model is asked before anybody is told.
        schedule: When it tells; None is always.
        expires: Unix second after which it does not; None is never.
        paused: Whether it rests.
        webhook: Where events are sent; None is nowhere.
        unmatched: Parts of the question that clips cannot be matched on.
        created: Unix second.
        changed: Unix second of the newest change.
    """

    id: str
    question: str
    streams: tuple[str, ...]
    condition: Condition
    onset: float = 0.5
    offset: float = 0.25
    refractory_s: float = 60.0
    verify: bool = False
    schedule: Schedule | None = None
    expires: float | None = None
    paused: bool = False
    webhook: Webhook | None = None
    unmatched: tuple[str, ...] = ()
    created: float = 0.0
    changed: float = 0.0

    @property
    def rule(self) -> Rule:
        """When it fires."""
        return Rule(
            self.onset,
            self.offset,
            self.condition.hold_s,
            self.refractory_s,
            self.condition.after_seen,
        )

    def covers(self, stream: str) -> bool:
        """Say whether it is about `stream`."""
        return not self.streams or stream in self.streams

    def is_on(self, unix: float) -> bool:
        """Say whether it tells at that second."""
        expired = self.expires is not None and unix >= self.expires
        off = self.paused or expired
        return not off and (self.schedule is None or self.schedule.holds(unix))


@dataclass(frozen=True, slots=True)
class Counters:
    """What has become of a watch since it was made.

    Attributes:
        fired: Events.
        confirmed: Events that the model said yes to.
        rejected: Events that it said no to: nobody was told.
        failed: Events that it could not be asked about.
        delivered: Webhooks that were taken.
        undelivered: Webhooks that were given up.
        last_fired: Unix second of the newest event.
        last_error: What went wrong last, in a sentence; None if nothing has since.
    """

    fired: int = 0
    confirmed: int = 0
    rejected: int = 0
    failed: int = 0
    delivered: int = 0
    undelivered: int = 0
    last_fired: float | None = None
    last_error: str | None = None


COUNTED = ("fired", "confirmed", "rejected", "failed", "delivered", "undelivered")
"""The counters that are numbers."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A clip that an event rests on, in media seconds, with its score."""

    start: float
    end: float
    score: float


@dataclass(frozen=True, slots=True)
class Event:
    """One time that a watch fired.

    Attributes:
        id: Its name for programs; sorts by time.
        watch: Which watch.
        question: What that asked, then.
        stream: On which stream.
        at: Unix second when it fired.
        start: Media second where the condition began to hold.
        fired: Media second when it had held long enough.
        end: Media second until when it held; so far, while it is open.
        open: Whether it goes on.
        peak: Highest score of a clip.
        verdict: What the model said.
        why: That in a sentence; of an absence also that the thing is hard to see, so may be there still.
        evidence: The clips that made it fire, the newest last.
        film: Whether a film of it was begun.
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
    verdict: Verdict = "unverified"
    why: str = ""
    evidence: tuple[Sighting, ...] = ()
    film: bool = False


def clip_path(root_path: str, event: Event) -> str | None:
    """Return the path of the film of `event` on the service; None if none was begun."""
    return f"{root_path}/v1/watches/events/{event.id}/clip" if event.film else None


_Record = TypeVar("_Record")


class Codec(Generic[_Record]):
    """Records to documents and back."""

    def __init__(self, kind: type[_Record]) -> None:
        self._adapter = TypeAdapter(kind)
        self._kind = kind.__name__

    def encode(self, record: _Record) -> dict[str, Any]:
        """Return `record` as a document."""
        return {"version": VERSION, **self._adapter.dump_python(record, mode="json")}

    def decode(self, document: Mapping[str, Any]) -> _Record | None:
        """Return what a document holds; None, and a line in the log, if this version cannot read it."""
        fields = dict(document)
        version = fields.pop("version", None)
        try:
            if version == VERSION:
                return self._adapter.validate_python(fields)
        except ValidationError as error:
            log.warning("a %s is passed over: %d fields are wrong", self._kind, error.error_count())
            return None
        log.warning("a %s is passed over: it is of version %r", self._kind, version)
        return None


watches: Codec[Watch] = Codec(Watch)
counters: Codec[Counters] = Codec(Counters)
events: Codec[Event] = Codec(Event)
