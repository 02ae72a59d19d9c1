"""The application: its routes, and the services behind them from the start to the stop.

    create_app(settings) --start--> open_services: engine, Redis, registry --stop--> all closed again

The port answers at once; `/ready` says when they are.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.staticfiles import StaticFiles

from web import openapi, problems
from web.access.guesses import Guesses
from web.access.issuer.opening import open_issuer
from web.access.keys import Keys
from web.access.tokens import TokenFile
from web.chat import route as chat
from web.composition.opening import open_services
from web.http import event_clips, events, metrics, pages, streams, watches
from web.http.lookback import questions, search, summary, timeline
from web.http.middleware.guard import Guard
from web.http.middleware.rejections import Rejections
from web.http.parameters import known_parameters
from web.http.whip import Exchange
from web.operations.drain import Drain
from web.operations.pulse import Pulse
from web.realtime import route
from web.services import CLOCKS, Clocks, Services
from web.settings import Settings

_OpenServices = Callable[[], AbstractAsyncContextManager[Services]]

_TOLERANT = (
    pages.routes,
    metrics.routes,
    route.routes,
    streams.pictures,
    event_clips.routes,
    chat.routes,
)
_STRICT = (
    streams.routes,
    events.routes,  # before the watches: /v1/watches/events names no watch
    watches.routes,
    search.routes,
    questions.routes,
    summary.routes,
    timeline.routes,
    timeline.exports,
)
"""Of these a parameter that is misspelt is refused."""


def create_app(
    settings: Settings,
    opening: _OpenServices | None = None,
    *,
    clocks: Clocks = CLOCKS,
    on_failure: Callable[[Exception], None] | None = None,
) -> FastAPI:
    """Return the service for `settings`.

    Args:
        settings: What was set from outside.
        opening: Opens what the routes work with; by default Redis and the model of `settings`.
        clocks: The time.
        on_failure: Is told why the services could not be opened.
    """
    opened = opening or (lambda: open_services(settings, clocks))

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        await app.state.keys.load()
        measuring = asyncio.create_task(app.state.pulse.run())
        following = asyncio.create_task(app.state.keys.follow_file())
        living = asyncio.create_task(_serve_until_cancelled(app, opened()))
        if on_failure is not None:
            living.add_done_callback(lambda task: _tell(task, on_failure))
        try:
            yield
        finally:
            for task in (living, measuring, following):
                task.cancel()
            await asyncio.wait([living, measuring, following])

    app = FastAPI(
        title="Flashback",
        version=pages.VERSION,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = None
    app.state.opened = asyncio.Event()
    app.state.drain = Drain(settings.drain_seconds, settings.finish_seconds)
    app.state.pulse = Pulse(clocks.monotonic)
    app.state.rejections = Rejections(clocks.monotonic)
    app.state.guesses = Guesses(clocks.monotonic)
    fixed = [token.get_secret_value() for token in settings.token]
    issuer = open_issuer(settings, clocks)
    app.state.keys = Keys(fixed, clocks.wall, TokenFile(settings.tokens_at), issuer)
    problems.install(app)
    openapi.install(app)
    for routes in _TOLERANT:
        app.include_router(routes)
    for routes in _STRICT:
        app.include_router(routes, dependencies=[Depends(known_parameters)])
    app.include_router(Exchange("whip").router())
    app.include_router(Exchange("whep").router())
    app.mount("/static", StaticFiles(directory=pages.STATIC, check_dir=False))
    app.add_middleware(
        Guard,
        hosts=settings.allowed_hosts,
        origins=settings.allowed_origins,
        root_path=settings.root_path,
    )
    return app


async def _serve_until_cancelled(
    app: FastAPI, opening: AbstractAsyncContextManager[Services]
) -> None:
    async with opening as services:
        app.state.services = services
        app.state.opened.set()
        try:
            await asyncio.Event().wait()  # until the server stops and cancels this
        finally:
            app.state.services = None


def _tell(task: asyncio.Task[None], on_failure: Callable[[Exception], None]) -> None:
    if not task.cancelled() and isinstance(error := task.exception(), Exception):
        on_failure(error)
