"""User name and password for a camera, over RTSP or HTTP, by whichever of its ways is the strongest.

FFmpeg knows Basic and Digest with MD5, httpx the first way that is named; newer cameras offer Digest
with SHA-256 alone, and others name ways first that nobody knows.
https://www.rfc-editor.org/rfc/rfc7616
"""

import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field

# What Digest calls a hash, and Python; the strongest first.
_HASHES = {"SHA-256": "sha256", "MD5": "md5"}
_FIELD = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_NEXT = re.compile(r",\s*(?=[A-Za-z][\w-]*(?:\s+[\w-]+\s*=|\s*$|\s*,))")
"""Between the ways of one header; between the fields of one way a name is followed by `=` at once."""
_OFTEN = 100_000_000  # `nc` has eight digits


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are. Never shown."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way a server lets us in.

    Attributes:
        algorithm: Of Digest, as in `_HASHES`; None for Basic.
        session: Whether the hash of the password holds the nonces, too (`-sess`).
        fields: As the server wrote them.
    """

    algorithm: str | None
    session: bool = False
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def nonce(self) -> str:
        """What the server wants to see hashed; empty for Basic."""
        return self.fields.get("nonce", "")


def strongest(offered: Sequence[str]) -> Challenge | None:
    """Return the best of what a server's `WWW-Authenticate` headers offer, each one way or several; None if we know none."""
    ways = [way for text in offered for way in _NEXT.split(text)]
    known = [challenge for way in ways if (challenge := _read(way)) is not None]
    order = [*_HASHES, None]
    return min(known, key=lambda challenge: order.index(challenge.algorithm), default=None)


def authorize(challenge: Challenge, login: Login, method: str, uri: str, count: int) -> str:
    """Return the `Authorization` header that answers `challenge`, for the `count`th time."""
    if challenge.algorithm is None:
        both = f"{login.username}:{login.password}".encode()
        return f"Basic {b64encode(both).decode()}"
    given = challenge.fields
    cnonce = secrets.token_hex(8)
    one = _hash(challenge, f"{login.username}:{given.get('realm', '')}:{login.password}")
    if challenge.session:
        one = _hash(challenge, f"{one}:{challenge.nonce}:{cnonce}")
    two = _hash(challenge, f"{method}:{uri}")
    middle, answer = challenge.nonce, ""
    if "auth" in re.split(r"[\s,]+", given.get("qop", "")):
        middle = f"{challenge.nonce}:{count % _OFTEN:08}:{cnonce}:auth"
        answer = f", qop=auth, nc={count % _OFTEN:08}"
    if answer or challenge.session:
        answer += f', cnonce="{cnonce}"'
    for name in ("algorithm", "opaque"):
        if name in given:
            answer += f', {name}="{given[name]}"' if name == "opaque" else f", {name}={given[name]}"
    return (
        f'Digest username="{_quoted(login.username)}", realm="{given.get("realm", "")}", '
        f'nonce="{challenge.nonce}", uri="{uri}", '
        f'response="{_hash(challenge, f"{one}:{middle}:{two}")}"{answer}'
    )


def _read(text: str) -> Challenge | None:
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() == "basic":
        return Challenge(None)
    if scheme.lower() != "digest":
        return None
    fields = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(rest)}
    algorithm = fields.get("algorithm", "MD5").upper()
    session = algorithm.endswith("-SESS")
    algorithm = re.sub("^SHA(?=256)", "SHA-", algorithm.removesuffix("-SESS"))
    return Challenge(algorithm, session, fields) if algorithm in _HASHES else None


def _hash(challenge: Challenge, text: str) -> str:
    assert challenge.algorithm is not None
    return hashlib.new(
        _HASHES[challenge.algorithm], text.encode(), usedforsecurity=False
    ).hexdigest()


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
