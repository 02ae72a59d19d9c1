"""Who may come in: bearer tokens for programs, short-lived tickets for a browser's WebSocket.

A browser cannot set headers on a WebSocket or an image, and a token in a URL ends up in logs. So
whoever has a token trades it for a ticket: good for a few minutes, for this process alone, and
worthless once it has leaked into a log.
"""

import asyncio
import base64
import hmac
import logging
import math
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import chain
from typing import Annotated

from fastapi import Depends
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from web.access.guesses import Guesses
from web.access.issuer.contract import NoIssuer, TokenIssuer
from web.access.tokens import Caller, Right, TokenFile, TokenRecord, digest
from web.errors import BadSetting, IssuerUnavailable, Refusal, Unauthorized
from web.http.middleware.rejections import Rejections

log = logging.getLogger(__name__)

TICKET_SECONDS = 600
_TICKET_PROTOCOL = "openai-insecure-api-key."  # the name the Realtime API's browser clients use
_FILE_SECONDS = 1.0
"""How long a token that was taken back may still be good."""
REALTIME_PROTOCOL = "realtime"

_UNKNOWN = "This service needs its token; send `Authorization: Bearer TOKEN`."
_LESS = "This token may not do that: it needs the right `{right}`."
_TOO_MANY = "Too many wrong tokens came from your address; try again in {seconds} seconds."


LOCAL = Caller("local")


class Keys:
    """Knows the tokens, and makes and checks tickets.

    Args:
        tokens: Those of the settings: they may do everything. With none, here or in the file,
            everyone is let in: loopback only.
        clock: Unix seconds.
        file: Of named tokens; `load` reads it.
        issuer: Whose tokens let in as well.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        clock: Callable[[], float],
        file: TokenFile | None = None,
        issuer: TokenIssuer | None = None,
    ) -> None:
        self._clock = clock
        self._issuer = issuer or NoIssuer()
        self._file = file
        self._secret = secrets.token_bytes(32)  # a new one each start: tickets do not outlive us
        # Names stand in tickets: a plain hash would let who finds one try tokens on it at home.
        self._of_settings = {
            digest(token): Caller(self._sign(token)[:16], shown=f"FLASHBACK_TOKEN {number}")
            for number, token in enumerate(tokens, start=1)
        }
        self._named: dict[bytes, tuple[TokenRecord, Caller]] = {}

    @property
    def needed(self) -> bool:
        """Whether a token is needed to come in."""
        return bool(self._of_settings or self._named or self._issuer.trusted)

    async def find(self, token: str) -> Caller | None:
        """Return who holds `token`; None if it is neither ours nor the issuer's, or is too old.

        Raises:
            IssuerUnavailable: If it may be the issuer's, whose keys cannot be had.
        """
        return self._find_own(token) or await self._issuer.find(token)

    def _find_own(self, token: str) -> Caller | None:
        given, found = digest(token), None
        for known, caller in self._known():
            if hmac.compare_digest(known, given):
                found = caller
        return found

    def ticket(self, caller: Caller) -> tuple[str, int]:
        """Return a ticket for `caller` and the Unix second until which it is good."""
        until = int(self._clock()) + TICKET_SECONDS
        claim = f"{until}.{caller.name}"
        return f"{claim}.{self._sign(claim)}", until

    def by_ticket(self, ticket: str) -> Caller:
        """Return for whom `ticket` was made.

        Raises:
            Unauthorized: If we did not make it, it is too old, or its token is good no more.
        """
        claim, _, signature = ticket.rpartition(".")
        if not hmac.compare_digest(self._sign(claim).encode(), signature.encode()):
            raise Unauthorized
        until, _, name = claim.partition(".")
        known = chain((caller for _, caller in self._known()), self._issuer.callers())
        caller = next((caller for caller in known if caller.name == name), None)
        if int(until) < self._clock() or caller is None:
            raise Unauthorized
        return caller

    async def load(self) -> None:
        """Read the file of named tokens.

        Raises:
            BadSetting: If it cannot be read.
        """
        if self._file is not None:
            self._take(await asyncio.to_thread(self._file.read))

    async def follow_file(self) -> None:
        """Read the file of named tokens again whenever it changes, until cancelled.

        What has expired ends meanwhile, also tokens of the issuer.
        """
        if self._file is None:
            return
        seen = await asyncio.to_thread(self._file.stamp)
        while True:
            await asyncio.sleep(_FILE_SECONDS)
            self._end_expired()
            self._issuer.end_expired()
            now = await asyncio.to_thread(self._file.stamp)
            if now != seen:
                seen = now
                try:
                    self._take(await asyncio.to_thread(self._file.read))
                except BadSetting as error:
                    log.error("the tokens stay as they were: %s", error)  # noqa: TRY400 - in full

    def _known(self) -> Iterator[tuple[bytes, Caller]]:
        yield from self._of_settings.items()
        now = self._clock()
        for known, (record, caller) in self._named.items():
            if record.expires is None or now < record.expires:
                yield known, caller

    def _take(self, records: Sequence[TokenRecord]) -> None:
        """Know `records` from now on; what is open with one that is not among them ends."""
        before = dict(self._named.values())
        now = {r: before[r] if r in before else _caller(r) for r in records}
        self._named = {bytes.fromhex(r.digest): (r, caller) for r, caller in now.items()}
        for record, caller in before.items():
            if record not in now:
                _revoke(caller)

    def _end_expired(self) -> None:
        now = self._clock()
        for record, caller in self._named.values():
            if record.expires is not None and record.expires <= now:
                _revoke(caller)

    def _sign(self, claim: str) -> str:
        signature = hmac.digest(self._secret, claim.encode(), "sha256")
        return base64.urlsafe_b64encode(signature).decode().rstrip("=")


def _caller(record: TokenRecord) -> Caller:
    may, limits = frozenset(record.may), record.limits
    return Caller(f"{record.name}@", may, record.streams, limits, revoked=asyncio.Event())


def _revoke(caller: Caller) -> None:
    if caller.revoked is not None:
        caller.revoked.set()


class _Shown(SecurityBase):
    """A way in as `/openapi.json` shows it; `_authenticate` is what checks it."""

    def __init__(self, name: str, model: HTTPBearer | APIKey) -> None:
        self.scheme_name = name
        self.model = model

    def __call__(self) -> None:
        """Do nothing."""


_TOKEN = _Shown("token", HTTPBearer(description="FLASHBACK_TOKEN, or one of them."))
_TICKET = _Shown(
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
    try:
        if scheme.lower() == "bearer" and token:
            return await _by_token(connection, keys, token.strip())
        if tickets and ticket:
            return keys.by_ticket(ticket)
    except Unauthorized:
        pass
    raise Refusal(401, _UNKNOWN, {"WWW-Authenticate": 'Bearer realm="flashback"'})


async def _by_token(connection: HTTPConnection, keys: Keys, token: str) -> Caller:
    """Return who holds `token`.

    Raises:
        Unauthorized: If it is none of ours.
        Refusal: 429 if the address of `connection` has shown too many that are not, 503 if it cannot
            be checked.
    """
    guesses: Guesses = connection.app.state.guesses
    rejections: Rejections = connection.app.state.rejections
    address = connection.client.host if connection.client else ""
    try:
        caller = await keys.find(token)
    except IssuerUnavailable as error:
        raise Refusal(503, str(error), {"Retry-After": "30"}) from None
    if pause := guesses.pause(address, None if caller is None else caller.name):
        rejections.add("a token from where too many wrong ones came")
        seconds = str(math.ceil(pause))
        raise Refusal(429, _TOO_MANY.format(seconds=seconds), {"Retry-After": seconds})
    if caller is None:
        guesses.wrong(address, digest(token))
        rejections.add("a wrong token")
        raise Unauthorized
    guesses.right(address, caller.name)
    return caller
