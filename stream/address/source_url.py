"""A caller's URL is hostile until proved otherwise.

FFmpeg opens whatever it is given: local files, other protocols inside a URL, the machine's own
services, a cloud's metadata. So only known schemes pass, hosts are resolved once and every
address is held against what may be reached, and the address that was checked is the one that
is dialled. Credentials are split off and shown to nobody, nor what looks like one in a path:
many recorders want it there. Background:
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit, urlunsplit

import av

from stream.address.ambiguous import ENCODE, is_ambiguous
from stream.address.dns import Lookup, LookupFailed, Lookups, Resolver
from stream.address.printable import printable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PORTS = {
    "http": 80, "https": 443, "rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "srt": 0,
}  # fmt: skip
DEVICES = ("v4l2", "avfoundation", "dshow", "gdigrab", "x11grab", "lavfi")
"""FFmpeg's names for kinds of local devices (https://ffmpeg.org/ffmpeg-devices.html)."""
LONGEST = 2048
IPV4 = 4
LOOKUPS = Lookups()
LOOKUP_WITHIN = 10.0
# Such as `/user=admin&password=x&channel=1.sdp`, `/user=admin_password=x_channel=1_stream=0.sdp`
# and `/admin:x@stream`.
SECRET = re.compile(
    r"(user|usr|login|pass|pwd|psw|token|key|auth|secret|cred|sign)[^=]*=.|:.*@", re.IGNORECASE
)
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]+")
# What Python's `is_global` lets pass and still leads inside: IPv4 in IPv6 clothes, and tunnels.
IPV4_EMBEDDING = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
NON_GLOBAL = (ip_network("2001::/32"), ip_network("fec0::/10"))


class BadSource(ValueError):
    """The source cannot be used; the message says to a person why, without its credentials."""


@dataclass(frozen=True, slots=True)
class SourceUrl:
    """A source that passed the check of its form.

    Attributes:
        scheme: Such as `rtsp`; `file` for a local file, one of `DEVICES` for a device.
        host: Name or address; empty for what is local.
        port: To connect to; 0 for what is local.
        path: Path and query of the URL, the file's path, or the device's name and options.
        username: Never shown; None if there is none.
        password: Never shown; None if there is none.
    """

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)  # secrets may stand in it; `shown` hides them
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def is_device(self) -> bool:
        """Whether it is a camera, a screen or the like of this machine."""
        return self.scheme in DEVICES

    @property
    def is_local(self) -> bool:
        """Whether it is of this machine: nothing is dialled to reach it."""
        return self.scheme == "file" or self.is_device

    @property
    def shown(self) -> str:
        """The source for logs, lists and errors: no credentials, no query (it may hold a key).

        What a path calls a user, a password, a key or the like is left out of it.
        """
        if self.scheme == "file":
            return printable(self.path)
        if self.is_device:
            return f"{self.scheme}:{self.path}"
        path, _, query = self.path.partition("?")
        place = f"{self.scheme}://{_bracket(self.host)}:{self.port}"
        return place + _without_secrets(path) + ("?…" if query else "")

    def at(self, address: str, port: int | None = None, *, secret: bool = True) -> str:
        """Return the full URL with `address` in the place of the host; for FFmpeg alone."""
        user = ""
        if secret and self.username is not None:
            user = quote(self.username, safe="") + ":" + quote(self.password or "", safe="") + "@"
        place = f"{user}{_bracket(address)}:{self.port if port is None else port}"
        path, _, query = self.path.partition("?")
        return urlunsplit((self.scheme, place, path, query, ""))


def read_source(text: str, *, local: bool = False) -> SourceUrl:
    """Check the form of a source.

    Args:
        text: A URL; with `local` also a path, or a device such as `/dev/video0` or
            `v4l2:/dev/video0?framerate=15`, with FFmpeg's options after the question mark.
        local: Whether files of this machine may be opened: for the command line alone.

    Raises:
        BadSource: If it is none of what is allowed.
    """
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if local and (scheme not in PORTS or not separator) and (source := _local(text)) is not None:
        return source
    if len(text) > LONGEST or not text.isprintable() or text != text.strip():
        raise BadSource("A source is a single line of printable characters without spaces around.")
    if not separator or scheme == "file":
        raise BadSource(f"A source is a URL that begins with one of {_schemes()}.")
    if scheme not in PORTS:
        raise BadSource(f"This kind of URL is not supported; it must begin with {_schemes()}.")
    if " " in text or "\\" in text:
        raise BadSource("In a source's URL write a space as %20 and a backslash as %5C.")
    if is_ambiguous(rest):
        raise BadSource(f"The source's URL is ambiguous. {ENCODE}")
    return _split(scheme, text)


def check_addresses(
    host: str,
    addresses: Sequence[str],
    allowed: Sequence[Network],
    own: Sequence[str] = (),
) -> str:
    """Return the first address, if every one of them may be reached.

    One that may not spoils the rest: a name that leads inside and outside is an attack.

    Args:
        host: Whose they are.
        addresses: What its name leads to.
        allowed: Networks that may be reached although they are private, or this machine's.
        own: Addresses that lead to this machine, beside those that it has.

    Raises:
        BadSource: If there is none, or one leads to a network that is not `allowed`.
    """
    if not addresses:
        raise BadSource(f"The name {host} is not known.")
    for text in addresses:
        address = _unwrap_ipv4(ip_address(text.partition("%")[0]))
        if any(address in network for network in allowed):
            continue
        if not _is_public(address):
            raise BadSource(
                f"{host} leads into a private network, which is not allowed here. Whoever runs "
                "this service can allow a range of addresses."
            )
        if _is_ours(address, own):
            raise BadSource(
                f"{host} is the machine of this service itself, which is not allowed here. Whoever "
                "runs it can allow the address."
            )
    return addresses[0]


def is_this_machine(address: Address) -> bool:
    """Say whether `address` is one of this machine's own: only to those can a socket be bound."""
    family = socket.AF_INET if address.version == IPV4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def check_literal(source: SourceUrl, allowed: Sequence[Network], own: Sequence[str] = ()) -> None:
    """Refuse a host that is an address already, and one that may not be reached.

    A name is not looked up for that: where it leads may change, an address stays what it is.

    Raises:
        BadSource: If it is one.
    """
    host = source.host
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):  # RFC 6761
        host = "127.0.0.1"
    try:
        found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return
    check_addresses(source.host, [str(entry[4][0]) for entry in found], allowed, own)


def may_be_reached(text: str, allowed: Sequence[Network], own: Sequence[str] = ()) -> bool:
    """Say whether an address is a public one of others, or in a network that is `allowed`.

    Args:
        text: The address.
        allowed: As for `check_addresses`.
        own: As for `check_addresses`.

    Raises:
        ValueError: If it is no address.
    """
    address = _unwrap_ipv4(ip_address(text.partition("%")[0]))
    if any(address in network for network in allowed):
        return True
    return _is_public(address) and not _is_ours(address, own)


async def pin(
    source: SourceUrl,
    allowed: Sequence[Network],
    resolver: Resolver | None = None,
    *,
    own: Sequence[str] = (),
    within: float = LOOKUP_WITHIN,
    lookups: Lookups = LOOKUPS,
) -> str:
    """Resolve the host of `source` and return the address to dial.

    Args:
        source: What to reach.
        allowed: Networks that may be reached although they are private.
        resolver: Finds addresses; None asks the system.
        own: As for `check_addresses`.
        within: Seconds for the answer.
        lookups: Where the lookup finds a place.

    Raises:
        BadSource: If the name is not known or nobody says so in time, or if it leads to a network
            that is not `allowed`.
    """
    host = source.host
    try:
        found = await lookups.find(Lookup(resolver or resolve, host, source.port), within)
    except LookupFailed as failure:
        raise BadSource(str(failure)) from None
    return check_addresses(host, found, allowed, own)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of `host`; none if it is not known. Blocks."""
    try:
        found = socket.getaddrinfo(host, port or None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def read_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return the networks written as `192.168.1.0/24` or a single address.

    Raises:
        ValueError: If one is no network.
    """
    return tuple(ip_network(text, strict=False) for text in texts)


def _local(text: str) -> SourceUrl | None:
    """Return a file or a device; None if it is another kind of URL. What exists is a file."""
    kind, colon, name = text.partition(":")
    if text.startswith("/dev/video"):
        return SourceUrl("v4l2", "", 0, text)
    if not os.path.lexists(text) and colon:
        if kind in DEVICES and name:
            return SourceUrl(kind, "", 0, name)
        if kind.lower() == "file":
            return SourceUrl("file", "", 0, _path_of(name))
        if name.startswith("//"):
            return None
    return SourceUrl("file", "", 0, str(Path(text)))


def _path_of(rest: str) -> str:
    """Return the path of a file URL without its scheme (RFC 8089); one as it is goes, too."""
    path = str(Path(re.sub(r"^//(localhost(?=/))?", "", rest)))
    return path if os.path.lexists(path) else os.fsdecode(unquote_to_bytes(path))


def _split(scheme: str, text: str) -> SourceUrl:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadSource("The source's URL is malformed.") from error
    if not HOST.fullmatch(host):
        raise BadSource("The source's URL names no valid host.")
    if scheme == "srt" and port is None:
        raise BadSource("An srt:// URL must name a port.")
    return SourceUrl(
        scheme=scheme,
        host=host,
        port=PORTS[scheme] if port is None else port,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _is_public(address: Address) -> bool:
    inside = any(address in network for network in NON_GLOBAL)
    return address.is_global and not (inside or address.is_multicast or address.is_reserved)


def _is_ours(address: Address, own: Sequence[str]) -> bool:
    return str(address) in own or is_this_machine(address)


def _unwrap_ipv4(address: Address) -> Address:
    """Take an IPv4 address out of the IPv6 forms that lead to it."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if any(address in disguise for disguise in IPV4_EMBEDDING):
            return IPv4Address(int(address) & 0xFFFF_FFFF)
        if int(address) >> 32 == 0 and int(address) > 1:
            return IPv4Address(int(address))
    return address


def _without_secrets(path: str) -> str:
    return "".join(_hidden(part) for part in re.split(r"([/&;])", path))


def _hidden(part: str) -> str:
    if SECRET.search(unquote(part)) is None:
        return part
    name, equals, _ = part.partition("=")
    return f"{name}=…" if equals else "…"


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@cache
def _schemes() -> str:
    return ", ".join(f"{scheme}://" for scheme in PORTS if _is_known(scheme))


def _is_known(scheme: str) -> bool:
    """Say whether this machine's FFmpeg can open URLs of `scheme`; some builds lack SRT."""
    plain = scheme.removesuffix("s")  # what is encrypted goes through connections of our own
    try:
        # Nothing is dialled: once it knows the protocol, it refuses what is not in the list.
        av.open(f"{plain}://127.0.0.1:9/", options={"protocol_whitelist": "none"}).close()
    except av.error.ProtocolNotFoundError:
        return False
    except av.FFmpegError:
        return True
    return True
