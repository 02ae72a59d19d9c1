"""What watches saw, over HTTP: the newest events, and those that a webhook would not take."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from stream.watches.records import Event
from web.access.auth import MayWatch
from web.http.event_clips import event_reports
from web.openapi import refuses
from web.realtime.watch_events import AlertReport
from web.services import Here

_MOST_EVENTS = 500

routes = APIRouter(
    prefix="/v1/watches",
    tags=["watches"],
    responses=refuses(400, 422, 503),
)


class EventList(BaseModel):
    """What watches saw, the newest first."""

    events: list[AlertReport]


class DeadLetter(BaseModel):
    """An event that a webhook would not take, for hours.

    Attributes:
        tries: How often it was tried again.
        error: Why the last try failed.
        at: Unix second when it was given up.
    """

    event: AlertReport
    tries: int
    error: str
    at: float


class DeadLetterList(BaseModel):
    """What was given up, the newest first."""

    letters: list[DeadLetter]


@routes.get("/events")
async def list_events(
    here: Here,
    caller: MayWatch,
    after: Annotated[float, Query(allow_inf_nan=False, description="Unix second.")] = 0.0,
    limit: Annotated[int, Query(ge=1, le=_MOST_EVENTS)] = 50,
    watch: Annotated[str | None, Query(max_length=64)] = None,
) -> EventList:
    """List the newest events that fired after `after`, of one watch or of all."""

    def wanted(event: Event) -> bool:
        return watch in {None, event.watch} and caller.allows("watch", event.stream)

    found = await here.watcher.book.events(limit, after, wanted)
    return EventList(events=await event_reports(here, found))


@routes.get("/dead-letters")
async def list_dead_letters(here: Here, caller: MayWatch) -> DeadLetterList:
    """List the events that a webhook would not take, the newest first."""
    found = [
        one for one in await here.deliveries.dead() if caller.allows("watch", one.event.stream)
    ]
    events = await event_reports(here, [one.event for one in found])
    letters = [
        DeadLetter(event=event, tries=one.tries, error=one.error, at=one.at)
        for event, one in zip(events, found, strict=True)
    ]
    return DeadLetterList(letters=letters)
