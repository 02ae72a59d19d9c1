"""Settings: who reaches the service, and by which tokens."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from web.setting_parts.group import PREFIX, Group, field
from web.setting_parts.values import (
    Algorithms,
    Issuer,
    KeysUrl,
    Networks,
    Port,
    Roles,
    Secrets,
    Words,
)

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class AccessSettings(Group):
    """Who reaches the service, and by which tokens."""

    host: str = field("127.0.0.1", "address to listen on; any but loopback needs a token")
    port: Port = field(8700, "TCP port to listen on; 0 takes a free one")
    token: Secrets = field((), "bearer tokens that let in, comma-separated; one each for limits")
    token_file: Path | None = field(
        None,
        "file of named tokens, which `flashback token` writes; by default tokens.json in the data folder",
    )
    jwt_issuer: Issuer = field(
        None,
        "issuer whose JSON Web Tokens let in (their `iss`), such as https://login.example/realms/cams; needs "
        "the extra jwt",
    )
    jwt_audience: str = field("", "what must stand in the `aud` of such a token")
    jwt_keys: KeysUrl = field(
        None, "URL of the issuer's public keys; by default ISSUER/.well-known/jwks.json"
    )
    jwt_roles: Roles = field(
        (),
        "what the issuer's roles may do: ROLE=RIGHT,RIGHT, several with ; between, such as "
        "viewer=watch,ask; operator=admin",
    )
    jwt_roles_claim: str = field(
        "roles", "claim that holds the roles, or a path such as realm_access.roles", min_length=1
    )
    jwt_streams_claim: str = field(
        "", "claim that holds the names or patterns of streams that a token is for; without it all"
    )
    jwt_algorithms: Algorithms = field(
        ("RS256", "ES256"), "algorithms that its tokens may be signed by"
    )
    allowed_jwt_networks: Networks = field(
        (), "private networks that the issuer's keys may be fetched from; only there without TLS"
    )
    allowed_hosts: Words = field((), "names under which clients reach the service (Host header)")
    allowed_origins: Words = field((), "web origins other than our own that may call us")
    root_path: str = field(
        "",
        "path below which a proxy serves us, such as /flashback",
        pattern=r"^(/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*$",
    )

    @model_validator(mode="after")
    def _issuer_is_whole(self) -> Self:
        needed = {"AUDIENCE": self.jwt_audience, "ROLES": self.jwt_roles}
        if self.jwt_issuer is not None and not all(needed.values()):
            lacking = " and ".join(
                f"{PREFIX}JWT_{name}" for name, value in needed.items() if not value
            )
            raise ValueError(f"{PREFIX}JWT_ISSUER needs {lacking}")
        given = sorted(name for name in self.model_fields_set if name.startswith("jwt_"))
        if self.jwt_issuer is None and given:
            raise ValueError(f"{PREFIX}{given[0].upper()} needs {PREFIX}JWT_ISSUER")
        return self

    @property
    def fixed_callers(self) -> int:
        """How many there are, at least, who share what there is; named tokens are not counted."""
        return len(self.token) + (2 if self.jwt_issuer else 0)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return self.host in _LOOPBACK_NAMES
