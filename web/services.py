"""★ The services: what they are; `web/composition` puts them together.

A route that needs the services answers 503 until they are open.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from memory.store import ClipStore
from model.engine.contract import Engine
from model.types import Sampling
from stream.past.thing_index import ThingIndex
from stream.registry import Registry
from stream.watches.recorder import Recorder
from stream.watches.watcher import Watcher
from stream.watches.webhooks.delivery import Deliveries
from stream.watches.webhooks.webhook import Poster
from web.access.admission import Admission
from web.access.allowances import Allowances
from web.access.quotas import Quota
from web.cluster.homes import Homes
from web.errors import Refusal
from web.http.lookback.suggester import Suggester
from web.http.peers import PeerSessions
from web.operations.audit import AuditLog
from web.operations.read_ahead import AskedStreams
from web.pulled_sources import PulledSources
from web.realtime.jpeg import PictureDecoder
from web.settings import Settings

if TYPE_CHECKING:
    from web.operations.metrics import Metrics

Clock = Callable[[], float]


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
        asked: Notes which streams people ask about.
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
    asked: AskedStreams
    metrics: "Metrics | None"
    watcher: Watcher
    poster: Poster
    deliveries: Deliveries
    recorder: Recorder
    homes: Homes | None = None


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
