"""`/metrics`: the service in numbers, for Prometheus."""

import contextlib
from typing import Annotated, Protocol, runtime_checkable

from fastapi import APIRouter, Depends, Request, Response

from memory.errors import StoreUnavailable
from web.access.auth import may
from web.access.tokens import Caller
from web.errors import Refusal
from web.http.middleware.rejections import Rejections
from web.openapi import TEXT, Responses, refuses
from web.operations.pulse import Pulse
from web.services import Services, get_services

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""https://prometheus.io/docs/instrumenting/exposition_formats/"""

_MISSING = (
    "This installation counts nothing for Prometheus: install it with the extra `metrics` "
    "(pip install 'flashback[metrics]'), then start it again."
)
_TEXT: Responses = {
    200: {"description": "Prometheus' text format.", "content": {"text/plain": TEXT}}
}


@runtime_checkable
class _Weighed(Protocol):
    """Memory that is a server's."""

    async def used_bytes(self) -> int: ...


routes = APIRouter(tags=["service"])


@routes.get(
    "/metrics", responses=_TEXT | refuses(501, 503), response_class=Response, response_model=None
)
async def metrics(
    request: Request,
    here: Annotated[Services, Depends(get_services)],
    _: Annotated[Caller, Depends(may("admin"))],
) -> Response:
    """Return counters, gauges and histograms; with a token where the service needs one.

    Raises:
        Refusal: 501 without the package that writes them.
    """
    if here.metrics is None:
        raise Refusal(501, _MISSING)
    pulse: Pulse = request.app.state.pulse
    rejections: Rejections = request.app.state.rejections
    process = {
        "loop_pause_seconds": pulse.pause_ms / 1000,
        "resident_memory_bytes": await pulse.rss_bytes(),
        "rejected_requests": rejections.total,
    }
    sessions = {
        "websocket": len(here.talking),
        "whip": len(here.senders),
        "whep": len(here.viewers),
    }
    if isinstance(here.store, _Weighed):
        # A Redis that is away takes its own number with it, not the others.
        with contextlib.suppress(StoreUnavailable):
            process["redis_bytes"] = await here.store.used_bytes()
    text = here.metrics.exposition(
        process,
        here.registry.open_streams(),
        sessions,
        await here.senders.receptions(),
        here.watcher.verdicts,
    )
    return Response(text, media_type=_CONTENT_TYPE, headers={"Cache-Control": "no-store"})
