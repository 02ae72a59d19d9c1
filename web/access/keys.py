"""Which tokens let in, and the tickets that are made of them.

A browser cannot set headers on a WebSocket or an image, and a token in a URL ends up in logs. So
whoever has a token trades it for a ticket: good for a few minutes, for this process alone, and
worthless once it has leaked into a log.
"""

import asyncio
import base64
import hmac
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from web.access.issuer.contract import NoIssuer, TokenIssuer
from web.access.tokens import Caller, TokenFile, TokenRecord, digest
from web.errors import BadValue

log = logging.getLogger(__name__)

TICKET_SECONDS = 600
_FILE_SECONDS = 1.0
"""How long a token that was taken back may still be good."""

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
        # Taking back the last named token must let nobody in, not everybody.
        self._names_some = False

    @property
    def needed(self) -> bool:
        """Whether a token is needed to come in: of the settings or an issuer, or once there is a file."""
        return bool(self._of_settings or self._names_some or self._issuer.trusted)

    async def find(self, token: str) -> Caller | None:
        """Return who holds `token`; None if it is neither ours nor the issuer's, or is too old.

        Raises:
            Refusal: 503 if it may be the issuer's, whose keys cannot be had.
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
        return f"{claim}.{self._sign(claim, caller.mark)}", until

    def by_ticket(self, ticket: str) -> Caller | None:
        """Return for whom `ticket` was made; None if it is not good.

        We did not make it, then, or it is too old, or its token is good no more, though there may be
        another of the same name.
        """
        claim, _, signature = ticket.rpartition(".")
        until, _, name = claim.partition(".")
        known = chain((caller for _, caller in self._known()), self._issuer.callers())
        for caller in known:
            if caller.name == name and self._signed(claim, caller, signature):
                return None if int(until) < self._clock() else caller
        return None

    def _signed(self, claim: str, caller: Caller, signature: str) -> bool:
        ours = self._sign(claim, caller.mark)
        return hmac.compare_digest(ours.encode(), signature.encode())

    async def load(self) -> None:
        """Read the file of named tokens.

        Raises:
            BadValue: If it cannot be read.
        """
        if self._file is not None:
            self._names_some = await asyncio.to_thread(self._file.stamp) is not None
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
                except BadValue as error:
                    log.error("the tokens stay as they were: %s", error)  # noqa: TRY400 - in full

    def _known(self) -> Iterator[tuple[bytes, Caller]]:
        yield from self._of_settings.items()
        now = self._clock()
        for known, (record, caller) in self._named.items():
            if record.expires is None or now < record.expires:
                yield known, caller

    def _take(self, records: Sequence[TokenRecord]) -> None:
        """Know `records` from now on; what is open with one that is not among them ends."""
        self._names_some = self._names_some or bool(records)
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

    def _sign(self, claim: str, mark: str = "") -> str:
        signature = hmac.digest(self._secret, f"{claim}\0{mark}".encode(), "sha256")
        return base64.urlsafe_b64encode(signature).decode().rstrip("=")


def _caller(record: TokenRecord) -> Caller:
    return Caller(
        f"{record.name}@",
        frozenset(record.may),
        record.streams,
        record.limits,
        revoked=asyncio.Event(),
        mark=record.digest,
    )


def _revoke(caller: Caller) -> None:
    if caller.revoked is not None:
        caller.revoked.set()
