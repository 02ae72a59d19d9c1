"""One WebRTC connection that was answered here, whichever way its video flows.

It ends by itself, whatever ends it: the other side, the network, silence, the stream. Nothing of
it is left then.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine

from aiortc import RTCDtlsTransport, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidStateError, OperationError

from stream.errors import BadInput
from stream.webrtc.offer import Offer, read_fragment, ufrag_of
from stream.webrtc.receiver import Reception, reception, stop_decoding
from stream.webrtc.transport import bytes_received, media_is_consent

log = logging.getLogger(__name__)

_CANDIDATES_AFTER_OFFER = 64

NOT_SECURED = (
    "The connection could not be encrypted: the DTLS handshake failed, or the certificate is not the "
    "one that the offer names."
)
SILENT = (
    "The other side answered nothing and sent nothing for too long; the connection was given up."
)


class Peer:
    """An answered offer.

    Attributes:
        answer: The SDP answer, with every candidate in it.
        reason: Why it ended, as a sentence; None while it has not.
    """

    def __init__(self, connection: RTCPeerConnection, offer: Offer, answer: str) -> None:
        self.answer = answer
        self.reason: str | None = None
        self._connection = connection
        self._offer = offer
        self._candidates = 0
        self._connected = asyncio.Event()
        self._ending = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        connection.on("connectionstatechange", self._state_changed)
        for transport in _transports(connection):
            media_is_consent(transport, ended=lambda: self.end(SILENT))
        self._state_changed()

    @property
    def closed(self) -> bool:
        """Whether the peer is gone."""
        return self._work is not None and self._work.done()

    @property
    def received(self) -> int:
        """Bytes that came from the other side."""
        return sum(map(bytes_received, _transports(self._connection)))

    async def reception(self) -> Reception:
        """Return how the video's packets have arrived so far."""
        return await reception(video_receivers(self._connection))

    async def wait_closed(self) -> None:
        """Wait until the peer is gone."""
        if self._work is not None:
            await asyncio.wait([self._work])

    async def wait_connected(self) -> None:
        """Wait until the other side is reached."""
        await self._connected.wait()

    def is_named_in(self, fragment: str) -> bool:
        """Whether a trickle fragment names this ICE session by its user name."""
        return ufrag_of(fragment) == self._offer.ufrag

    async def add_candidates(self, fragment: str) -> None:
        """Take the candidates of a trickle fragment (RFC 8840, `application/trickle-ice-sdpfrag`).

        Raises:
            BadInput: If it asks for an ICE restart, which is not supported.
            BadInput: If it cannot be read, or there are too many candidates.
        """
        for candidate in read_fragment(
            fragment, self._offer.ufrag, self._offer.inside, self._offer.own
        ):
            self._candidates += 1
            if self._candidates > _CANDIDATES_AFTER_OFFER:
                raise BadInput(f"More than {_CANDIDATES_AFTER_OFFER} candidates were sent.")
            try:
                await self._connection.addIceCandidate(candidate)
            except (InvalidStateError, ValueError) as error:
                raise BadInput(f"The candidate cannot be taken: {error}.") from error

    async def close(self, reason: str = "The other side left.") -> None:
        """Hang up. Safe to call twice."""
        self.end(reason)
        await self.wait_closed()

    def end(self, reason: str) -> None:
        """Hang up soon; the first reason given counts."""
        if not self._ending.is_set():
            self.reason = reason
            self._ending.set()

    def start(
        self, *jobs: Coroutine[None, None, None], ended: Callable[[str], None] = lambda _: None
    ) -> None:
        """Run `jobs` until the peer ends, then tell `ended` why."""
        self._work = asyncio.create_task(self._run(jobs, ended))
        self._work.add_done_callback(_log_failure)

    async def _run(
        self, jobs: tuple[Coroutine[None, None, None], ...], ended: Callable[[str], None]
    ) -> None:
        tasks = [asyncio.create_task(job) for job in jobs]
        for task in tasks:
            task.add_done_callback(self._job_done)
        try:
            await self._ending.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            unusual = self.reason in {NOT_SECURED, SILENT}
            log.log(logging.WARNING if unusual else logging.INFO, "a peer is gone: %s", self.reason)
            ended(self.reason or "The service is stopping.")
            await hang_up(self._connection)

    def _job_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a peer failed", exc_info=error)
            self.end("An internal error ended the connection; the log says more.")

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self._connected.set()
        elif state == "failed":
            secured = all(t.state != "failed" for t in _transports(self._connection))
            self.end("The network connection was lost." if secured else NOT_SECURED)
        elif state == "closed":
            self.end("The other side left.")


async def take_offer(connection: RTCPeerConnection, offer: Offer) -> None:
    """Hand `offer` to `connection` and turn down its sound: it would be decoded for nothing.

    Raises:
        BadInput: If it cannot be answered after all.
    """
    try:
        await connection.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
    except (InternalError, InvalidStateError, OperationError, ValueError) as error:
        raise BadInput(f"The offer cannot be answered: {error}.") from error
    for transceiver in connection.getTransceivers():
        if transceiver.kind != "video":
            transceiver.direction = "inactive"


def video_receivers(connection: RTCPeerConnection) -> list[RTCRtpReceiver]:
    """Return what receives video."""
    receivers = connection.getReceivers()
    return [r for r in receivers if r.track is not None and r.track.kind == "video"]


def _transports(connection: RTCPeerConnection) -> set[RTCDtlsTransport]:
    return {transceiver.receiver.transport for transceiver in connection.getTransceivers()}


async def hang_up(connection: RTCPeerConnection) -> None:
    """Close `connection` without blocking the event loop."""
    for receiver in video_receivers(connection):
        await stop_decoding(receiver)
    await connection.close()


def _log_failure(work: asyncio.Task[None]) -> None:
    if not work.cancelled() and (error := work.exception()) is not None:
        log.error("a peer could not be hung up", exc_info=error)
