"""What happened, over HTTP: a span of one stream in order, and a day of it."""

import asyncio
from datetime import date, datetime, timedelta
from math import inf
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel

from model.vision.vocabulary import COLOURS, WordTable
from stream.moments.scenes import Scene, describe_things, scenes
from stream.past.presence import Seen, seen
from stream.past.thing_index import Remembered
from stream.watches.records import Event
from web.access.auth import MayWatch
from web.errors import BadValue, Refusal
from web.http.event_clips import event_reports
from web.http.lookback.chosen import thumbnail_at
from web.http.streams import Named
from web.openapi import refuses
from web.realtime.watch_events import AlertReport
from web.reports.time_report import clock
from web.services import Here, Services
from web.time_words.extent import Reference
from web.time_words.zone import zone_called

_MOST_SCENES = 100
_MOST_EVENTS = 100

Second = Annotated[float | None, Query(allow_inf_nan=False, description="Media second.")]
HowMany = Annotated[int, Query(ge=1, le=_MOST_SCENES, description="Scenes at most.")]
Zone = Annotated[
    str | None, Query(max_length=64, description="Such as Europe/Berlin; none is the service's.")
]

routes = APIRouter(prefix="/v1/streams", tags=["summaries"], responses=refuses(404, 409, 422, 503))


class ThingReport(BaseModel):
    """A thing of a scene.

    Attributes:
        name: Its word.
        share: Of the scene's moments that show it, 0 to 1.
        count: How many there mostly were; 5 is more than four.
        colour: What most moments agree on; null if they do not.
    """

    name: str
    share: float
    count: int
    colour: str | None


class SceneReport(BaseModel):
    """Neighbouring moments that show much the same.

    Attributes:
        start: First media second.
        end: Last media second.
        start_clock: What a clock showed at its start, in ISO 8601.
        end_clock: What it showed at its end.
        moments: How many they are.
        text: What was there, in words.
        things: The same, what was there longest first.
        came: Names of what the scene before had not.
        left: Names of what only the scene before had.
        best: Where the moment begins that shows most of it; the thumbnail is of it.
        best_end: Where that moment ends.
        thumbnail: Path of its picture.
    """

    start: float
    end: float
    start_clock: str | None
    end_clock: str | None
    moments: int
    text: str
    things: list[ThingReport]
    came: list[str]
    left: list[str]
    best: float
    best_end: float
    thumbnail: str


class SeenReport(BaseModel):
    """What became of one thing in all of the time.

    Attributes:
        name: Its word.
        first: Media second where it was first seen.
        last: Media second until which it was seen last.
        first_clock: What a clock showed then, in ISO 8601.
        last_clock: The same of the last.
        seconds: How long it was there in all.
        times: How often it came.
        most: How many there were at once, at most; 5 is more than four.
    """

    name: str
    first: float
    last: float
    first_clock: str | None
    last_clock: str | None
    seconds: float
    times: int
    most: int


class Summary(BaseModel):
    """What happened in a time, by the things in its moments; no language model wrote it.

    Attributes:
        stream: Where.
        since: Media second where the first moment that was gone through begins; null without one.
        until: Where the last one ends.
        moments: How many were gone through.
        whole: Whether these are all of that time; of very long streams it is the newest part.
        scenes: In order.
        seen: Every thing that was there, the longest there first.
    """

    stream: str
    since: float | None
    until: float | None
    moments: int
    whole: bool
    scenes: list[SceneReport]
    seen: list[SeenReport]


class Digest(Summary):
    """A day of one stream.

    Attributes:
        day: Which.
        timezone: By whose clock; null is the service's.
        events: What watches told of it that day, the newest first.
    """

    day: date
    timezone: str | None
    events: list[AlertReport]


@routes.get("/{stream}/summary")
async def summarize(
    stream: Named,
    here: Here,
    _: MayWatch,
    since: Second = None,
    until: Second = None,
    most: HowMany = 12,
    timezone: Zone = None,
) -> Summary:
    """Say what happened from one time to another, in order, by the things in moments.

    Raises:
        Refusal: 422 if it ends before it starts.
    """
    first, last = (-inf if since is None else since), (inf if until is None else until)
    if last < first:
        raise Refusal(422, f"A range cannot end before it starts: {since} to {until}.")
    zone = await _zone(timezone)
    remembered = await _read(here, stream, first, last)
    return await _summary(here, remembered, most, zone)


@routes.get("/{stream}/digest")
async def digest(
    stream: Named,
    here: Here,
    caller: MayWatch,
    day: Annotated[date | None, Query(description="Such as 2026-11-27; none is today.")] = None,
    most: HowMany = 24,
    timezone: Zone = None,
) -> Digest:
    """Say what happened on a day: its scenes, what was there, and what watches told.

    Raises:
        Refusal: 422 if there is no such day.
    """
    zone = await _zone(timezone)
    wanted = day or datetime.fromtimestamp(here.clocks.wall(), zone).date()
    try:
        begin, end = _midnight(wanted, zone), _midnight(wanted + timedelta(days=1), zone)
    except (OverflowError, ValueError):
        raise Refusal(422, f"{wanted} is not a day that a clock can show.") from None
    began = (await here.registry.find(stream)).status().began
    remembered = await _read(here, stream, begin - began, end - began)
    summary = await _summary(here, remembered, most, zone)

    def wanted_event(event: Event) -> bool:
        return event.stream == stream and event.at < end

    told = await here.watcher.book.events(_MOST_EVENTS, begin, wanted_event)
    return Digest(
        **dict(summary),
        day=wanted,
        timezone=timezone,
        events=await event_reports(here, told),
    )


async def _zone(name: str | None) -> ZoneInfo | None:
    """Return the zone of that name.

    Raises:
        Refusal: 422 if there is none.
    """
    try:
        return None if name is None else await zone_called(name)
    except BadValue as error:
        raise Refusal(422, str(error)) from None


def _midnight(day: date, zone: ZoneInfo | None) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


async def _read(here: Services, stream: str, since: float, until: float) -> Remembered:
    """Return what is remembered of `stream`.

    Raises:
        EncoderMismatch: If it was made by another model.
        BadInput: If the model that runs has no words.
        UnknownStream: If there is none.
    """
    await here.watcher.check()
    await here.registry.find(stream)
    return await here.index.read(stream, since, until)


async def _summary(
    here: Services, remembered: Remembered, most: int, zone: ZoneInfo | None
) -> Summary:
    clips, table = remembered.clips, here.watcher.lexicon.table
    found, there = await asyncio.to_thread(lambda: (scenes(clips, most), seen(clips)))
    reference = Reference(clips[-1].end if clips else 0.0, remembered.began, zone)
    return Summary(
        stream=remembered.stream,
        since=clips[0].start if clips else None,
        until=clips[-1].end if clips else None,
        moments=len(clips),
        whole=remembered.whole,
        scenes=[_scene(here, remembered.stream, scene, reference, table) for scene in found],
        seen=[_seen(one, reference, table) for one in there],
    )


def _scene(
    here: Services, stream: str, scene: Scene, reference: Reference, table: WordTable
) -> SceneReport:
    return SceneReport(
        start=scene.start,
        end=scene.end,
        start_clock=clock(scene.start, reference),
        end_clock=clock(scene.end, reference),
        moments=scene.clips,
        text=describe_things(scene.things, table),
        things=[
            ThingReport(
                name=table[thing.word].name,
                share=round(thing.share, 3),
                count=thing.count,
                colour=None if thing.colour is None else COLOURS[thing.colour],
            )
            for thing in scene.things
        ],
        came=[table[word].name for word in scene.came],
        left=[table[word].name for word in scene.left],
        best=scene.best.start,
        best_end=scene.best.end,
        thumbnail=thumbnail_at(here, stream, scene.best.start),
    )


def _seen(one: Seen, reference: Reference, table: WordTable) -> SeenReport:
    return SeenReport(
        name=table[one.word].name,
        first=one.first,
        last=one.last,
        first_clock=clock(one.first, reference),
        last_clock=clock(one.last, reference),
        seconds=round(one.seconds, 1),
        times=one.times,
        most=one.most,
    )
