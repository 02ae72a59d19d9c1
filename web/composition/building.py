"""★ Puts the services together around an engine and its stores: who is told by whom, and who counts what."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import urlsplit

from memory.documents import DocumentStore
from memory.store import ClipStore
from model.engine.contract import ClipSource, Engine
from model.engine.generation import MAX_CONCURRENT, MAX_WAITING_QUESTIONS
from model.types import ClipTokens
from model.vision.vocabulary import word_table
from stream.address.reachable import read_networks
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
from web.http.lookback.suggester import Suggester
from web.http.peers import PeerSessions
from web.operations.audit import AuditLog
from web.operations.read_ahead import AskedStreams
from web.operations.retention import keep_within
from web.operations.traces.contract import NoTracing, Tracing
from web.pulled_sources import OPERATOR, PulledSources, pull_settings
from web.realtime.jpeg import PictureDecoder
from web.services import CLOCKS, Clock, Clocks, Services
from web.settings import Settings
from web.stream_settings import stream_settings

if TYPE_CHECKING:
    from web.operations.metrics import Metrics

QUESTIONS = MAX_CONCURRENT + MAX_WAITING_QUESTIONS
"""Answered or waiting for it: what the engine takes."""


@runtime_checkable
class SharesMemory(Protocol):
    """An engine whose parts elsewhere read the store, too."""

    def share(self, memory: ClipSource) -> None:
        """Read `memory`, too."""
        ...


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
    reads_here = not isinstance(engine, SharesMemory)  # else replicas read the past themselves
    if metrics is not None:
        engine = metrics.measured(engine)
    return tracing.traced(engine, reads_here=reads_here), metrics, tracing


def _each_shown(*watching: OnEncoded) -> OnEncoded:
    """Return what shows an encoded clip to each of `watching`."""

    def show(stream: str, clip: ClipTokens) -> None:
        for watches in watching:
            watches(stream, clip)

    return show


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

    async def deliver(watch: Watch, event: Event) -> None:
        await deliveries.queue(watch, event)

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
        index=registry.index,
        asked=AskedStreams(store, clocks.wall),
        metrics=metrics,
        watcher=watcher,
        poster=poster,
        deliveries=deliveries,
        recorder=recorder,
        homes=Homes(documents, settings.own_url, clocks.wall) if settings.cluster else None,
    )
    keeping = asyncio.create_task(keep_within(settings, engine, store, registry, clocks.wall))
    try:
        works = (deliveries.deliver(), recorder.run(), services.asked.run())
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
        if services.homes is not None:  # everything is written: another host may take the streams
            await services.homes.close()
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
    broker = Broker(
        url.hostname or "",
        port,
        tls,
        url.username,
        settings.mqtt_password_file,
        settings.mqtt_certificates,
    )
    topics = Topics(settings.mqtt_topic, settings.mqtt_discovery)
    return (Publisher(broker, topics, watcher, settings.root_path).run(),)


@asynccontextmanager
async def _hosting(services: Services) -> AsyncIterator[None]:
    """Take part in a cluster, if there is one, while within."""
    if services.homes is None:
        yield
        return
    sources = SharedSources(services.homes, services.sources, services.settings.sources)
    async with hosting(services.homes, services.registry, sources):
        yield
