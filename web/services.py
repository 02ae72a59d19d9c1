"""What the routes work with, once it stands: the opened parts of one running service.

It is put together in `web.app`; until then every route that needs it answers 503.
"""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from memory.store import ClipStore
from model.types import Sampling
from stream.registry import Registry
from web.http.peers import PeerSessions
from web.http.suggester import Suggester
from web.problems import Refusal
from web.pulled_sources import PulledSources
from web.quotas import Quota
from web.realtime.jpeg import PictureDecoder
from web.settings import Settings

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


@dataclass(frozen=True, slots=True)
class Services:
    """A service that is ready.

    Attributes:
        settings: As they were read at the start.
        clocks: The time, here and nowhere else.
        registry: The streams.
        store: What was seen.
        answerer: The name of the model that answers.
        sampling: How it writes unless a client says otherwise.
        feeding: Counts the streams that callers feed.
        viewing: Counts those who watch by WHEP.
        talking: Counts open WebSockets.
        asking: Counts questions that are answered, or wait for it.
        decoder: Makes pixels of pictures that come over them.
        senders: WHIP sessions.
        viewers: WHEP sessions.
        sources: What is pulled.
        suggester: Thinks of questions.
    """

    settings: Settings
    clocks: Clocks
    registry: Registry
    store: ClipStore
    answerer: str
    sampling: Sampling
    feeding: Quota
    viewing: Quota
    talking: Quota
    asking: Quota
    decoder: PictureDecoder
    senders: PeerSessions
    viewers: PeerSessions
    sources: PulledSources
    suggester: Suggester


def get_services(connection: HTTPConnection) -> Services:
    """Return the services that answers `connection`.

    Raises:
        Refusal: 503 while it is being opened.
    """
    found: Services | None = connection.app.state.services
    if found is None:
        raise Refusal(503, "The service is warming up; try again soon.", {"Retry-After": "2"})
    return found
