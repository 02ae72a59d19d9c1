"""The route of the WebSocket: who may open one, and how many there may be."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response, WebSocket

from stream.errors import BadInput
from stream.registry import NAME
from web.access.auth import REALTIME_PROTOCOL, may_by_ticket
from web.access.quotas import Lease
from web.access.tokens import Caller
from web.errors import Refusal
from web.openapi import refuses
from web.realtime.connection import Connection
from web.services import Here, Services

routes = APIRouter(tags=["realtime"])


# Shown, not checked: without a name it is said how to give one.
_SHOWN_NAME = {"pattern": f"^{NAME.pattern}$", "minLength": 1}


def _named_stream(
    here: Here,
    stream: Annotated[str, Query(json_schema_extra=_SHOWN_NAME)] = "",
    model: Annotated[str, Query(description="Ours, or left out.")] = "",
) -> str:
    """Return the stream that the query names.

    Raises:
        BadInput: If it is missing or not allowed as a name.
        Refusal: 422 if the query wants a model that does not answer here.
    """
    if NAME.fullmatch(stream) is None:
        raise BadInput(
            "Name the stream to ask about: /v1/realtime?stream=NAME, 1 to 64 letters, digits, _ or -. "
            "A client of OpenAI's library takes it as `extra_query`, or in the URL it is given."
        )
    if model not in {"", here.answerer}:
        raise Refusal(
            422,
            f"This service answers with {here.answerer}, not with {model[:100]}: leave `model` out or "
            f"ask for model={here.answerer}.",
        )
    return stream


_NEVER = refuses(422, 426, 503)
Stream = Annotated[str, Depends(_named_stream)]
_Allowed = Annotated[Caller, Depends(may_by_ticket("ask"))]


@routes.get("/v1/realtime", status_code=426, response_class=Response, responses=_NEVER)
@routes.post("/v1/realtime", status_code=426, response_class=Response, responses=_NEVER)
async def realtime_is_a_websocket(here: Here, caller: _Allowed, stream: Stream) -> None:
    """Say why no WebSocket can be opened here: this takes what `/v1/realtime` takes, by HTTP.

    A browser does not tell its page why a WebSocket was refused; asked so, the service does.

    Raises:
        Refusal: 503 if too many are connected, else 426.
    """
    _place(here, caller).release()
    raise Refusal(
        426,
        f"A WebSocket about {stream} can be opened here, but this came by plain HTTP. If a WebSocket was "
        "asked for, a proxy in between must pass it on (nginx: `proxy_http_version 1.1;`, "
        "`proxy_set_header Upgrade $http_upgrade;`, `proxy_set_header Connection upgrade;`).",
        {"Upgrade": "websocket", "Connection": "Upgrade"},
    )


@routes.websocket("/v1/realtime")
async def realtime(socket: WebSocket, here: Here, caller: _Allowed, stream: Stream) -> None:
    """Talk about `stream`; see docs/protocol.md.

    Raises:
        Refusal: 503 if too many are connected.
    """
    with _place(here, caller):
        offered = socket.headers.get("sec-websocket-protocol", "")
        protocols = [name.strip() for name in offered.split(",")]
        # A browser drops the connection unless one of the protocols it named is chosen.
        await socket.accept(REALTIME_PROTOCOL if REALTIME_PROTOCOL in protocols else None)
        await Connection(socket, stream, caller, here).run()


def _place(here: Services, caller: Caller) -> Lease:
    return here.talking.acquire(object(), caller)
