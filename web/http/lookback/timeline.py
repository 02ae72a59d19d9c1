"""A stream's time over HTTP: as slices with a moment each, and cut out of it a picture or a clip."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from stream.moments.slices import Slice, slices
from stream.reel import Reel, Still
from stream.status import StreamStatus
from stream.watches.records import Event
from web.access.auth import MayWatch, may_by_ticket
from web.errors import Refusal
from web.http.event_clips import event_reports
from web.http.streams import Named
from web.openapi import Responses, gives, refuses
from web.realtime.watch_events import AlertReport
from web.services import Here, Services
from web.time_words.extent import Reference

_MOST_SLICES = 240
_MOST_EVENTS = 200
_SHORTEST = 1.0
_NEAR = 1.0
"""Seconds: a picture that lies so near is of the moment that was asked for."""

Second = Annotated[float, Query(allow_inf_nan=False, description="Media second.")]
MaybeSecond = Annotated[float | None, Query(allow_inf_nan=False, description="Media second.")]

routes = APIRouter(prefix="/v1/streams", tags=["timelines"], responses=refuses(404, 422, 503))
exports = APIRouter(
    prefix="/v1/streams",
    tags=["timelines"],
    dependencies=[Depends(may_by_ticket("watch"))],
    responses=refuses(404, 422, 503),
    default_response_class=Response,
)
_MP4: Responses = {200: gives("video/mp4", "The clip.", Content_Disposition="Its name.")}
_JPEG: Responses = {200: gives("image/jpeg", "The picture.", Content_Disposition="Its name.")}


class SliceReport(BaseModel):
    """A piece of a stream's time.

    Attributes:
        start: Media second where it begins.
        end: Where it ends.
        moment: Where a moment begins that shows it; null if nothing of it is remembered.
        moment_end: Where that moment ends.
    """

    start: float
    end: float
    moment: float | None
    moment_end: float | None


class FilmReport(BaseModel):
    """What a clip can be cut from: the newest seconds, as film.

    Attributes:
        seconds: How many are kept while the stream is watched, by a watch or by somebody.
        since: Media second of the oldest picture that is kept now; null if there is none.
        until: Of the newest one.
    """

    seconds: float
    since: float | None
    until: float | None


class Timeline(BaseModel):
    """A stream's time, or a part of it.

    Attributes:
        stream: Whose.
        began: Unix seconds of media time zero.
        first: Media second before which nothing is kept.
        last: Media second where the newest moment ends; null if nothing is remembered.
        since: Media second where the slices begin.
        until: Where they end.
        slices: Equal ones, in order.
        events: What watches told in that time, the newest first.
        film: What a clip can be cut from.
    """

    stream: str
    began: float
    first: float
    last: float | None
    since: float
    until: float
    slices: list[SliceReport]
    events: list[AlertReport]
    film: FilmReport


@routes.get("/{stream}/timeline")
async def get_timeline(
    stream: Named,
    here: Here,
    _: MayWatch,
    since: MaybeSecond = None,
    until: MaybeSecond = None,
    count: Annotated[int, Query(alias="slices", ge=1, le=_MOST_SLICES)] = 120,
) -> Timeline:
    """Cut a stream's time into equal slices, each with a moment that shows it, and name its events.

    Raises:
        Refusal: 422 if it ends before it starts.
    """
    status = (await here.registry.find(stream)).status()
    oldest = status.held.forgotten_until or 0.0
    first = oldest if since is None else since
    last = max(status.end or 0.0, first + _SHORTEST) if until is None else until
    if last <= first:
        raise Refusal(422, f"A timeline cannot end before it starts: {first} to {last}.")
    found = await slices(here.store, stream, first, last, count)
    return Timeline(
        stream=stream,
        began=status.began,
        first=oldest,
        last=status.end,
        since=first,
        until=last,
        slices=[_slice(one) for one in found],
        events=await event_reports(here, await _events(here, status, first, last)),
        film=_film(here, stream),
    )


@exports.get("/{stream}/clip", responses=_MP4)
async def cut_clip(stream: Named, here: Here, since: Second, until: Second) -> Response:
    """Cut a clip out of the newest seconds of a stream, as MP4; a browser may use a ticket.

    Raises:
        Refusal: 404, with what is kept, if that time is not kept as film (any more); 422 if it ends
            before it starts; 503 if too many clips are being cut.
    """
    if until <= since:
        raise Refusal(422, f"A clip cannot end before it starts: {since} to {until}.")
    await here.registry.find(stream)
    stills = _kept(here.registry.reel(stream), stream, since, until)
    return _download(await here.recorder.cut(stills), stream, since, "mp4")


@exports.get("/{stream}/picture", responses=_JPEG)
async def get_picture(stream: Named, here: Here, at: Second) -> Response:
    """Return the best picture of a stream at a time: of the film where it is kept, else of the moment.

    Raises:
        Refusal: 404 if nothing of that time is remembered.
    """
    await here.registry.find(stream)
    reel = here.registry.reel(stream)
    near = [] if reel is None else reel.stills(at - _NEAR, at + _NEAR)
    if near:
        return _download(min(near, key=lambda s: abs(s.time - at)).jpeg, stream, at, "jpg")
    [one] = await slices(here.store, stream, at - _NEAR, at + _NEAR, 1)
    jpeg = None if one.moment is None else await here.store.thumbnail(stream, one.moment.start)
    if jpeg is None:
        raise Refusal(404, f"Nothing of {stream} is remembered of second {at:g}.")
    return _download(jpeg, stream, at, "jpg")


def _kept(reel: Reel | None, stream: str, since: float, until: float) -> list[Still]:
    """Return the pictures of a time that is kept as film.

    Raises:
        Refusal: 404, in words, if it is not.
    """
    if reel is None or reel.kept is None:
        raise Refusal(404, _why_none(reel, stream))
    first, last = reel.kept
    stills = reel.stills(since, until)
    if since < first - _NEAR or not stills:
        raise Refusal(
            404,
            f"Of {stream} only the last {reel.seconds:g} seconds are kept as film (FLASHBACK_EVENT_CLIP_SECONDS): "
            f"now {first:.1f} to {last:.1f}, not {since:.1f} to {until:.1f}. Of what is older there is a "
            "picture each moment, and the clip of each event.",
        )
    return stills


def _why_none(reel: Reel | None, stream: str) -> str:
    if reel is None:
        return f"No film of {stream} is kept here: it is not live, or another process has it."
    if not reel.seconds:
        return "No film of any stream is kept: FLASHBACK_EVENT_CLIP_SECONDS is 0."
    return (
        f"No film of {stream} is kept yet: its last {reel.seconds:g} seconds are, "
        "while a watch is about it or somebody watches it."
    )


def _download(content: bytes, stream: str, at: float, ending: str) -> Response:
    kind = "video/mp4" if ending == "mp4" else "image/jpeg"
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="{stream}-{_on_clock(at)}.{ending}"',
    }
    return Response(content, media_type=kind, headers=headers)


def _on_clock(at: float) -> str:
    """Return a media time as people read it, as a name of a file may be: 1-05, 2-03-09."""
    return Reference.minutes(at).replace(":", "-")


async def _events(here: Services, status: StreamStatus, first: float, last: float) -> list[Event]:
    def wanted(event: Event) -> bool:
        return event.stream == status.name and event.start <= last and event.end >= first

    # What was told before the stream began anew is of another time.
    return await here.watcher.book.events(_MOST_EVENTS, status.began, wanted)


def _slice(one: Slice) -> SliceReport:
    moment = one.moment
    return SliceReport(
        start=one.start,
        end=one.end,
        moment=None if moment is None else moment.start,
        moment_end=None if moment is None else moment.end,
    )


def _film(here: Services, stream: str) -> FilmReport:
    reel = here.registry.reel(stream)
    first, last = (None, None) if reel is None or reel.kept is None else reel.kept
    return FilmReport(seconds=here.settings.event_clip_seconds, since=first, until=last)
