"""Who may come in: bearer tokens for programs, short-lived tickets for a browser's WebSocket."""

import math
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from web.access.guesses import Guesses
from web.access.keys import LOCAL, Keys
from web.access.tokens import Caller, Right, digest
from web.errors import Refusal
from web.http.middleware.rejections import Rejections

_TICKET_PROTOCOL = "openai-insecure-api-key."  # the name the Realtime API's browser clients use
REALTIME_PROTOCOL = "realtime"

_MISSING = "This service needs its token; send `Authorization: Bearer TOKEN`."
_WRONG = "This token or ticket lets nobody in: it is wrong, has expired, or was taken back."
_CHALLENGE = 'Bearer realm="flashback"'
_LESS = "This token may not do that: it needs the right `{right}`."
_TOO_MANY = "Too many wrong tokens came from your address; try again in {seconds} seconds."


class _SchemeShown(SecurityBase):
    """A way in as `/openapi.json` shows it; `_authenticate` is what checks it."""

    def __init__(self, name: str, model: HTTPBearer | APIKey) -> None:
        self.scheme_name = name
        self.model = model

    def __call__(self) -> None:
        """Do nothing."""


_TOKEN = _SchemeShown("token", HTTPBearer(description="FLASHBACK_TOKEN, or one of them."))
_TICKET = _SchemeShown(
    "ticket",
    APIKey.model_validate(
        {
            "in": APIKeyIn.query,
            "name": "ticket",
            "description": "From POST /v1/realtime/client_secrets.",
        }
    ),
)


def may(right: Right) -> Callable[..., Awaitable[Caller]]:
    """Return the dependency of a route that lets in whose token may do `right`.

    The stream is the one that the path or the query names; of streams named elsewhere, or of
    several, the route itself asks the caller that it gets.
    """

    async def by_token(
        connection: HTTPConnection, _token: Annotated[None, Depends(_TOKEN)] = None
    ) -> Caller:
        return _allowed(await _authenticate(connection, tickets=False), right, connection)

    return by_token


def may_by_ticket(right: Right) -> Callable[..., Awaitable[Caller]]:
    """Return the same for what a browser asks for without headers: a ticket will do."""

    async def by_token_or_ticket(
        connection: HTTPConnection,
        _token: Annotated[None, Depends(_TOKEN)] = None,
        _ticket: Annotated[None, Depends(_TICKET)] = None,
    ) -> Caller:
        return _allowed(await _authenticate(connection, tickets=True), right, connection)

    return by_token_or_ticket


async def any_token(
    connection: HTTPConnection, _token: Annotated[None, Depends(_TOKEN)] = None
) -> Caller:
    """Let in who has a token, whatever it may do.

    Raises:
        Refusal: 401 if there is no token or a wrong one, 429 after too many wrong ones.
    """
    return await _authenticate(connection, tickets=False)


MayWatch = Annotated[Caller, Depends(may("watch"))]
MayAsk = Annotated[Caller, Depends(may("ask"))]
MayFeed = Annotated[Caller, Depends(may("ingest"))]
MayForget = Annotated[Caller, Depends(may("forget"))]
"""Who calls, as a parameter of a route that lets in only who may do that."""


def require(caller: Caller, right: Right, stream: str | None = None) -> None:
    """Refuse what `caller` may not do.

    Raises:
        Refusal: 403, with what it would need.
    """
    if not caller.allows(right):
        raise Refusal(403, _LESS.format(right=right))
    if not caller.allows(right, stream):
        raise Refusal(403, "This token is not for that stream.")


def _allowed(caller: Caller, right: Right, connection: HTTPConnection) -> Caller:
    stream = connection.path_params.get("stream") or connection.query_params.get("stream")
    require(caller, right, stream)
    return caller


def _ticket_protocol(connection: HTTPConnection) -> str | None:
    """Return the ticket that stands among the WebSocket's sub-protocols, if one does."""
    for name in connection.headers.get("sec-websocket-protocol", "").split(","):
        if name.strip().startswith(_TICKET_PROTOCOL):
            return name.strip().removeprefix(_TICKET_PROTOCOL)
    return None


async def _authenticate(connection: HTTPConnection, *, tickets: bool) -> Caller:
    keys: Keys = connection.app.state.keys
    if not keys.needed:
        return LOCAL
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    ticket = connection.query_params.get("ticket") or _ticket_protocol(connection)
    if scheme.lower() == "bearer" and token:
        caller = await _by_token(connection, keys, token.strip())
    elif tickets and ticket:
        caller = keys.by_ticket(ticket)
    else:
        raise Refusal(401, _MISSING, {"WWW-Authenticate": _CHALLENGE})
    if caller is None:  # https://www.rfc-editor.org/rfc/rfc6750#section-3.1
        raise Refusal(401, _WRONG, {"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'})
    return caller


async def _by_token(connection: HTTPConnection, keys: Keys, token: str) -> Caller | None:
    """Return who holds `token`; None if it is none of ours.

    Raises:
        Refusal: 429 if the address of `connection` has shown too many that are not, 503 if it cannot
            be checked.
    """
    guesses: Guesses = connection.app.state.guesses
    rejections: Rejections = connection.app.state.rejections
    address = connection.client.host if connection.client else ""
    caller = await keys.find(token)
    if pause := guesses.pause(address, None if caller is None else caller.name):
        rejections.add("a token from where too many wrong ones came")
        seconds = str(math.ceil(pause))
        raise Refusal(429, _TOO_MANY.format(seconds=seconds), {"Retry-After": seconds})
    if caller is None:
        guesses.wrong(address, digest(token))
        rejections.add("a wrong token")
        return None
    guesses.right(address, caller.name)
    return caller
