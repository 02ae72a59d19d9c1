"""Who may come in: bearer tokens for programs, short-lived tickets for a browser's WebSocket.

A browser cannot set headers on a WebSocket or an image, and a token in a URL ends up in logs. So
whoever has a token trades it for a ticket: good for a few minutes, for this process alone, and
worthless once it has leaked into a log.
"""

import base64
import hashlib
import hmac
import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from web.guesses import Guesses
from web.http.rejections import Rejections
from web.problems import Refusal

TICKET_SECONDS = 600
_TICKET_PROTOCOL = "openai-insecure-api-key."  # the name the Realtime API's browser clients use
REALTIME_PROTOCOL = "realtime"

_UNKNOWN = "This service needs its token; send `Authorization: Bearer TOKEN`."
_TOO_MANY = "Too many wrong tokens came from your address; try again in {seconds} seconds."


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who was let in. Callers with the same token share a `name`, and its limits."""

    name: str


LOCAL = Caller("local")


class Unauthorized(Exception):
    """The token or ticket is wrong or too old."""


class Keys:
    """Knows the tokens, and makes and checks tickets.

    Args:
        tokens: Those that let in. With none everyone is let in: loopback only.
        clock: Unix seconds.
    """

    def __init__(self, tokens: Sequence[str], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)  # a new one each start: tickets do not outlive us
        # Names stand in tickets: a plain hash would let who finds one try tokens on it at home.
        self._callers = {_digest(token): Caller(self._sign(token)[:16]) for token in tokens}

    @property
    def needed(self) -> bool:
        """Whether a token is needed to come in."""
        return bool(self._callers)

    def find(self, token: str) -> Caller | None:
        """Return who holds `token`; None if it is none of ours."""
        given = _digest(token)
        for known, caller in self._callers.items():
            if hmac.compare_digest(known, given):
                return caller
        return None

    def ticket(self, caller: Caller) -> tuple[str, int]:
        """Return a ticket for `caller` and the Unix second until which it is good."""
        until = int(self._clock()) + TICKET_SECONDS
        claim = f"{until}.{caller.name}"
        return f"{claim}.{self._sign(claim)}", until

    def by_ticket(self, ticket: str) -> Caller:
        """Return for whom `ticket` was made.

        Raises:
            Unauthorized: If we did not make it, or it is too old.
        """
        claim, _, signature = ticket.rpartition(".")
        if not hmac.compare_digest(self._sign(claim).encode(), signature.encode()):
            raise Unauthorized
        until, _, name = claim.partition(".")
        if int(until) < self._clock():
            raise Unauthorized
        return Caller(name)

    def _sign(self, claim: str) -> str:
        signature = hmac.digest(self._secret, claim.encode(), "sha256")
        return base64.urlsafe_b64encode(signature).decode().rstrip("=")


def make_token() -> str:
    """Return a new token nobody can guess."""
    return secrets.token_urlsafe(24)


class Shown(SecurityBase):
    """A way in as `/openapi.json` shows it; `_authenticate` is what checks it."""

    def __init__(self, name: str, model: HTTPBearer | APIKey) -> None:
        self.scheme_name = name
        self.model = model

    def __call__(self) -> None:
        """Do nothing."""


_TOKEN = Shown("token", HTTPBearer(description="FLASHBACK_TOKEN, or one of them."))
_TICKET = Shown(
    "ticket",
    APIKey.model_validate(
        {
            "in": APIKeyIn.query,
            "name": "ticket",
            "description": "From POST /v1/realtime/client_secrets.",
        }
    ),
)


def by_header(
    connection: HTTPConnection, _token: Annotated[None, Depends(_TOKEN)] = None
) -> Caller:
    """Let in who has a token: the dependency of every route that changes or reads something.

    Raises:
        Refusal: 401 if there is no token or a wrong one, 429 after too many wrong ones.
    """
    return _authenticate(connection, tickets=False)


def by_ticket(
    connection: HTTPConnection,
    _token: Annotated[None, Depends(_TOKEN)] = None,
    _ticket: Annotated[None, Depends(_TICKET)] = None,
) -> Caller:
    """Let in who has a token or a ticket: for what a browser asks for without headers.

    Raises:
        Refusal: 401 if there is neither, or it is wrong or too old; 429 after too many wrong ones.
    """
    return _authenticate(connection, tickets=True)


def _ticket_protocol(connection: HTTPConnection) -> str | None:
    """Return the ticket that stands among the WebSocket's sub-protocols, if one does."""
    for name in connection.headers.get("sec-websocket-protocol", "").split(","):
        if name.strip().startswith(_TICKET_PROTOCOL):
            return name.strip().removeprefix(_TICKET_PROTOCOL)
    return None


def _authenticate(connection: HTTPConnection, *, tickets: bool) -> Caller:
    keys: Keys = connection.app.state.keys
    if not keys.needed:
        return LOCAL
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    ticket = connection.query_params.get("ticket") or _ticket_protocol(connection)
    try:
        if scheme.lower() == "bearer" and token:
            return _by_token(connection, keys, token.strip())
        if tickets and ticket:
            return keys.by_ticket(ticket)
    except Unauthorized:
        pass
    raise Refusal(401, _UNKNOWN, {"WWW-Authenticate": 'Bearer realm="flashback"'})


def _by_token(connection: HTTPConnection, keys: Keys, token: str) -> Caller:
    """Return who holds `token`.

    Raises:
        Unauthorized: If it is none of ours.
        Refusal: 429 if the address of `connection` has shown too many that are not.
    """
    guesses: Guesses = connection.app.state.guesses
    rejections: Rejections = connection.app.state.rejections
    address = connection.client.host if connection.client else ""
    caller = keys.find(token)
    if pause := guesses.pause(address, None if caller is None else caller.name):
        rejections.add("a token from where too many wrong ones came")
        seconds = str(math.ceil(pause))
        raise Refusal(429, _TOO_MANY.format(seconds=seconds), {"Retry-After": seconds})
    if caller is None:
        guesses.wrong(address, _digest(token))
        rejections.add("a wrong token")
        raise Unauthorized
    guesses.right(address, caller.name)
    return caller


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
