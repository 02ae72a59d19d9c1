"""On what terms an issuer's tokens let in: who it is, which algorithms, and what its roles may do.

A token says its holder's roles in the issuer's words; which rights those are is said here alone. So
nobody gets a right by being called something: a role that is not named opens nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stream.address.printable import printable
from web.access.tokens import RIGHTS, Right
from web.setting_parts.addresses import read_address
from web.setting_parts.extras import need_extra

# Signatures of public keys alone. With an HMAC whoever has a public key could make tokens.
# https://www.rfc-editor.org/rfc/rfc8725#section-3.1
_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,64}")
_MOST_VALUES = 100
_MOST_SHOWN = 64

Roles = tuple[tuple[str, frozenset[Right]], ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a token must say, and what it is worth.

    Attributes:
        issuer: Its `iss`.
        audience: What must stand in its `aud`.
        algorithms: Those that a signature may have.
        roles_claim: Where its roles stand: a claim's name, or a path of names with dots.
        roles: The rights of each role.
        streams_claim: Where the patterns of streams stand that it is for; empty for all streams.
    """

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    roles_claim: str
    roles: Roles
    streams_claim: str = ""

    def rights(self, claims: Mapping[str, object]) -> frozenset[Right]:
        """Return what the holder of `claims` may do: nothing, if no role of it is known."""
        held = set(_words(_at(claims, self.roles_claim)))
        return frozenset().union(*(rights for role, rights in self.roles if role in held))

    def streams(self, claims: Mapping[str, object]) -> tuple[str, ...]:
        """Return the patterns of streams that `claims` are for: none, if the claim names none."""
        if not self.streams_claim:
            return ("*",)
        return tuple(p for p in _words(_at(claims, self.streams_claim)) if _PATTERN.fullmatch(p))


def shown_name(claims: Mapping[str, object]) -> str:
    """Return how the holder of `claims` is called in the audit log."""
    return printable(str(claims["sub"]))[:_MOST_SHOWN]


def _at(claims: Mapping[str, object], place: str) -> object:
    """Return what stands at `place`: a claim of that name (which may hold dots), or a path."""
    if place in claims:
        return claims[place]
    found: object = claims
    for name in place.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _words(value: object) -> list[str]:
    """Return a list of words, as they stand in a list or in one text (`scope` of OAuth)."""
    listed = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(listed, list):
        return []
    return [word for word in listed if isinstance(word, str)][:_MOST_VALUES]


def read_roles(value: object) -> object:
    """Read `viewer=watch,ask; operator=admin`; anything else passes through.

    Raises:
        ValueError: If it is written otherwise.
    """
    if not isinstance(value, str):
        return value
    return tuple(_role(word.strip()) for word in value.split(";") if word.strip())


def _role(text: str) -> tuple[str, frozenset[Right]]:
    name, _, rights = text.rpartition("=")
    given = {right.strip() for right in rights.split(",")}
    if not name.strip() or not given <= set(RIGHTS):
        raise ValueError(
            f"give ROLE=RIGHT,RIGHT with the rights {', '.join(RIGHTS)}, several roles with ; between, "
            "such as viewer=watch,ask; operator=watch,ask,ingest"
        )
    return name.strip(), frozenset(right for right in RIGHTS if right in given)


def check_algorithms(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse algorithms that anybody could sign with.

    Raises:
        ValueError: If one is none of `_ALGORITHMS`.
    """
    if not names or not set(names) <= set(_ALGORITHMS):
        raise ValueError(f"choose from {', '.join(_ALGORITHMS)}")
    return names


def check_issuer(url: str | None) -> str | None:
    """Refuse what is not an issuer's name.

    Raises:
        ValueError: If it is not one, or the library for its tokens is missing.
    """
    if url is not None:
        need_extra("jwt", "jwt")
    return check_keys_url(url)


def check_keys_url(url: str | None) -> str | None:
    """Refuse what is not the address of a set of keys.

    Raises:
        ValueError: If it is not one; the message does not repeat it.
    """
    if url is None:
        return None
    wanted = "give https://HOST/PATH, without a user or password"
    if "@" in read_address(url, ("http", "https"), wanted).netloc:
        raise ValueError(wanted)
    return url
