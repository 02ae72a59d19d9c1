"""Video in by WebRTC: answers an offer and feeds a stream until the peer goes away.

A browser's camera or screen, OBS, or our own player. The HTTP around it (WHIP, RFC 9725) is the
edge's business; here an offer goes in and an answer comes out.
"""

from dataclasses import dataclass

from stream.feed import Clock
from stream.live import LiveStream

OFFER_LIMIT = 128 * 1024


class BadOffer(ValueError):
    """The offer cannot be answered; the message says to a person what is wrong with it."""


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


@dataclass(frozen=True, slots=True)
class WebRtcSettings:
    """How to be reached, and when to give a peer up.

    Attributes:
        ice_servers: None by default: no server outside is ever contacted unasked.
        advertised_host: Address to name in candidates beside the machine's own, for NAT and
            containers; None names only the machine's own.
        udp_ports: First and last UDP port to use; None lets the system choose.
        silence: Seconds without a frame after which a peer is given up.
        longest_side: Pictures are scaled down to this many pixels.
    """

    ice_servers: tuple[IceServer, ...] = ()
    advertised_host: str | None = None
    udp_ports: tuple[int, int] | None = None
    silence: float = 20.0
    longest_side: int = 640


class Peer:
    """An answered offer. It ends by itself: closed, replaced, silent or failed.

    Attributes:
        answer: The SDP answer, with every candidate in it.
    """

    answer: str

    @property
    def closed(self) -> bool:
        """Whether the peer is gone."""
        raise NotImplementedError

    async def wait_closed(self) -> None:
        """Wait until the peer is gone."""
        raise NotImplementedError

    async def add_candidates(self, fragment: str) -> None:
        """Take the candidates of a trickle fragment (RFC 8840, `application/trickle-ice-sdpfrag`).

        Raises:
            BadOffer: If it cannot be read, or asks for an ICE restart, which is not supported.
        """
        raise NotImplementedError

    async def close(self, reason: str = "The sender left.") -> None:
        """Hang up. Safe to call twice."""
        raise NotImplementedError


async def answer_offer(
    sdp: str, live: LiveStream, *, settings: WebRtcSettings, monotonic: Clock
) -> Peer:
    """Answer the offer `sdp` and feed `live` with its first video track.

    Raises:
        BadOffer: If it is too long, no SDP, has no video, or no codec that can be read here.
    """
    raise NotImplementedError
