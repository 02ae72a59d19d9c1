"""Where a source may lead: not into the networks around this machine, unless that is allowed.

The machine's own services and a cloud's metadata are one name away. So hosts are resolved once, every
address is held against what may be reached, and the address that was checked is the one that is
dialled. Background:
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from stream.address.dns import Lookup, Lookups, Resolver
from stream.address.source_url import SourceUrl
from stream.errors import BadSource

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_IPV4 = 4
_LOOKUPS = Lookups()
_LOOKUP_WITHIN = 10.0
# What Python's `is_global` lets pass and still leads inside: IPv4 inside IPv6, and tunnels.
_IPV4_EMBEDDING = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
_NON_GLOBAL = tuple(
    map(ip_network, ("2001::/32", "fec0::/10", "3fff::/20", "192.0.0.0/24", "192.88.99.0/24"))
)


def check_addresses(
    host: str,
    addresses: Sequence[str],
    allowed: Sequence[Network],
    own: Sequence[str] = (),
) -> str:
    """Return the first address, if every one of them may be reached.

    One forbidden address rejects the name: one that leads inside and outside is an attack.

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
    family = socket.AF_INET if address.version == _IPV4 else socket.AF_INET6
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
        ValueError: If it is not an address.
    """
    address = _unwrap_ipv4(ip_address(text.partition("%")[0]))
    if any(address in network for network in allowed):
        return True
    return _is_public(address) and not _is_ours(address, own)


async def pin(
    source: SourceUrl,
    allowed: Sequence[Network],
    resolver: Resolver,
    *,
    own: Sequence[str] = (),
    within: float = _LOOKUP_WITHIN,
    lookups: Lookups = _LOOKUPS,
) -> str:
    """Resolve the host of `source` and return the address to dial.

    Args:
        source: What to reach.
        allowed: Networks that may be reached although they are private.
        resolver: Finds addresses.
        own: As for `check_addresses`.
        within: Seconds for the answer.
        lookups: Where the lookup finds a place.

    Raises:
        BadSource: If the name is not known or nobody says so in time, or if it leads to a network
            that is not `allowed`.
    """
    host = source.host
    found = await lookups.find(Lookup(resolver, host, source.port), within)
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
        ValueError: If one is not a network.
    """
    return tuple(ip_network(text, strict=False) for text in texts)


def _is_public(address: Address) -> bool:
    inside = any(address in network for network in _NON_GLOBAL)
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
        if any(address in network for network in _IPV4_EMBEDDING):
            return IPv4Address(int(address) & 0xFFFF_FFFF)
        if int(address) >> 32 == 0 and int(address) > 1:
            return IPv4Address(int(address))
    return address
