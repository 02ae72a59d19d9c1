"""The streams over HTTP: what there is, what was seen, and what it looked like."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from web.events import MomentReport, StreamReport
from web.house import House, house
from web.problems import Refusal
from web.reports import report
from web.security import by_header, by_ticket

LONGEST_LIST = 2000

Here = Annotated[House, Depends(house)]

routes = APIRouter(prefix="/v1/streams", tags=["streams"], dependencies=[Depends(by_header)])
pictures = APIRouter(prefix="/v1/streams", tags=["streams"], dependencies=[Depends(by_ticket)])


class StreamList(BaseModel):
    """Every stream, in order of name."""

    streams: list[StreamReport]


class MomentList(BaseModel):
    """What was remembered of one stream, oldest first."""

    moments: list[MomentReport]


@routes.get("")
async def list_streams(here: Here) -> StreamList:
    """List every stream that is live or remembered."""
    return StreamList(streams=[report(status) for status in await here.registry.list()])


@routes.get("/{stream}")
async def get_stream(stream: str, here: Here) -> StreamReport:
    """Say how one stream is doing."""
    return report((await here.registry.find(stream)).status())


@routes.delete("/{stream}", status_code=204)
async def delete_stream(stream: str, here: Here) -> Response:
    """End a stream and forget everything it has shown."""
    await here.registry.forget(stream)
    return Response(status_code=204)


@routes.get("/{stream}/moments")
async def get_moments(
    stream: str,
    here: Here,
    after: float = float("-inf"),
    limit: Annotated[int, Query(ge=1, le=LONGEST_LIST)] = 500,
) -> MomentList:
    """List the newest `limit` moments that start after `after` (media seconds)."""
    await here.registry.find(stream)
    moments = await here.store.moments(stream, after=after, limit=limit)
    return MomentList(moments=[MomentReport(start=m.start, end=m.end) for m in moments])


@pictures.get("/{stream}/thumbnails/{start}.jpg", response_class=Response)
async def get_thumbnail(stream: str, start: float, here: Here) -> Response:
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
