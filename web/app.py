"""★ The service, put together: the one place that knows the concrete classes.

    create_app(settings) --start--> open_house: engine, Redis, registry --stop--> all closed again

The port answers at once; `/ready` says when they are.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import torch
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from memory.embedded.server import open_redis
from memory.redis_store import RedisStore
from memory.store import ClipStore
from model.engine import Engine
from model.local_engine import QUESTIONS_WAITING
from model.types import Clip
from model.writing import AT_ONCE
from stream.registry import Registry
from web import openapi, problems
from web.auth import Keys
from web.guesses import Guesses
from web.http import pages, streams
from web.http.guard import Guard
from web.http.peers import PeerSessions
from web.http.pulse import Pulse
from web.http.rejections import Rejections
from web.http.suggester import Suggester
from web.http.whip import Exchange
from web.loading import load
from web.pulled_sources import OPERATOR, PulledSources, pull_settings
from web.quotas import Quota, share
from web.realtime import route
from web.realtime.jpeg import PictureDecoder
from web.services import Clocks, Services
from web.settings import Settings
from web.stream_settings import stream_settings

OpenServices = Callable[[], AbstractAsyncContextManager[Services]]
QUESTIONS = AT_ONCE + QUESTIONS_WAITING
"""Answered or waiting for it: what the engine takes."""

CLOCKS = Clocks(wall=time.time, monotonic=time.monotonic)


def create_app(
    settings: Settings,
    open_house: OpenServices | None = None,
    *,
    clocks: Clocks = CLOCKS,
    on_failure: Callable[[Exception], None] | None = None,
) -> FastAPI:
    """Return the service for `settings`.

    Args:
        settings: What was set from outside.
        open_house: Opens what the routes work with; by default Redis and the model of `settings`.
        clocks: The time.
        on_failure: Is told why the services could not be opened.
    """
    opening = open_house or (lambda: open_services(settings, clocks))

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        measuring = asyncio.create_task(app.state.pulse.run())
        living = asyncio.create_task(_serve_until_cancelled(app, opening()))
        if on_failure is not None:
            living.add_done_callback(lambda task: _tell(task, on_failure))
        try:
            yield
        finally:
            for task in (living, measuring):
                task.cancel()
            await asyncio.wait([living, measuring])

    app = FastAPI(
        title="Flashback",
        version=pages.VERSION,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = None
    app.state.opened = asyncio.Event()
    app.state.pulse = Pulse(clocks.monotonic)
    app.state.rejections = Rejections(clocks.monotonic)
    app.state.guesses = Guesses(clocks.monotonic)
    app.state.keys = Keys([t.get_secret_value() for t in settings.token], clocks.wall)
    problems.install(app)
    openapi.install(app)
    app.include_router(pages.routes)
    app.include_router(route.routes)
    app.include_router(streams.routes)
    app.include_router(streams.pictures)
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


@asynccontextmanager
async def open_services(
    settings: Settings, clocks: Clocks = CLOCKS, progress: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Services]:
    """Load the model, connect to Redis, and close both in the end.

    Args:
        settings: What was set from outside.
        clocks: The time.
        progress: Told in words what is being done, from another thread.
    """
    engine = await asyncio.to_thread(load, settings, progress)
    try:
        url = settings.redis_url.get_secret_value() if settings.redis_url else ""
        data = settings.data.expanduser()
        async with open_redis(url, data, megabytes=settings.redis_memory_mb) as address:
            store = RedisStore.connect(address, engine.encoder)
            try:
                await store.check()
                await _warm_up(engine, stream_settings(settings).side_for(engine.image_size))
                async with build_services(settings, engine, store, clocks) as services:
                    for name, source in settings.sources:
                        await services.sources.add_operators(name, source)
                    yield services
            finally:
                await store.close()
    finally:
        await engine.close()


@asynccontextmanager
async def build_services(
    settings: Settings, engine: Engine, store: ClipStore, clocks: Clocks = CLOCKS
) -> AsyncIterator[Services]:
    """Put the services together around an engine and a store, and end every stream after use."""
    registry = Registry(
        engine=engine,
        store=store,
        settings=stream_settings(settings),
        wall=clocks.wall,
        monotonic=clocks.monotonic,
        capacity=settings.max_streams,
    )
    # The operator's own sources are no token's.
    feeding = Quota(
        "streams",
        total=settings.max_streams,
        each=settings.max_streams_per_token,
        exempt={OPERATOR},
    )
    tokens, viewers, talks = len(settings.token), settings.max_viewers, settings.max_connections
    viewers_each = share(viewers, tokens, settings.max_viewers_per_token)
    viewing = Quota("viewers", total=viewers, each=viewers_each)
    talks_each = share(talks, tokens, settings.max_connections_per_token)
    tests = Quota("tests", total=4, each=2)
    pulling = pull_settings(settings)
    services = Services(
        settings=settings,
        clocks=clocks,
        registry=registry,
        store=store,
        answerer=engine.name,
        sampling=engine.sampling,
        feeding=feeding,
        viewing=viewing,
        talking=Quota("connections", total=talks, each=talks_each),
        asking=Quota("questions", total=QUESTIONS, each=share(QUESTIONS, tokens)),
        decoder=PictureDecoder(registry.frame_side),
        senders=PeerSessions(feeding, alone=True),
        viewers=PeerSessions(viewing, alone=False),
        sources=PulledSources(registry, feeding, tests, pulling, clocks.monotonic),
        suggester=Suggester(engine, store),
    )
    try:
        yield services
    finally:
        services.decoder.close()
        await services.sources.close()
        await services.viewers.close()
        await services.senders.close()
        await registry.close()


async def _warm_up(engine: Engine, side: int) -> None:
    """Run a clip through the network, so that the first real one is not the slow one.

    Args:
        engine: What encodes it.
        side: Shorter side of the pictures that streams keep in hand, in pixels.
    """
    pixels = torch.zeros(engine.frames_per_clip, side, side * 16 // 9, 3, dtype=torch.uint8)
    await engine.encode(Clip(pixels=pixels, start=0.0, end=1.0))


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
