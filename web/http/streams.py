"""The streams over HTTP: what there is, what was seen, and what it looked like."""

from math import inf
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from stream.registry import NAME
from stream.status import StreamStatus
from web.access.auth import MayFeed, MayForget, MayWatch, may_by_ticket, require
from web.access.tokens import Caller, Right
from web.errors import Refusal
from web.http.lookback.suggestions import Kind
from web.openapi import TEXT, Responses, gives, refuses
from web.realtime.stream_events import MomentReport, StreamReport
from web.reports.stream_report import report
from web.services import Here, Services

_LONGEST_LIST = 2000
MOST_STREAMS = 1000
STREAMS_AT_ONCE = 100

# Shown, not checked here: what is wrong with them is said where they are read.
_SHOWN_NAME = {"pattern": f"^{NAME.pattern}$"}
_SHOWN_URL = {"pattern": r"^(https?|rtsps?|rtmps?|srt)://"}
Named = Annotated[str, Path(json_schema_extra=_SHOWN_NAME)]
_Url = Annotated[str, Field(min_length=1, max_length=2048, json_schema_extra=_SHOWN_URL)]

routes = APIRouter(
    prefix="/v1/streams",
    tags=["streams"],
    responses=refuses(422, 503),
)
pictures = APIRouter(
    prefix="/v1/streams",
    tags=["streams"],
    dependencies=[Depends(may_by_ticket("watch"))],
    responses=refuses(404, 422, 503),
    default_response_class=Response,
)


_JPEG: Responses = {200: gives("image/jpeg", "The picture.", Cache_Control="How long it stays.")}


class StreamList(BaseModel):
    """Streams, in order of name."""

    streams: list[StreamReport]


class MomentList(BaseModel):
    """What was remembered of one stream, oldest first."""

    moments: list[MomentReport]


class SuggestionReport(BaseModel):
    """A question that fits what the stream has shown.

    Attributes:
        kind: `see`, `present`, `was`, `when`, `before`, `after`, `happened` or `first`.
        thing: What it is about; null if about no one thing.
        text: The question in words.
    """

    kind: Kind
    thing: str | None
    text: str


class SuggestionList(BaseModel):
    """Questions to try, the simplest first; they change as the stream goes on."""

    suggestions: list[SuggestionReport]


class NewSource(BaseModel):
    """A stream to pull.

    Attributes:
        name: What to call it.
        url: Where to pull it from: http(s), rtsp(s), rtmp(s) or srt.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64, json_schema_extra=_SHOWN_NAME)]
    url: _Url


class StreamChange(BaseModel):
    """What is set of one stream.

    Attributes:
        keep_seconds: How long what it shows is kept; null is as the service is set up.
    """

    model_config = ConfigDict(extra="forbid")

    keep_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None


class TestSource(BaseModel):
    """A source to look at without keeping it."""

    model_config = ConfigDict(extra="forbid")

    url: _Url


class TestResult(BaseModel):
    """What a source turned out to be.

    Attributes:
        codec: Its name in FFmpeg.
        rate: Pictures per second, as the source says; null if it does not.
        first_picture_ms: How long the first picture took to come.
    """

    codec: str
    width: int
    height: int
    rate: float | None
    first_picture_ms: float


@routes.get("")
async def list_streams(
    here: Here,
    caller: MayWatch,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=MOST_STREAMS)] = STREAMS_AT_ONCE,
) -> StreamList:
    """List the first `limit` streams, live or remembered, whose name comes after `after`."""
    found = await permitted(here, caller, "watch", after, limit)
    return StreamList(streams=[_report(here, status) for status in found])


async def permitted(
    here: Services, caller: Caller, right: Right, after: str, limit: int
) -> list[StreamStatus]:
    """Return the first `limit` streams that `caller` has a right to, whose name comes after `after`."""
    found: list[StreamStatus] = []
    while True:
        some = await here.registry.list(after, limit)
        found += [status for status in some if caller.allows(right, status.name)]
        if len(found) >= limit or len(some) < limit:
            return found[:limit]
        after = some[-1].name


_ADDED: Responses = {201: {"headers": {"Location": {"description": "Of the stream.", **TEXT}}}}


@routes.post("", status_code=201, responses=refuses(400, 409, 507) | _ADDED)
async def add_stream(
    new: NewSource, here: Here, caller: MayFeed, response: Response
) -> StreamReport:
    """Begin to pull a stream from a URL; how it goes is shown in its state.

    It is refused with 422 if the URL may not be pulled, 409 if the stream has a source already, 503 if
    there is no place left.
    """
    require(caller, "ingest", new.name)
    await here.audit.note(caller, "add", new.name)
    await here.sources.add(new.name, new.url, caller)
    response.headers["Location"] = f"{here.settings.root_path}/v1/streams/{new.name}"
    return _report(here, (await here.registry.find(new.name)).status())


@routes.post("/test", responses=refuses(400))
async def test_source(source: TestSource, here: Here, caller: MayFeed) -> TestResult:
    """Open a source, say what it is, and let go.

    It is refused with 422 and the reason if it cannot be pulled, 503 if too many tests are running.
    """
    found = await here.sources.probe(source.url, caller)
    return TestResult(
        codec=found.codec,
        width=found.width,
        height=found.height,
        rate=None if found.rate is None else round(found.rate, 2),
        first_picture_ms=round(found.first_picture * 1000, 1),
    )


@routes.get("/{stream}", responses=refuses(404))
async def get_stream(stream: Named, here: Here, _: MayWatch) -> StreamReport:
    """Say how one stream is doing."""
    return _report(here, (await here.registry.find(stream)).status())


@routes.patch("/{stream}", responses=refuses(400, 404))
async def keep_stream(
    stream: Named, change: StreamChange, here: Here, caller: MayForget
) -> StreamReport:
    """Set how long what one stream shows is kept; what is older is forgotten within a minute."""
    await here.audit.note(caller, "keep", stream, seconds=change.keep_seconds)
    return _report(here, await here.registry.keep(stream, change.keep_seconds))


@routes.delete("/{stream}", status_code=204, responses=refuses(404))
async def delete_stream(
    stream: Named,
    here: Here,
    caller: MayForget,
    since: Annotated[float | None, Query(allow_inf_nan=False)] = None,
    until: Annotated[float | None, Query(allow_inf_nan=False)] = None,
) -> Response:
    """End a stream, stop pulling it, and forget everything it has shown.

    With `since` or `until` (media seconds) only what it showed in that time is forgotten, with its
    pictures, and the stream goes on.

    Raises:
        Refusal: 404 if a range of an unknown stream is to be forgotten, 422 if it ends before it
            starts.
    """
    if since is not None or until is not None:
        first, last = (-inf if since is None else since), (inf if until is None else until)
        if last < first:
            raise Refusal(422, f"A range cannot end before it starts: {since} to {until}.")
        await here.audit.note(caller, "forget", stream, since=since, until=until)
        await here.registry.forget_range(stream, first, last)
        return Response(status_code=204)
    await here.audit.note(caller, "forget", stream)
    await here.sources.remove(stream)
    await here.registry.forget(stream)
    here.watcher.forget(stream)
    return Response(status_code=204)


@routes.get("/{stream}/moments", responses=refuses(404))
async def get_moments(
    stream: Named,
    here: Here,
    _: MayWatch,
    after: Annotated[float | None, Query(allow_inf_nan=False)] = None,
    until: Annotated[float | None, Query(allow_inf_nan=False)] = None,
    limit: Annotated[int, Query(ge=1, le=_LONGEST_LIST)] = 500,
) -> MomentList:
    """List the newest `limit` moments that start after `after`, and not after `until` (media seconds)."""
    await here.registry.find(stream)
    first, last = (-inf if after is None else after), (inf if until is None else until)
    moments = await here.store.moments(stream, first, limit, until=last)
    return MomentList(moments=[MomentReport(start=m.start, end=m.end) for m in moments])


@routes.get("/{stream}/suggestions", responses=refuses(404))
async def get_suggestions(
    stream: Named, here: Here, response: Response, _: MayWatch
) -> SuggestionList:
    """Suggest questions that what the stream has shown lately answers."""
    live = await here.registry.find(stream)
    found = await here.suggester.suggest(stream, live.status().began)
    response.headers["Cache-Control"] = "no-store"
    return SuggestionList(
        suggestions=[SuggestionReport(kind=s.kind, thing=s.thing, text=s.text) for s in found]
    )


@pictures.get("/{stream}/thumbnails/newest.jpg", responses=_JPEG)
async def get_newest_thumbnail(stream: Named, here: Here) -> Response:
    """Return the JPEG of the newest moment.

    Raises:
        Refusal: 404 if nothing has been remembered yet.
    """
    await here.registry.find(stream)
    newest = await here.store.moments(stream, limit=1)
    jpeg = await here.store.thumbnail(stream, newest[0].start) if newest else None
    if jpeg is None:
        raise Refusal(404, f"Nothing of {stream} is remembered yet.")
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@pictures.get("/{stream}/thumbnails/{start}.jpg", responses=_JPEG)
async def get_thumbnail(
    stream: Named, start: Annotated[float, Path(allow_inf_nan=False)], here: Here
) -> Response:
    """Return the JPEG of the moment that starts at `start`; a browser may use a ticket here.

    Raises:
        Refusal: 404 if there is none.
    """
    await here.registry.find(stream)
    jpeg = await here.store.thumbnail(stream, start)
    if jpeg is None:
        raise Refusal(404, f"No moment of {stream} starts at {start}.")
    # What was seen does not change; private, because it is someone's camera.
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(jpeg, media_type="image/jpeg", headers=headers)


def _report(here: Services, status: StreamStatus) -> StreamReport:
    return report(status, here.sources.origin(status.name))
