"""Video in by WebRTC: answers an offer and feeds a stream until the peer goes away.

A browser's camera or screen, OBS, or our own player. The HTTP around it (WHIP, RFC 9725) is the
edge's business; here an offer goes in and an answer comes out.
"""

import asyncio
import logging

import numpy as np
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidStateError, OperationError
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from jaxtyping import UInt8

from stream.feed import Feed
from stream.ice import IceServer, WebRtcSettings, advertise, new_connection, prepare_gathering
from stream.live import LiveStream
from stream.offer import BadOffer, Offer, read_fragment, read_offer
from stream.receiver import ask_for_keyframe, is_behind, skip_to_now, stop_decoding

__all__ = ["BadOffer", "IceServer", "Peer", "WebRtcSettings", "answer_offer"]

log = logging.getLogger(__name__)

PLI_EVERY = 0.5
CANDIDATES_AFTER_OFFER = 64


class Peer:
    """An answered offer. It ends by itself: closed, replaced, silent or failed.

    Attributes:
        answer: The SDP answer, with every candidate in it.
    """

    def __init__(self, connection: RTCPeerConnection, offer: Offer, answer: str) -> None:
        self.answer = answer
        self._connection = connection
        self._offer = offer
        self._candidates = 0
        self._reason: str | None = None
        self._ending = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        connection.on("connectionstatechange", self._state_changed)
        self._state_changed()

    @property
    def closed(self) -> bool:
        """Whether the peer is gone."""
        return self._work is not None and self._work.done()

    async def wait_closed(self) -> None:
        """Wait until the peer is gone."""
        if self._work is not None:
            await asyncio.wait([self._work])

    async def add_candidates(self, fragment: str) -> None:
        """Take the candidates of a trickle fragment (RFC 8840, `application/trickle-ice-sdpfrag`).

        Raises:
            IceRestart: If it asks for an ICE restart, which is not supported.
            BadOffer: If it cannot be read, or there are too many candidates.
        """
        for candidate in read_fragment(fragment, self._offer.ufrag):
            self._candidates += 1
            if self._candidates > CANDIDATES_AFTER_OFFER:
                raise BadOffer(f"More than {CANDIDATES_AFTER_OFFER} candidates were sent.")
            await self._connection.addIceCandidate(candidate)

    async def close(self, reason: str = "The sender left.") -> None:
        """Hang up. Safe to call twice."""
        self.end(reason)
        await self.wait_closed()

    def end(self, reason: str) -> None:
        """Hang up soon; the first reason given counts."""
        if not self._ending.is_set():
            self._reason = reason
            self._ending.set()

    def start(self, feed: Feed, track: MediaStreamTrack, silence: float, side: int) -> None:
        """Feed from `track` until one of the two ends."""
        self._work = asyncio.create_task(self._run(feed, track, silence, side))
        self._work.add_done_callback(_log_failure)

    async def _run(self, feed: Feed, track: MediaStreamTrack, silence: float, side: int) -> None:
        jobs = [
            asyncio.create_task(self._drain(feed, track, silence, side)),
            asyncio.create_task(self._ask_for_keyframe(feed)),
            asyncio.create_task(self._follow(feed)),
        ]
        try:
            await self._ending.wait()
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            feed.close(self._reason or "The service is stopping.")
            await hang_up(self._connection)

    async def _drain(self, feed: Feed, track: MediaStreamTrack, silence: float, side: int) -> None:
        """Take every picture as it comes, so that none waits; convert those that are wanted."""
        try:
            while True:
                async with asyncio.timeout(silence):
                    frame = await track.recv()
                if not isinstance(frame, VideoFrame) or frame.time is None:
                    continue
                slot = feed.accepts(frame.time)
                if slot is not None:
                    feed.give(slot, await asyncio.to_thread(to_rgb, frame, side))
                for receiver in video_receivers(self._connection):
                    if is_behind(receiver):
                        await skip_to_now(receiver)
        except TimeoutError:
            self.end(f"No picture came for {silence:g} seconds; the connection was given up.")
        except MediaStreamError:
            self.end("The sender left.")

    async def _ask_for_keyframe(self, feed: Feed) -> None:
        """Ask until the first picture decodes: one that joins late would wait for long."""
        while feed.frames == 0:
            await asyncio.sleep(PLI_EVERY)
            for receiver in video_receivers(self._connection):
                await ask_for_keyframe(receiver)

    async def _follow(self, feed: Feed) -> None:
        await feed.wait_closed()
        self.end(feed.reason)

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "failed":
            self.end("The network connection to the sender was lost.")
        elif state == "closed":
            self.end("The sender left.")


def _log_failure(work: asyncio.Task[None]) -> None:
    if not work.cancelled() and (error := work.exception()) is not None:
        log.error("a peer could not be hung up", exc_info=error)


async def answer_offer(sdp: str, live: LiveStream, *, settings: WebRtcSettings) -> Peer:
    """Answer the offer `sdp` and feed `live` with its first video track that sends.

    Raises:
        BadOffer: If it is too long, no SDP, has no video, or no codec that can be read here.
        NoPortFree: If every UDP port of the configured range is taken.
        TooManyStreams: If every place for a stream with a source is taken.
    """
    offer = read_offer(sdp, sends=True)
    connection = new_connection(settings)
    try:
        await take_offer(connection, offer, keep=("video",))
        track = _video_track(connection, offer.mid)
        prepare_gathering(connection, settings)
        await connection.setLocalDescription()
        answer = advertise(connection.localDescription.sdp, settings.advertised_host)
        feed = live.open_feed("webrtc")
    except BaseException:
        await hang_up(connection)
        raise
    peer = Peer(connection, offer, answer)
    peer.start(feed, track, settings.silence, settings.longest_side)
    return peer


async def take_offer(connection: RTCPeerConnection, offer: Offer, keep: tuple[str, ...]) -> None:
    """Hand `offer` to `connection` and turn down every kind of media that is not in `keep`.

    Raises:
        BadOffer: If it cannot be answered after all.
    """
    try:
        await connection.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
    except (InternalError, InvalidStateError, OperationError, ValueError) as error:
        raise BadOffer(f"The offer cannot be answered: {error}.") from error
    for transceiver in connection.getTransceivers():
        # Sound would be decoded for nothing.
        if transceiver.kind not in keep:
            transceiver.direction = "inactive"


def video_receivers(connection: RTCPeerConnection) -> list[RTCRtpReceiver]:
    """Return what receives video."""
    receivers = connection.getReceivers()
    return [r for r in receivers if r.track is not None and r.track.kind == "video"]


async def hang_up(connection: RTCPeerConnection) -> None:
    """Close `connection` without blocking the event loop."""
    for receiver in video_receivers(connection):
        await stop_decoding(receiver)
    await connection.close()


def to_rgb(frame: VideoFrame, side: int) -> UInt8[np.ndarray, "height width 3"]:
    """Return `frame` as RGB, scaled down so that its longer side is at most `side`."""
    scale = min(1.0, side / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    return frame.reformat(width=width, height=height, format="rgb24").to_ndarray()


def _video_track(connection: RTCPeerConnection, mid: str) -> MediaStreamTrack:
    for transceiver in connection.getTransceivers():
        if transceiver.mid == mid and transceiver.receiver.track is not None:
            return transceiver.receiver.track
    raise BadOffer("The offer's video section cannot be received.")
