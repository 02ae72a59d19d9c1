"""Lets in whom a trusted issuer vouches for with a JSON Web Token (https://www.rfc-editor.org/rfc/rfc7519).

The algorithm is the settings' choice, never the token's, and its key must be of that kind; issuer,
audience and expiry are checked. What was checked once is remembered until it expires, or its key is
withdrawn: then whatever was opened with it is closed.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jwt
from jwt.exceptions import PyJWTError
from jwt.types import Options

from web.access.issuer.keys import Key, KeySet
from web.access.issuer.terms import Terms, shown_name
from web.access.tokens import Caller, digest

_LONGEST_TOKEN = 8192
_LEEWAY_SECONDS = 30
_MOST_HOLDERS = 4096
_LATEST = 1e11
_NEEDED = ("exp", "iss", "aud", "sub")


@dataclass(frozen=True, slots=True)
class _Vouched:
    """A token that was checked.

    Attributes:
        caller: Who holds it.
        key: The name of the key that signed it.
        until: Unix second from which on it is good no more.
    """

    caller: Caller
    key: str
    until: float


class Issuer:
    """Knows whose tokens it let in.

    Args:
        terms: What a token must say, and what it is worth.
        keys: The issuer's.
        clock: Unix seconds.
    """

    trusted = True

    def __init__(self, terms: Terms, keys: KeySet, clock: Callable[[], float]) -> None:
        self._terms = terms
        self._keys = keys
        self._clock = clock
        self._vouched: dict[bytes, _Vouched] = {}  # by the hash of the token, the newest at the end

    async def find(self, token: str) -> Caller | None:
        """Return who holds `token`; None if it is none of this issuer's, or is too old.

        Raises:
            Refusal: 503 if the issuer's keys cannot be had.
        """
        header = _header(token)
        if header is None or header[1] not in self._terms.algorithms:
            return None
        name, algorithm = header
        key = await self._keys.find(name)
        if key is None or key.algorithm not in {None, algorithm}:
            return None
        found = self._vouched.get(digest(token)) or self._check(token, name, key, algorithm)
        return None if found is None or found.until <= self._clock() else found.caller

    def callers(self) -> Iterator[Caller]:
        """Yield who was let in, the newest first."""
        now = self._clock()
        yield from (v.caller for v in reversed(self._vouched.values()) if v.until > now)

    def end_expired(self) -> None:
        """Forget tokens that have expired, or whose key was withdrawn; what is open with them ends."""
        now = self._clock()
        for place, vouched in list(self._vouched.items()):
            if vouched.until <= now or vouched.key not in self._keys:
                self._forget(place)

    def _check(self, token: str, name: str, key: Key, algorithm: str) -> _Vouched | None:
        by_our_clock: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
        try:
            claims = jwt.decode(
                token,
                key.public,
                algorithms=[algorithm],
                issuer=self._terms.issuer,
                audience=self._terms.audience,
                options={**by_our_clock, "require": list(_NEEDED)},
            )
        except (PyJWTError, ValueError, TypeError):
            return None
        until, begins = _seconds(claims["exp"]), _seconds(claims.get("nbf", 0))
        if until is None or begins is None or self._clock() < begins - _LEEWAY_SECONDS:
            return None
        return self._remember(token, _Vouched(self._caller(claims, token), name, until))

    def _caller(self, claims: dict[str, object], token: str) -> Caller:
        # Limits are counted by name, whatever tokens a person has; a name also stands in tickets.
        whose = f"{self._terms.issuer}\0{claims['sub']}".encode()
        return Caller(
            f"jwt-{hashlib.sha256(whose).hexdigest()[:32]}",
            may=self._terms.rights(claims),
            streams=self._terms.streams(claims),
            shown=shown_name(claims),
            revoked=asyncio.Event(),
            mark=digest(token).hex(),
        )

    def _remember(self, token: str, vouched: _Vouched) -> _Vouched:
        self._vouched[digest(token)] = vouched
        if len(self._vouched) > _MOST_HOLDERS:
            self._forget(next(iter(self._vouched)))
        return vouched

    def _forget(self, place: bytes) -> None:
        caller = self._vouched.pop(place).caller
        if caller.revoked is not None:
            caller.revoked.set()


def _header(token: str) -> tuple[str, str] | None:
    """Return key and algorithm that `token` names, unchecked; None if it is not such a token."""
    if len(token) > _LONGEST_TOKEN or token.count(".") != 2:
        return None
    try:
        header = jwt.get_unverified_header(token)
    except (PyJWTError, ValueError, RecursionError):
        return None
    name, algorithm = header.get("kid"), header.get("alg")
    if not isinstance(name, str) or not isinstance(algorithm, str) or "crit" in header:
        return None
    return name, algorithm


def _seconds(value: object) -> float | None:
    """Return a time as a number; None if it is none, or one that never comes."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _LATEST else None
