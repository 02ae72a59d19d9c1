"""Films of what watches told, over HTTP: an MP4 that a browser plays, with a ticket if need be."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response

from stream.watches.records import Event, clip_path
from web.access.auth import may_by_ticket
from web.access.tokens import Caller
from web.errors import Refusal
from web.openapi import Responses, gives, refuses
from web.realtime.watch_events import AlertReport, alert_report
from web.services import Here, Services

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")

_MayWatch = Annotated[Caller, Depends(may_by_ticket("watch"))]

routes = APIRouter(
    prefix="/v1/watches/events",
    tags=["watches"],
    responses=refuses(404, 416, 422, 503),
    default_response_class=Response,
)
_MP4: Responses = {
    200: gives("video/mp4", "The film.", Cache_Control="How long it stays."),
    206: gives("video/mp4", "A part of it.", Content_Range="Which part."),
}


@routes.get("/{event}/clip", responses=_MP4)
async def get_event_clip(
    event: Annotated[str, Path(min_length=1, max_length=64)],
    here: Here,
    caller: _MayWatch,
    byte_range: Annotated[str | None, Header(alias="Range", max_length=64)] = None,
) -> Response:
    """Return the film of an event, waited for if it is still being made; a browser may use a ticket.

    Raises:
        Refusal: 404 if there is none: none was made, it made room for newer ones, or what it shows
            was forgotten. 416 if a part is wanted that it does not have.
    """
    found = here.recorder.coming(event) or await here.watcher.book.event(event)
    if found is None or not caller.allows("watch", found.stream):
        raise Refusal(404, f"There is no event {event}.")
    film = await here.recorder.film(found) if found.film else None
    if film is None:
        raise Refusal(404, "There is no film of this event, or it is not kept any more.")
    at = datetime.fromtimestamp(found.at, UTC)
    headers = {
        # What was seen does not change; private, because it is someone's camera.
        "Cache-Control": "private, max-age=3600",
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'inline; filename="{found.stream}-{at:%Y%m%dT%H%M%SZ}.mp4"',
    }
    return _part(film, byte_range, headers)


async def event_reports(here: Services, events: Sequence[Event]) -> list[AlertReport]:
    """Return events for the wire, each with the path of its film if that is (still) there.

    Raises:
        StoreUnavailable: If the store cannot be reached.
    """
    streams = {event.stream for event in events if event.film}
    kept = {stream: await here.recorder.kept(stream) for stream in streams}
    return [
        alert_report(
            event,
            clip_path(here.settings.root_path, event)
            if event.id in kept.get(event.stream, ())
            else None,
        )
        for event in events
    ]


def _part(film: bytes, byte_range: str | None, headers: dict[str, str]) -> Response:
    """Return a film, or that part of it which is asked for; players seek so.

    Raises:
        Refusal: 416 if it does not have that part.
    """
    asked = _RANGE.fullmatch(byte_range or "")
    if asked is None or not any(asked.groups()):  # none, several, or in another unit
        return Response(film, media_type="video/mp4", headers=headers)
    first, last = asked.groups()
    if first:
        begin, end = int(first), min(int(last or len(film)), len(film) - 1)
    else:
        begin, end = max(0, len(film) - int(last)), len(film) - 1
    if begin > end:
        raise Refusal(416, "It has no such part.", {"Content-Range": f"bytes */{len(film)}"})
    headers |= {"Content-Range": f"bytes {begin}-{end}/{len(film)}"}
    return Response(film[begin : end + 1], 206, media_type="video/mp4", headers=headers)
