"""The route of the WebSocket: who may open one, and how many there may be."""

from typing import Annotated

from fastapi import APIRouter, Depends, WebSocket

from stream.registry import NAME, BadName
from web.house import House, house
from web.places import Full
from web.problems import Refusal
from web.realtime import Connection, Surroundings
from web.security import REALTIME_PROTOCOL, Caller, by_ticket

routes = APIRouter()


@routes.websocket("/v1/realtime")
async def realtime(
    socket: WebSocket,
    here: Annotated[House, Depends(house)],
    caller: Annotated[Caller, Depends(by_ticket)],
    stream: str = "",
) -> None:
    """Talk about `stream`; see docs/protocol.md.

    Raises:
        BadName: If `stream` is missing or not allowed as a name.
        Refusal: 503 if too many are connected.
    """
    if NAME.fullmatch(stream) is None:
        raise BadName("Name the stream: /v1/realtime?stream=NAME, 1 to 64 letters, digits, _ or -.")
    try:
        place = here.talking.take(object(), caller)
    except Full as error:
        raise Refusal(503, str(error), {"Retry-After": "10"}) from None
    with place:
        offered = socket.headers.get("sec-websocket-protocol", "")
        protocols = [name.strip() for name in offered.split(",")]
        # A browser drops the connection unless one of the protocols it named is chosen.
        await socket.accept(REALTIME_PROTOCOL if REALTIME_PROTOCOL in protocols else None)
        around = Surroundings(
            registry=here.registry,
            places=here.feeding,
            decoder=here.decoder,
            answerer=here.answerer,
            sampling=here.sampling,
            origin=here.sources.origin,
            monotonic=here.clocks.monotonic,
            silence=here.settings.silence_seconds,
        )
        await Connection(socket, stream, caller, around).run()
