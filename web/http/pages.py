"""The page, and what keeps watch: `/`, `/health`, `/ready`, `/docs`, and tickets for browsers.

The page is plain files: no build step, nothing from another host, so it works without internet.
"""

import mimetypes
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel

from web.access.auth import any_token
from web.access.keys import Keys
from web.access.tokens import RIGHTS, Caller, Right
from web.errors import Refusal
from web.http.ice import ice_servers
from web.http.middleware.rejections import Rejections
from web.openapi import refuses
from web.operations.drain import STOPPING, Drain
from web.operations.pulse import Pulse
from web.services import Services, get_services

mimetypes.init()  # reads the system's lists now, not inside the event loop at the first request

STATIC = Path(__file__).parents[1] / "static"
VERSION = version("flashback")

routes = APIRouter(tags=["service"])


class Health(BaseModel):
    """The process is alive.

    Attributes:
        loop_pause_ms: Longest pause of the event loop in the last minute.
        longest_loop_pause_ms: The same since the start.
        rss_bytes: Memory held.
        rejected: Connections and requests of strangers that were refused or cut since the start.
    """

    status: str
    version: str
    loop_pause_ms: float
    longest_loop_pause_ms: float
    rss_bytes: int
    rejected: int


class Ready(BaseModel):
    """The service takes streams and questions."""

    status: str
    model: str
    live: int


class Ticket(BaseModel):
    """A short-lived secret for what a browser cannot send headers with.

    Attributes:
        value: Give it as `?ticket=`, or as the sub-protocol `openai-insecure-api-key.VALUE`.
        expires_at: Unix second until which it is good.
    """

    value: str
    expires_at: int


class IceServerReport(BaseModel):
    """A server for the browser's `RTCPeerConnection`."""

    urls: str
    username: str | None = None
    credential: str | None = None


class PageSettings(BaseModel):
    """What the page needs to know before it connects.

    Attributes:
        sample_rate: Frames of a stream that are sampled per second while nothing slows it.
        frame_side: Shorter side of a picture, in pixels: sent larger, it is scaled down.
        may: What the token may do: what it may not is not offered.
        streams: Patterns of the streams that it is for.
    """

    version: str
    model: str
    sample_rate: float
    frame_side: int
    may: list[Right]
    streams: list[str]
    ice_servers: list[IceServerReport]


@routes.get("/", include_in_schema=False)
async def index() -> FileResponse:
    """Return the page."""
    return FileResponse(
        STATIC / "index.html", media_type="text/html", headers={"Cache-Control": "no-cache"}
    )


@routes.get("/docs", include_in_schema=False)
async def docs() -> FileResponse:
    """Return the page that shows the HTTP interface, drawn from `/openapi.json`."""
    return FileResponse(
        STATIC / "docs.html", media_type="text/html", headers={"Cache-Control": "no-cache"}
    )


@routes.get("/health")
async def health(request: Request) -> Health:
    """Say that the process is alive, and how well its event loop turns."""
    pulse: Pulse = request.app.state.pulse
    rejections: Rejections = request.app.state.rejections
    return Health(
        status="ok",
        version=VERSION,
        loop_pause_ms=pulse.pause_ms,
        longest_loop_pause_ms=pulse.longest_pause_ms,
        rss_bytes=await pulse.rss_bytes(),
        rejected=rejections.total,
    )


@routes.get("/ready", responses=refuses(503))
async def ready(request: Request, here: Annotated[Services, Depends(get_services)]) -> Ready:
    """Say that streams and questions are taken; 503 until the model is loaded and memory answers.

    Raises:
        Refusal: 503 from the moment on at which the service was told to stop.
    """
    drain: Drain = request.app.state.drain
    if drain.begun:
        raise Refusal(503, STOPPING)
    await here.store.check()
    return Ready(status="ready", model=here.answerer, live=here.registry.fed)


@routes.post("/v1/realtime/client_secrets")
async def make_ticket(request: Request, caller: Annotated[Caller, Depends(any_token)]) -> Ticket:
    """Trade a token for a ticket that is good for ten minutes."""
    keys: Keys = request.app.state.keys
    value, until = keys.ticket(caller)
    return Ticket(value=value, expires_at=until)


@routes.get("/v1/page", responses=refuses(503))
@routes.post("/v1/page", responses=refuses(503))
async def page_settings(
    response: Response,
    here: Annotated[Services, Depends(get_services)],
    caller: Annotated[Caller, Depends(any_token)],
) -> PageSettings:
    """Tell the page how to connect."""
    response.headers["Cache-Control"] = "no-store"
    servers = ice_servers(here.settings, here.clocks.wall)
    return PageSettings(
        version=VERSION,
        model=here.answerer,
        sample_rate=here.settings.sample_rate,
        frame_side=here.registry.frame_side,
        may=[right for right in RIGHTS if right in caller.may],
        streams=list(caller.streams),
        ice_servers=[
            IceServerReport(urls=s.url, username=s.username, credential=s.credential)
            for s in servers
        ],
    )
