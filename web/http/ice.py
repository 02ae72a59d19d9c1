"""How WebRTC peers find each other: the ICE servers we use and those we tell clients of.

TURN credentials are made on the spot and live for an hour: a user name that is a Unix time, and
its HMAC under the secret shared with the TURN server (coturn's `use-auth-secret`).
https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00
"""

import base64
import hmac
from collections.abc import Callable, Iterator
from ipaddress import ip_network

from stream.address.reachable import Network, is_this_machine, read_networks
from stream.webrtc.ice import IceServer, WebRtcSettings
from web.settings import Settings

Clock = Callable[[], float]


def ice_servers(settings: Settings, clock: Clock) -> tuple[IceServer, ...]:
    """Return the STUN and TURN servers to use from now on; `clock` gives Unix seconds."""
    servers = [IceServer(url) for url in settings.stun]
    if settings.turn_secret is not None:
        secret = settings.turn_secret.get_secret_value()
        credential = turn_credential(secret, settings.turn_seconds, clock)
        servers += [IceServer(url, *credential) for url in settings.turn]
    return tuple(servers)


def turn_credential(secret: str, seconds: int, clock: Clock) -> tuple[str, str]:
    """Return a user name and password that the TURN server takes for `seconds` from now."""
    username = f"{int(clock()) + seconds}:flashback"
    # SHA-1 because that is what TURN servers check; an HMAC does not need more of its hash.
    digest = hmac.digest(secret.encode(), username.encode(), "sha1")
    return username, base64.b64encode(digest).decode()


def webrtc_settings(settings: Settings, clock: Clock, caller: str = "") -> WebRtcSettings:
    """Return how to answer an offer now; `caller` is the address of whoever makes it."""
    return WebRtcSettings(
        ice_servers=ice_servers(settings, clock),
        advertised_host=settings.advertised_host,
        udp_ports=settings.udp_ports,
        inside=(*read_networks(settings.allowed_source_networks), *_known(settings, caller)),
        silence=settings.silence_seconds,
    )


def _known(settings: Settings, caller: str) -> Iterator[Network]:
    """Yield the caller's own address, unless it is this machine, and those of TURN servers."""
    for address in (caller, *(url.split(":")[1] for url in settings.turn)):
        try:
            network = ip_network(address)
        except ValueError:  # a name
            continue
        if not is_this_machine(network.network_address):
            yield network


def links(servers: tuple[IceServer, ...]) -> list[str]:
    """Return the `Link` header values that tell a client of `servers` (RFC 9725, section 4.6)."""
    found = []
    for server in servers:
        link = f'<{server.url}>; rel="ice-server"'
        if server.username is not None:
            link += f'; username="{server.username}"; credential="{server.credential}"'
            link += '; credential-type="password"'
        found.append(link)
    return found
