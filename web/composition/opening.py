"""★ Opens what services and commands work with: which model there is, and which memory.

    open_services: engine, Redis, streams, quotas      for `flashback serve` and its routes
    open_stream:   engine, a memory of this process    for `flashback ask`, without a server
    open_memory:   Redis                               for backups

What is opened is closed in the end.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import torch

from memory.embedded.server import RedisServer, open_redis
from memory.local_store import LocalStore
from memory.redis.store import RedisStore
from model.engine.contract import Engine
from model.types import Clip
from stream.live import LiveStream
from stream.registry import Registry
from web.composition.building import SharesMemory, build_services
from web.operations.read_ahead import read_ahead
from web.services import CLOCKS, Clocks, Services
from web.settings import Settings
from web.stream_settings import stream_settings

log = logging.getLogger(__name__)

_SLOW_SECONDS = 60.0
_SLOW = (
    "a first clip is not encoded after %d seconds, so the service is not ready; on a cluster: does this "
    "host reach the ports of Ray on all others, and they its own? (docs/operations.md, Beyond one machine)"
)

Progress = Callable[[str], None]
Memory = RedisStore
"""What is remembered, as bytes."""


def load_model(settings: Settings, progress: Progress) -> Engine:
    """Return the engine that `settings` ask for, loaded. Blocks meanwhile.

    Args:
        settings: Which, and with how much memory.
        progress: Told in words what is being done.
    """
    # Late, because it loads the language libraries: seconds that commands without a model save.
    from model.zoo.presets import load_engine

    return load_engine(
        settings.model,
        history_bytes=settings.history_bytes,
        budget=settings.visual_budget or None,
        as_released=settings.as_released,
        stretch=settings.stretch,
        cache=settings.cache,
        progress=progress,
    )


@asynccontextmanager
async def open_services(
    settings: Settings, clocks: Clocks = CLOCKS, progress: Progress = lambda _: None
) -> AsyncIterator[Services]:
    """Load the model, connect to Redis, and close both in the end.

    Args:
        settings: What was set from outside.
        clocks: The time.
        progress: Told in words what is being done, from another thread.
    """
    async with _open_engine(settings, progress) as (engine, server):
        store = RedisStore.connect(
            server.url,
            engine.encoder,
            form=settings.stored_values,
            exact=engine.exact_columns,
            make_room=server.make_room,
            replicas=settings.redis_replicas if settings.redis_url else 0,
        )
        try:
            await store.check()
            if isinstance(engine, SharesMemory):
                engine.share(store)
            async with _meanwhile(read_ahead(engine, store)):
                progress("Encoding a first clip…")
                await _warm_up(engine, stream_settings(settings).side_for(engine.image_size))
                documents = store.documents()
                async with build_services(settings, engine, store, documents, clocks) as services:
                    if services.homes is None:
                        for name, source in settings.sources:
                            await services.sources.add_operators(name, source)
                    yield services
        finally:
            await store.close()


@asynccontextmanager
async def _meanwhile(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do `work` while within, as far as it gets."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def _open_engine(
    settings: Settings, progress: Progress
) -> AsyncIterator[tuple[Engine, RedisServer]]:
    """Open what encodes and answers, here or on a cluster, and Redis."""
    url = settings.redis_url.get_secret_value() if settings.redis_url else ""
    data = settings.data.expanduser()
    if settings.cluster:
        # Late: it loads Ray, which only the extra brings.
        from web.cluster.opening import open_cluster

        # Redis first: replicas read it.
        async with (
            open_redis(url, data, megabytes=settings.redis_memory_mb) as server,
            open_cluster(settings, server.url, progress) as engine,
        ):
            yield engine, server
        return
    local = await asyncio.to_thread(load_model, settings, progress)
    try:
        async with open_redis(url, data, megabytes=settings.redis_memory_mb) as server:
            yield local, server
    finally:
        await local.close()


@asynccontextmanager
async def open_memory(settings: Settings) -> AsyncIterator[Memory]:
    """Open what is remembered, without a model: for what treats it as bytes."""
    url = settings.redis_url.get_secret_value() if settings.redis_url else ""
    data = settings.data.expanduser()
    async with open_redis(url, data, megabytes=settings.redis_memory_mb) as server:
        store = RedisStore.connect(server.url, "any")
        try:
            await store.check()
            yield store
        finally:
            await store.close()


@asynccontextmanager
async def open_stream(
    settings: Settings, name: str, progress: Progress = lambda _: None
) -> AsyncIterator[tuple[Engine, LiveStream]]:
    """Load the model and open one stream whose memory ends with this process.

    Args:
        settings: What was set from outside.
        name: The stream's.
        progress: Told in words what is being done, from another thread.
    """
    engine = await asyncio.to_thread(load_model, settings, progress)
    registry = Registry(
        engine=engine,
        store=LocalStore(engine.encoder, form=settings.stored_values, exact=engine.exact_columns),
        settings=stream_settings(settings),
        wall=CLOCKS.wall,
        monotonic=CLOCKS.monotonic,
    )
    try:
        yield engine, await registry.open(name)
    finally:
        await registry.close()
        await engine.close()


async def _warm_up(engine: Engine, side: int) -> None:
    """Run a clip through the network, so that the first real one is not the slow one.

    Args:
        engine: What encodes it.
        side: Shorter side of the pictures that streams keep in hand, in pixels.
    """
    pixels = torch.zeros(engine.frames_per_clip, side, side * 16 // 9, 3, dtype=torch.uint8)
    slow = asyncio.get_running_loop().call_later(_SLOW_SECONDS, log.warning, _SLOW, _SLOW_SECONDS)
    try:
        await engine.encode(Clip(pixels=pixels, start=0.0, end=1.0))
    finally:
        slow.cancel()
