"""An issuer's public keys (JSON Web Key Set, https://www.rfc-editor.org/rfc/rfc7517), kept within bounds.

They are fetched when a token needs them: at first, when they have become old, and when a token names
one that is not among them, as after a rotation. Tokens of strangers name what they like, so never
sooner than half a minute after the last try, however it went. While the issuer is away its last
keys are good for a day.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from web.errors import Refusal, WebError

log = logging.getLogger(__name__)

FRESH_SECONDS = 600.0
KEPT_SECONDS = 86_400.0
PAUSE_SECONDS = 30.0
_MOST_KEYS = 64
_SMALLEST_RSA = 2048
_KINDS = frozenset({"RSA", "EC", "OKP"})  # never "oct": a shared secret signs what it checks


@dataclass(frozen=True, slots=True)
class Key:
    """A key that checks signatures.

    Attributes:
        public: As cryptography holds it.
        algorithm: The only one that it is for; None if the issuer names none.
    """

    public: Any
    algorithm: str | None


class KeySet:
    """The keys that are known.

    Args:
        fetch: Returns the issuer's document.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self, fetch: Callable[[], Awaitable[bytes]], monotonic: Callable[[], float]
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._keys: Mapping[str, Key] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._one_at_a_time = asyncio.Lock()

    async def find(self, name: str) -> Key | None:
        """Return the key called `name` (`kid`); None if the issuer has none of that name.

        Raises:
            Refusal: 503 if its keys are not known, or have become too old.
        """
        if self._age() > FRESH_SECONDS or name not in self._keys:
            await self._refresh()
        if self._age() > KEPT_SECONDS:
            said = "The keys of the tokens' issuer cannot be fetched at the moment."
            raise Refusal(503, said, {"Retry-After": "30"})
        return self._keys.get(name)

    def __contains__(self, name: str) -> bool:
        """Say whether a key of that name is known, without fetching any."""
        return name in self._keys and self._age() <= KEPT_SECONDS

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._monotonic() - self._fetched

    async def _refresh(self) -> None:
        async with self._one_at_a_time:
            now = self._monotonic()
            if self._tried is not None and now - self._tried < PAUSE_SECONDS:
                return
            self._tried = now
            try:
                self._keys = read_keys(await self._fetch())
            except WebError as error:
                log.warning("the keys of the tokens' issuer cannot be fetched: %s", error)
            else:
                self._fetched = now


def read_keys(document: bytes) -> dict[str, Key]:
    """Return the keys of `document` that may sign tokens, by name; any other key is left out.

    Raises:
        WebError: If it is not a set of keys, or holds too many.
    """
    try:
        held = json.loads(document)["keys"]
    except (ValueError, TypeError, LookupError, RecursionError):
        held = None
    if not isinstance(held, list) or len(held) > _MOST_KEYS:
        raise WebError(f"it is not a JSON Web Key Set of at most {_MOST_KEYS} keys")
    named = [entry for entry in held if isinstance(entry, dict) and _may_sign(entry)]
    read = {str(entry["kid"]): _read(entry) for entry in named}
    return {name: key for name, key in read.items() if key is not None}


def _may_sign(entry: Mapping[str, object]) -> bool:
    operations = entry.get("key_ops")
    return (
        isinstance(entry.get("kid"), str)
        and entry.get("kty") in _KINDS
        and entry.get("use", "sig") == "sig"
        and (not isinstance(operations, list) or "verify" in operations)
    )


def _read(entry: dict[str, Any]) -> Key | None:
    try:
        public = PyJWK(entry).key
    except (PyJWTError, ValueError, TypeError):
        return None
    if isinstance(public, RSAPublicKey) and public.key_size < _SMALLEST_RSA:
        return None
    algorithm = entry.get("alg")
    return Key(public, algorithm if isinstance(algorithm, str) else None)
