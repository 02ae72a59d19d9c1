"""★ The services: what they are, and the one place that puts the concrete classes together.

    open_services: engine, Redis, streams, quotas      for `flashback serve` and its routes
    open_stream:   engine, a memory of this process    for `flashback ask`, without a server

A route that needs the services answers 503 until they are open.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Protocol, runtime_checkable
from urllib.parse import urlsplit

import torch
from fastapi import Depends
from starlette.requests import HTTPConnection

from memory.documents import DocumentStore
from memory.embedded.server import RedisServer, open_redis
from memory.local_store import LocalStore
from memory.redis.store import RedisStore
from memory.store import ClipStore
from model.engine.contract import ClipSource, Engine
from model.engine.generation import MAX_CONCURRENT, MAX_WAITING_QUESTIONS
from model.types import Clip, ClipTokens, Sampling
from model.vision.vocabulary import word_table
from stream.address.reachable import read_networks
from stream.live import LiveStream
from stream.moments.index import ThingIndex
from stream.pipeline import OnEncoded
from stream.registry import Registry
from stream.watches.book import WatchBook
from stream.watches.recorder import Recorder
from stream.watches.records import Event, Verdict, Watch
from stream.watches.verification import Verification
from stream.watches.watcher import Watcher
from stream.watches.webhooks.delivery import Deliveries
from stream.watches.webhooks.webhook import Poster
from web.access.admission import Admission
from web.access.allowances import Allowances
from web.access.quotas import Quota, share
from web.cluster.homes import Homes
from web.cluster.hosting import hosting
from web.cluster.shared_sources import SharedSources
from web.errors import Refusal
from web.http.lookback.suggester import Suggester
from web.http.peers import PeerSessions
from web.operations.audit import AuditLog
from web.operations.retention import keep_within
from web.operations.traces.contract import NoTracing, Tracing
from web.pulled_sources import OPERATOR, PulledSources, pull_settings
from web.realtime.jpeg import PictureDecoder
from web.settings import Settings
from web.stream_settings import stream_settings

if TYPE_CHECKING:
    from web.operations.metrics import Metrics

Clock = Callable[[], float]
Progress = Callable[[str], None]
Memory = RedisStore
"""What is remembered, as bytes."""

QUESTIONS = MAX_CONCURRENT + MAX_WAITING_QUESTIONS
"""Answered or waiting for it: what the engine takes."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two clocks of the service.

    Attributes:
        wall: Unix seconds.
        monotonic: Seconds that never go back.
    """

    wall: Clock
    monotonic: Clock


CLOCKS = Clocks(wall=time.time, monotonic=time.monotonic)


@dataclass(frozen=True, slots=True)
class Services:
    """A service that is ready.

    Attributes:
        settings: As they were read at the start.
        clocks: The time, here and nowhere else.
        registry: The streams.
        store: What was seen.
        engine: Encodes and answers.
        answerer: The name of the model that answers.
        sampling: How it writes unless a client says otherwise.
        follow_ups: Whether earlier questions and answers help it with the next one.
        feeding: Counts the streams that callers feed.
        viewing: Counts those who watch by WHEP.
        talking: Counts open WebSockets.
        asking: Counts questions that are answered, or wait for it.
        admission: Lets them in.
        allowances: What each token has used of its limits.
        audit: Notes who asked and forgot what.
        decoder: Makes pixels of pictures that come over them.
        senders: WHIP sessions.
        viewers: WHEP sessions.
        sources: What is pulled.
        suggester: Thinks of questions.
        index: Says what was shown, thing by thing.
        metrics: Observes; None without the extra that it needs.
        watcher: Watches for what people want to be told of.
        poster: Sends that to other machines.
        deliveries: What waits to be sent to them.
        recorder: Makes films of it.
        homes: Say which stream another host has; None without a cluster.
    """

    settings: Settings
    clocks: Clocks
    registry: Registry
    store: ClipStore
    engine: Engine
    answerer: str
    sampling: Sampling
    follow_ups: bool
    feeding: Quota
    viewing: Quota
    talking: Quota
    asking: Quota
    admission: Admission
    allowances: Allowances
    audit: AuditLog
    decoder: PictureDecoder
    senders: PeerSessions
    viewers: PeerSessions
    sources: PulledSources
    suggester: Suggester
    index: ThingIndex
    metrics: "Metrics | None"
    watcher: Watcher
    poster: Poster
    deliveries: Deliveries
    recorder: Recorder
    homes: Homes | None = None


@runtime_checkable
class _SharesMemory(Protocol):
    """An engine whose parts elsewhere read the store, too."""

    def share(self, memory: ClipSource) -> None: ...


def get_services(connection: HTTPConnection) -> Services:
    """Return the services that answer `connection`.

    Raises:
        Refusal: 503 while it is being opened.
    """
    found: Services | None = connection.app.state.services
    if found is None:
        raise Refusal(503, "The service is warming up; try again soon.", {"Retry-After": "2"})
    return found


Here = Annotated[Services, Depends(get_services)]
"""The services, as a parameter of a route."""


def _make_metrics(monotonic: Clock) -> "Metrics | None":
    """Return what observes the service; None without the extra that it needs."""
    if find_spec("prometheus_client") is None:
        return None
    from web.operations.metrics import Metrics

    return Metrics(monotonic)


def _make_tracing(settings: Settings, wall: Clock) -> Tracing:
    """Return what follows questions and clips: nothing, unless a setting asks for it."""
    if settings.traces is None:
        return NoTracing()
    from web.operations.traces.otel import tracing_to  # late: an extra brings what it needs

    return tracing_to(settings.traces, wall)


async def _observed(
    settings: Settings, engine: Engine, clocks: Clocks
) -> tuple[Engine, "Metrics | None", Tracing]:
    """Return `engine` as it is measured and followed, and what does both."""
    # In a thread: what they need is imported only now.
    metrics = await asyncio.to_thread(_make_metrics, clocks.monotonic)
    tracing = await asyncio.to_thread(_make_tracing, settings, clocks.wall)
    reads_here = not isinstance(engine, _SharesMemory)  # else replicas read the past themselves
    if metrics is not None:
        engine = metrics.measured(engine)
    return tracing.traced(engine, reads_here=reads_here), metrics, tracing


def _each_shown(*watching: OnEncoded) -> OnEncoded:
    """Return what shows an encoded clip to each of `watching`."""

    def show(stream: str, clip: ClipTokens) -> None:
        for watches in watching:
            watches(stream, clip)

    return show


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
            if isinstance(engine, _SharesMemory):
                engine.share(store)
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
async def build_services(
    settings: Settings,
    engine: Engine,
    store: ClipStore,
    documents: DocumentStore,
    clocks: Clocks = CLOCKS,
) -> AsyncIterator[Services]:
    """Put the services together around an engine and its stores, and end every stream after use."""
    engine, metrics, tracing = await _observed(settings, engine, clocks)
    table = await asyncio.to_thread(word_table)  # which reads a file when it is first needed

    async def verify(watch: Watch, event: Event) -> tuple[Verdict, str]:
        return await Verification(registry, table)(watch, event)

    def deliver(watch: Watch, event: Event) -> None:
        deliveries.give(watch, event)

    recorder = Recorder(
        documents,
        store.recordings(),
        lambda stream: registry.reel(stream),
        most_bytes=settings.event_clips_mb * 2**20,
    )
    watcher = Watcher(
        engine,
        WatchBook(documents),
        wall=clocks.wall,
        verify=verify,
        deliver=deliver,
        begin_film=recorder.begin,
    )
    poster = Poster(read_networks(settings.allowed_webhook_networks))
    deliveries = Deliveries(
        documents,
        poster,
        wall=clocks.wall,
        find=watcher.watches.get,
        thumbnail=store.thumbnail,
        root_path=settings.root_path,
        done=watcher.delivered,
    )
    registry = Registry(
        engine=engine,
        store=store,
        settings=stream_settings(settings),
        wall=clocks.wall,
        monotonic=clocks.monotonic,
        capacity=settings.max_streams,
        on_encoded=_each_shown(tracing.encoded, watcher.seen),
        films=watcher.covers,
    )
    # The operator's own sources are no token's.
    feeding = Quota(
        "streams",
        total=settings.max_streams,
        each=settings.max_streams_per_token,
        exempt={OPERATOR},
        own=lambda caller: caller.limits.streams,
    )
    asking = Quota("questions", total=QUESTIONS, each=share(QUESTIONS, settings.fixed_callers))
    allowances = Allowances(clocks.wall, clocks.monotonic)
    audit = AuditLog(settings.audit_log, settings.audit_log_mb * 2**20, clocks.wall)
    await audit.check()
    tokens, viewers, talks = settings.fixed_callers, settings.max_viewers, settings.max_connections
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
        engine=engine,
        answerer=engine.name,
        sampling=engine.sampling,
        follow_ups=engine.follow_ups,
        feeding=feeding,
        viewing=viewing,
        talking=Quota("connections", total=talks, each=talks_each),
        asking=asking,
        admission=Admission(asking, allowances, tracing),
        allowances=allowances,
        audit=audit,
        decoder=PictureDecoder(registry.frame_side),
        senders=PeerSessions(feeding, alone=True, allowances=allowances),
        viewers=PeerSessions(viewing, alone=False),
        sources=PulledSources(registry, feeding, tests, pulling, clocks.monotonic),
        suggester=Suggester(engine, store),
        index=ThingIndex(engine, store),
        metrics=metrics,
        watcher=watcher,
        poster=poster,
        deliveries=deliveries,
        recorder=recorder,
        homes=Homes(documents, settings.own_url, clocks.wall) if settings.cluster else None,
    )
    keeping = asyncio.create_task(keep_within(settings, engine, store, registry, clocks.wall))
    try:
        works = (deliveries.collect(), deliveries.deliver(), recorder.run())
        async with watcher.at_work(*works, *_publishing(settings, watcher)), _hosting(services):
            yield services
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        services.decoder.close()
        await services.sources.close()
        await services.viewers.close()
        await services.senders.close()
        await registry.close()
        await asyncio.to_thread(tracing.close)


def _publishing(settings: Settings, watcher: Watcher) -> Sequence[Coroutine[None, None, None]]:
    """Return the work of telling a broker what watches see, if one is set."""
    if settings.mqtt_url is None:
        return ()
    from web.mqtt.messages import Topics  # late: an extra brings what they need
    from web.mqtt.publisher import Broker, Publisher

    url = urlsplit(settings.mqtt_url)
    tls = url.scheme == "mqtts"
    port = url.port or (8883 if tls else 1883)
    broker = Broker(url.hostname or "", port, tls, url.username, settings.mqtt_password_file)
    topics = Topics(settings.mqtt_topic, settings.mqtt_discovery)
    return (Publisher(broker, topics, watcher, settings.root_path).run(),)


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


@asynccontextmanager
async def _hosting(services: Services) -> AsyncIterator[None]:
    """Take part in a cluster, if there is one, while within."""
    if services.homes is None:
        yield
        return
    sources = SharedSources(services.homes, services.sources, services.settings.sources)
    async with hosting(services.homes, services.registry, sources):
        yield


async def _warm_up(engine: Engine, side: int) -> None:
    """Run a clip through the network, so that the first real one is not the slow one.

    Args:
        engine: What encodes it.
        side: Shorter side of the pictures that streams keep in hand, in pixels.
    """
    pixels = torch.zeros(engine.frames_per_clip, side, side * 16 // 9, 3, dtype=torch.uint8)
    await engine.encode(Clip(pixels=pixels, start=0.0, end=1.0))
