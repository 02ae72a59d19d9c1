"""What senders need of the transport below WebRTC and aiortc does not offer by itself.

- A certificate may be of RSA, as GStreamer's is: we answer as the client of the DTLS handshake, so
  the suites we offer decide whose certificate will do.
- Media that arrives is consent to go on. FFmpeg answers no consent checks (RFC 7675) while it sends;
  aioice gives such a sender up after half a minute in the middle of its pictures.

Everything that relies on the inside of aiortc and aioice is here and in `stream.webrtc.ice`
(written for aiortc 1.14 to 1.16 and aioice 0.10 to 0.13).
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

import aioice.ice
from aioice import Connection
from aioice.stun import TransactionError
from aiortc import RTCCertificate, RTCDtlsTransport, RTCPeerConnection
from aiortc.rtcdtlstransport import SRTPProtectionProfile
from OpenSSL import SSL

log = logging.getLogger(__name__)

_SUITES = ":".join(
    f"ECDHE-{certificate}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")
    for certificate in ("ECDSA", "RSA")
)


class Certificate(RTCCertificate):
    """Our own, as aiortc makes it; the other side's may be of RSA too."""

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(_SUITES.encode())
        return context


def take_any_certificate(connection: RTCPeerConnection) -> None:
    """Let the other side of `connection` have a certificate of RSA or ECDSA.

    To be called before it has any transceiver.
    """
    setattr(connection, "_RTCPeerConnection__certificates", [Certificate.generateCertificate()])  # noqa: B010


def media_is_consent(transport: RTCDtlsTransport, ended: Callable[[], None]) -> None:
    """Take encrypted media that arrives as consent to go on.

    To be called before the connection stands.

    Args:
        transport: What the media comes through.
        ended: Called when there was no consent for too long; the connection is closed then.
    """
    consent = _Consent(transport.transport._connection, ended)
    for name in ("_handle_rtp_data", "_handle_rtcp_data"):
        setattr(transport, name, consent.noting(getattr(transport, name)))
    setattr(consent.ice, "query_consent", consent.query)  # noqa: B010 - a method, for this object


def bytes_received(transport: RTCDtlsTransport) -> int:
    """Return how many encrypted bytes have come through `transport`."""
    return int(getattr(transport, "_RTCDtlsTransport__rx_bytes"))  # noqa: B009 - a name of another class


class _Consent:
    """Asks the other side from time to time whether it is still there, as aioice does."""

    def __init__(self, ice: Connection, ended: Callable[[], None]) -> None:
        self.ice = ice
        self._ended = ended
        self._heard = False

    def noting(self, handle: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """Return `handle` of a packet that was decrypted, which therefore the other side sent."""

        def noted(*packet: object, **more: object) -> Awaitable[None]:
            self._heard = True
            return handle(*packet, **more)

        return noted

    async def query(self) -> None:
        """Do what aioice's `query_consent` does, but for media."""
        failures = 0
        while failures < aioice.ice.CONSENT_FAILURES:
            await asyncio.sleep(aioice.ice.CONSENT_INTERVAL * random.uniform(0.8, 1.2))
            answered = await self._ask()
            failures = 0 if answered or self._heard else failures + 1
            self._heard = False
        log.info("no sign of the other side for too long: the connection is given up")
        self._ended()
        self.ice._query_consent_task = None  # close() would wait for it
        await self.ice.close()

    async def _ask(self) -> bool:
        assert self.ice.remote_password is not None, "connected"
        key = self.ice.remote_password.encode()
        for pair in list(self.ice._nominated.values()):
            request = self.ice.build_request(pair, nominate=False)
            try:
                await pair.protocol.request(
                    request, pair.remote_addr, integrity_key=key, retransmissions=0
                )
            except TransactionError:
                return False
        return True
