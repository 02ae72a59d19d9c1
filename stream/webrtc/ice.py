"""How a WebRTC peer is reached: addresses, ports, STUN and TURN servers.

By default a peer names the machine's own addresses and asks nobody outside. Behind NAT or in a
container an address to advertise and a range of UDP ports to open are set.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from aioice import Candidate, Connection
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol, server_reflexive_candidate
from aioice.stun import TransactionError
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection

from stream.address.reachable import Network
from stream.errors import NoRoom
from stream.webrtc.transport import take_any_certificate

# A STUN or TURN server that does not answer must not keep the answer for the default 5 seconds.
_GATHER_WITHIN = 2


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server.

    Attributes:
        url: Such as `stun:host:3478` or `turn:host:3478?transport=udp`.
        username: For TURN.
        credential: For TURN; never shown.
    """

    url: str
    username: str | None = None
    credential: str | None = None

    def __repr__(self) -> str:
        return f"IceServer(url={self.url!r})"


@dataclass(frozen=True, slots=True)
class WebRtcSettings:
    """How to be reached, and when to give a peer up.

    Attributes:
        ice_servers: None by default: no server outside is ever contacted unasked.
        advertised_host: IPv4 address to name in candidates beside the machine's own, for NAT and
            containers; None names only the machine's own.
        udp_ports: First and last UDP port to use; None lets the system choose.
        inside: Private networks that a peer's candidates may name; the others are not dialled, nor
            is this machine.
        silence: Seconds without a frame after which a peer is given up.
    """

    ice_servers: tuple[IceServer, ...] = ()
    advertised_host: str | None = None
    udp_ports: tuple[int, int] | None = None
    inside: tuple[Network, ...] = ()
    silence: float = 20.0

    @property
    def own(self) -> tuple[str, ...]:
        """Addresses that lead to this machine, beside those that it has."""
        return () if self.advertised_host is None else (self.advertised_host,)


def new_connection(settings: WebRtcSettings) -> RTCPeerConnection:
    """Return a peer connection that contacts the configured servers and no other."""
    servers = [
        RTCIceServer(urls=server.url, username=server.username, credential=server.credential)
        for server in settings.ice_servers
    ]
    # An empty list, not None: None stands for a public STUN server.
    connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
    take_any_certificate(connection)
    return connection


def prepare_gathering(connection: RTCPeerConnection, settings: WebRtcSettings) -> None:
    """Make `connection` gather its candidates in time and within the port range.

    To be called when its transceivers are there and before the local description is set.
    """
    transports = {t.receiver.transport.transport for t in connection.getTransceivers()}
    for transport in transports:
        # aiortc has no setting for either; aioice's gathering is public, the way to it is not.
        ice: Connection = transport.iceGatherer._connection
        if settings.udp_ports is None:
            gather = partial(ice.get_component_candidates, timeout=_GATHER_WITHIN)
        else:
            gather = partial(_gather, ice, settings.udp_ports, ice.get_component_candidates)
        setattr(ice, "get_component_candidates", gather)  # noqa: B010 - a method, for this object


def advertise(sdp: str, host: str | None) -> str:
    """Return `sdp` with a candidate at `host` beside each of the machine's own IPv4 ones."""
    if host is None:
        return sdp
    lines: list[str] = []
    for line in sdp.splitlines():
        lines.append(line)
        parts = line.split(" ")
        if line.startswith("a=candidate:") and "host" in parts and "." in parts[4]:
            # RFC 8839, section 5.1: seen from outside the port is at `host`, its base is ours.
            parts[0] = f"a=candidate:{candidate_foundation('srflx', 'udp', parts[4])}"
            parts[3] = str(candidate_priority(int(parts[1]), "srflx"))
            outside = [*parts[:4], host, parts[5], "typ", "srflx", "raddr", parts[4]]
            lines.append(" ".join([*outside, "rport", parts[5]]))
    return "\r\n".join(lines) + "\r\n"


_Gather = Callable[..., Awaitable[list[Candidate]]]


async def _gather(
    ice: Connection,
    ports: tuple[int, int],
    gather_relayed: _Gather,
    component: int,
    addresses: list[str],
) -> list[Candidate]:
    """Do what aioice's `get_component_candidates` does, with host ports of our choice.

    Raises:
        NoRoom: If the range is used up.
    """
    hosts = [protocol for a in addresses if (protocol := await _bind(ice, a, ports, component))]
    if addresses and not hosts:
        raise NoRoom(f"Every UDP port from {ports[0]} to {ports[1]} is taken.", code="no_port_free")
    ice._protocols += hosts
    tasks = [asyncio.ensure_future(gather_relayed(component, [], timeout=_GATHER_WITHIN))]
    if ice.stun_server:
        tasks += [asyncio.ensure_future(_seen_from_outside(p, ice.stun_server)) for p in hosts]
    found = await asyncio.gather(*tasks)
    return [protocol.local_candidate for protocol in hosts] + [c for some in found for c in some]


async def _bind(
    ice: Connection, address: str, ports: tuple[int, int], component: int
) -> StunProtocol | None:
    loop = asyncio.get_running_loop()
    span = range(ports[0], ports[1] + 1)
    for port in random.sample(span, len(span)):
        try:
            _, protocol = await loop.create_datagram_endpoint(
                lambda: StunProtocol(ice), local_addr=(address, port)
            )
        except OSError:
            continue  # taken, or the address does not bind: the next one will tell
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", address),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=address,
            port=port,
            type="host",
        )
        return protocol
    return None


async def _seen_from_outside(protocol: StunProtocol, server: tuple[str, int]) -> list[Candidate]:
    if ":" in protocol.local_candidate.host:
        return []
    try:
        async with asyncio.timeout(_GATHER_WITHIN):
            candidate, _ = await server_reflexive_candidate(protocol, server)
    except (OSError, TimeoutError, TransactionError):
        return []  # unreachable from here: the other candidates must do
    return [candidate]
