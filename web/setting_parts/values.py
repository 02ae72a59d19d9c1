"""The kinds of values that settings have: how each is read from text, and what it must be.

A kind that is used for one setting alone stands here too: the files beside it say which
settings there are and what they mean, and nothing of how they are written.
"""

import ipaddress
import re
import ssl
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from stream.address.ambiguous import ENCODE, is_ambiguous
from stream.frames.blackout import Zone
from web.access.issuer import terms
from web.setting_parts.addresses import read_address
from web.setting_parts.extras import need_extra

# Only what aiortc and every browser take; https://www.rfc-editor.org/rfc/rfc7065
_STUN_URL = re.compile(r"stun:[A-Za-z0-9.-]+(:\d{1,5})?")
_TURN_URL = re.compile(
    r"turn:[A-Za-z0-9.-]+(:\d{1,5})?(\?transport=(udp|tcp))?"
    r"|turns:[A-Za-z0-9.-]+(:\d{1,5})?(\?transport=tcp)?"
)
_STREAM_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STREAM_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,64}")
_NEXT_NAME = re.compile(r",(?=\s*(?:[A-Za-z0-9_-]{1,64}=|$))")


def _words(value: object) -> object:
    """Split `a, b` as it comes from the environment; anything else passes through."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def _named_words(value: object) -> object:
    """Split `a=x, b=y`, but not at the commas inside of `x`: a URL may hold some.

    Raises:
        ValueError: If a password may have been cut.
    """
    if isinstance(value, str):
        words = [word for word in (word.strip(" ,") for word in _NEXT_NAME.split(value)) if word]
        if any(_is_half(a) and "@" in b and "://" not in b for a, b in pairwise(words)):
            raise ValueError("write a comma in a password as %2C")
        return words
    return value


def _is_half(source: str) -> bool:
    """Say whether it looks like a URL that was cut inside of its password."""
    return "://" in source and "@" not in source


def _named(sources: tuple[str, ...]) -> tuple[str, ...]:
    for source in sources:
        name, _, url = source.partition("=")
        if not (_STREAM_NAME.fullmatch(name) and url):
            raise ValueError("give NAME=URL, with a name of 1 to 64 letters, digits, _ and -")
    return sources


def _age(value: object) -> object:
    """Read `7d`, `12h`, `30m` or `90s` into seconds.

    Raises:
        ValueError: If it is neither of these nor a number of seconds.
    """
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", value.strip())
    if match is None:
        raise ValueError("give a number and s, m, h or d, such as 7d")
    return float(match[1]) * {"s": 1, "": 1, "m": 60, "h": 3600, "d": 86_400}[match[2]]


def _port_range(value: object) -> object:
    """Read `50000-50100` into its two ends."""
    if isinstance(value, str):
        return value.split("-") if value.strip() else None
    return value


def _ordered(ports: tuple[int, int] | None) -> tuple[int, int] | None:
    if ports is not None and not 1024 <= ports[0] <= ports[1]:
        raise ValueError("give FIRST-LAST with 1024 <= FIRST <= LAST, such as 50000-50100")
    return ports


def _whole(url: SecretStr | None) -> SecretStr | None:
    scheme, _, rest = (url.get_secret_value() if url else "").partition("://")
    # A path of a socket may hold an @.
    if "#" in rest if scheme == "unix" else is_ambiguous(rest):
        raise ValueError(f"the URL is ambiguous. {ENCODE}")
    if url is not None:
        from memory.servers.open import (
            open_nodes,
        )  # late: it loads redis-py, which few commands need

        open_nodes(url.get_secret_value(), timeout=1.0)  # connects to nothing yet
    return url


def _ipv4(host: str | None) -> str | None:
    if host is not None:
        ipaddress.IPv4Address(host)
    return host


def _stun(urls: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_STUN_URL.fullmatch(url) for url in urls):
        raise ValueError("give stun:HOST:PORT, with a name or an IPv4 address")
    return urls


def _turn(urls: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_TURN_URL.fullmatch(url) for url in urls):
        raise ValueError(
            "give turn:HOST:PORT, turn:HOST:PORT?transport=tcp or turns:HOST:PORT, with a name "
            "or an IPv4 address"
        )
    return urls


def _zones(value: object) -> object:
    """Read `door=0,0 0.3,1; yard=…` into zones.

    Raises:
        ValueError: If one is written otherwise, or lies outside of the picture.
    """
    if not isinstance(value, str):
        return value
    return tuple(_zone(word.strip()) for word in value.split(";") if word.strip())


def _zone(text: str) -> Zone:
    name, _, corners = text.partition("=")
    try:
        numbers = [tuple(map(float, corner.split(","))) for corner in corners.split()]
    except ValueError:
        numbers = []
    points = tuple((point[0], point[1]) for point in numbers if len(point) == 2)
    if not _STREAM_PATTERN.fullmatch(name.strip()) or not points or len(points) < len(numbers):
        raise ValueError(
            "give NAME=X,Y X,Y, two corners of a box or the corners of a polygon, as fractions of "
            "width and height from the upper left, such as door=0,0 0.3,1; several with ; between"
        )
    return Zone(name.strip(), points)


def _patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_STREAM_PATTERN.fullmatch(pattern) for pattern in patterns):
        raise ValueError("give names of streams, or patterns such as door-*")
    return patterns


def _networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    for network in networks:
        ipaddress.ip_network(network, strict=False)
    return networks


def _mqtt(url: str | None) -> str | None:
    """Check the address of a broker.

    Raises:
        ValueError: If it is not one; the message does not repeat it.
    """
    if url is None:
        return None
    wanted = "give mqtt://HOST:PORT or mqtts://HOST:PORT, with USER@ before the host"
    parts = read_address(url, ("mqtt", "mqtts"), wanted)
    if parts.password is not None:
        raise ValueError("put the password into a file and name that: FLASHBACK_MQTT_PASSWORD_FILE")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(wanted)
    need_extra("mqtt", "aiomqtt")
    return url


def _traces(url: str | None) -> str | None:
    """Return the whole address of a collector; without a path it is the usual one.

    Raises:
        ValueError: If it is not one; the message does not repeat it.
    """
    if url is None:
        return None
    wanted = "give http://HOST:PORT or https://HOST:PORT, with a path if it is not /v1/traces"
    parts = read_address(url, ("http", "https"), wanted)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("put credentials into OTEL_EXPORTER_OTLP_HEADERS, not into the address")
    need_extra("otel", "opentelemetry", "opentelemetry.exporter.otlp")
    return url if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}/v1/traces"


def _certificates(file: Path | None) -> Path | None:
    if file is None:
        return None
    file = file.expanduser().absolute()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except OSError as error:  # ssl's own errors are of this kind
        raise ValueError(f"{file} is not a PEM certificate file") from error
    return file


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_words)]
Sources = Annotated[tuple[str, ...], BeforeValidator(_named_words), AfterValidator(_named)]
Age = Annotated[Annotated[float, Field(gt=0)] | None, BeforeValidator(_age)]
Port = Annotated[int, Field(ge=0, le=65535)]
PortRange = Annotated[
    tuple[Port, Port] | None, BeforeValidator(_port_range), AfterValidator(_ordered)
]
Address = Annotated[str | None, AfterValidator(_ipv4)]
RedisUrl = Annotated[SecretStr | None, AfterValidator(_whole)]
StunServers = Annotated[Words, AfterValidator(_stun)]
TurnServers = Annotated[Words, AfterValidator(_turn)]
Zones = Annotated[tuple[Zone, ...], BeforeValidator(_zones)]
Networks = Annotated[Words, AfterValidator(_networks)]
MqttUrl = Annotated[str | None, AfterValidator(_mqtt)]
TracesUrl = Annotated[str | None, AfterValidator(_traces)]
Issuer = Annotated[str | None, AfterValidator(terms.check_issuer)]
KeysUrl = Annotated[str | None, AfterValidator(terms.check_keys_url)]
Roles = Annotated[terms.Roles, BeforeValidator(terms.read_roles)]
Patterns = Annotated[Words, AfterValidator(_patterns)]
Algorithms = Annotated[Words, AfterValidator(terms.check_algorithms)]
Topic = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", max_length=128)]
CertificateFile = Annotated[Path | None, AfterValidator(_certificates)]
