"""Watches over HTTP: what people want to be told of. What was seen of it: `web/http/events.py`."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Path, Response
from pydantic import BaseModel

from stream.errors import BadInput, BadSource
from stream.watches.records import Watch
from stream.watches.replay import replay
from web.access.auth import MayAsk, MayWatch, require
from web.access.tokens import Caller, Right
from web.errors import Refusal
from web.identifiers import new_id
from web.openapi import TEXT, Responses, refuses
from web.realtime.watch_events import AlertReport, alert_report
from web.reports.watch_reports import changed_watch, new_watch, read_question, watch_report
from web.reports.watch_wire import (
    NewWatch,
    WatchChange,
    WatchReading,
    WatchReport,
    WatchRequest,
    WebhookBody,
)
from web.services import Here, Services

_MOST_NAMED = 1000
_MOST_REPLAYED = 8
"""Streams that one test looks at."""

WatchId = Annotated[str, Path(min_length=1, max_length=64)]
_IfMatch = Annotated[
    str | None,
    Header(max_length=256, description="The `ETag` that the watch had when it was read."),
]

routes = APIRouter(
    prefix="/v1/watches",
    tags=["watches"],
    responses=refuses(400, 422, 503),
)
_TAG = {"ETag": {"description": "Of the watch as it is, for `If-Match`.", **TEXT}}
_TAGGED: Responses = {200: {"headers": _TAG}}
_ADDED: Responses = {
    201: {"headers": {"Location": {"description": "Of the watch.", **TEXT}} | _TAG}
}


class WatchList(BaseModel):
    """Every watch, the oldest first.

    Attributes:
        trouble: Null, or why none of them can tell anything.
        lost: Clips that were not looked at, and events that were not told, for want of time.
    """

    watches: list[WatchReport]
    trouble: str | None
    lost: int


class ReplayReport(BaseModel):
    """When a watch would have fired on one stream.

    Attributes:
        clips: Remembered clips that were looked at.
        events: Oldest first; none of them is kept, nobody is told.
    """

    stream: str
    clips: int
    events: list[AlertReport]


class TestReport(BaseModel):
    """When a watch would have fired, by what is remembered.

    Attributes:
        left_out: Streams that were not looked at, because there are too many for one test.
    """

    streams: list[ReplayReport]
    left_out: int


@routes.get("")
async def list_watches(here: Here, caller: MayWatch) -> WatchList:
    """List the watches with their counters."""
    watcher = here.watcher
    await watcher.loaded()
    seen = [w for w in watcher.watches.values() if _covers(caller, "watch", w)]
    found = [_report(here, watch) for watch in seen]
    return WatchList(watches=found, trouble=await watcher.trouble(), lost=watcher.lost)


@routes.post("", status_code=201, responses=refuses(400, 409, 507) | _ADDED)
async def add_watch(body: NewWatch, here: Here, caller: MayAsk, response: Response) -> WatchReport:
    """Make a watch; what was understood stands in the reply, and may be changed."""
    lexicon, now = here.watcher.lexicon, here.clocks.wall()
    # In a thread: time zones are read from the disk.
    watch = await asyncio.to_thread(new_watch, body, new_id("watch"), lexicon, now)
    _require(caller, watch)
    await _check_webhook(here, body.webhook)
    await here.audit.note(caller, "watch", None, watch=watch.id, question=body.question)
    await here.watcher.save(watch)
    response.headers["Location"] = f"{here.settings.root_path}/v1/watches/{watch.id}"
    response.headers["ETag"] = _etag(watch)
    return _with_secret(_report(here, watch), watch, body)


@routes.post("/understand", responses=refuses(400, 409))
async def understand_request(body: WatchRequest, here: Here, _: MayAsk) -> WatchReading:
    """Say what would be watched for, without making a watch."""
    await here.watcher.check()
    return await asyncio.to_thread(read_question, body, here.watcher.lexicon)


@routes.get("/{watch}", responses=refuses(404) | _TAGGED)
async def get_watch(
    watch: WatchId, here: Here, caller: MayWatch, response: Response
) -> WatchReport:
    """Say how one watch is doing."""
    found = await _find(here, watch, caller, "watch")
    response.headers["ETag"] = _etag(found)
    return _report(here, found)


@routes.patch("/{watch}", responses=refuses(400, 404, 409, 412, 507) | _TAGGED)
async def change_watch(
    watch: WatchId,
    body: WatchChange,
    here: Here,
    caller: MayAsk,
    response: Response,
    if_match: _IfMatch = None,
) -> WatchReport:
    """Change a watch while it runs: pause it, edit what was understood, ask something else.

    With `If-Match` a watch that somebody has changed meanwhile is left as it is (412).
    """
    await here.watcher.check()
    await _check_webhook(here, body.webhook)
    async with here.watcher.changing:
        await here.watcher.refresh()  # another process may have changed it
        before, now = await _find(here, watch, caller, "ask"), here.clocks.wall()
        _check_match(if_match, before)
        changed = await asyncio.to_thread(changed_watch, before, body, here.watcher.lexicon, now)
        _require(caller, changed)
        await here.watcher.save(changed)
    response.headers["ETag"] = _etag(changed)
    return _with_secret(_report(here, changed), changed, body)


@routes.delete("/{watch}", status_code=204, responses=refuses(404))
async def delete_watch(watch: WatchId, here: Here, caller: MayAsk) -> Response:
    """End a watch and forget it; its events stay."""
    async with here.watcher.changing:  # or a change that is on its way would bring it back
        found = await _find(here, watch, caller, "ask")
        await here.audit.note(caller, "unwatch", None, watch=found.id)
        await here.watcher.remove(found.id)
    return Response(status_code=204)


@routes.post("/{watch}/test", responses=refuses(404, 409))
async def test_watch(watch: WatchId, here: Here, caller: MayAsk) -> TestReport:
    """Say when a watch would have fired, by what is remembered of its streams.

    Raises:
        EncoderMismatch: If what is remembered was made by another model.
    """
    await here.watcher.check()
    found = await _find(here, watch, caller, "ask")
    names = list(found.streams) or [s.name for s in await here.store.streams(limit=_MOST_NAMED)]
    tried = [await _replay(here, found, name) for name in names[:_MOST_REPLAYED]]
    return TestReport(streams=tried, left_out=len(names[_MOST_REPLAYED:]))


async def _replay(here: Services, watch: Watch, stream: str) -> ReplayReport:
    engine, table = here.watcher.engine, here.watcher.lexicon.table
    done = await replay(watch, stream, engine, here.store, table)
    return ReplayReport(
        stream=stream, clips=done.clips, events=[alert_report(event) for event in done.events]
    )


def _etag(watch: Watch) -> str:
    return f'"{watch.changed!r}"'


def _check_match(match: str | None, watch: Watch) -> None:
    """Refuse to change what is not what was read.

    Raises:
        Refusal: 412 if `match`, of the header `If-Match`, is of another state of the watch.
    """
    if match is not None and not {"*", _etag(watch)} & {tag.strip() for tag in match.split(",")}:
        raise Refusal(412, "This watch was changed meanwhile: read it again, then change it.")


async def _check_webhook(here: Services, webhook: WebhookBody | None) -> None:
    """Refuse a webhook that could never be sent.

    Raises:
        Refusal: 422 with the reason.
    """
    if webhook is not None:
        try:
            await asyncio.to_thread(here.poster.check, webhook.url)
        except BadSource as error:
            raise Refusal(422, f"body.webhook.url: {error}") from None


def _with_secret(report: WatchReport, watch: Watch, body: NewWatch | WatchChange) -> WatchReport:
    if watch.webhook is None or body.webhook is None:
        return report
    return report.model_copy(update={"webhook_secret": watch.webhook.secret})


async def _find(here: Services, watch: str, caller: Caller, right: Right) -> Watch:
    """Return a watch that `caller` may do `right` with; of others it is not said that they are there.

    Raises:
        BadInput: If there is none.
    """
    await here.watcher.loaded()
    found = here.watcher.find(watch)
    if not _covers(caller, right, found):
        raise BadInput(f"There is no watch {watch}.", code="unknown_watch")
    return found


def _require(caller: Caller, watch: Watch) -> None:
    """Refuse a watch of streams that `caller` may not ask about.

    Raises:
        Refusal: 403, with what it would need.
    """
    for stream in watch.streams:
        require(caller, "ask", stream)
    if not _covers(caller, "ask", watch):
        raise Refusal(403, "This token is not for every stream: name those that the watch is for.")


def _covers(caller: Caller, right: Right, watch: Watch) -> bool:
    if not watch.streams:
        return caller.allows(right) and "*" in caller.streams
    return all(caller.allows(right, stream) for stream in watch.streams)


def _report(here: Services, watch: Watch) -> WatchReport:
    watcher = here.watcher
    return watch_report(
        watch,
        watcher.counters(watch.id),
        watcher.lexicon.table,
        here.clocks.wall(),
        watcher.hard_to_see(watch.id),
    )
