"""Video in by WebRTC: answers an offer and feeds a stream until the peer goes away.

A browser's camera or screen, OBS, or our own player. The HTTP around it (WHIP, RFC 9725) is the
edge's business; here an offer goes in and an answer comes out.
"""

import asyncio

from aiortc import RTCPeerConnection, RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from stream.errors import BadInput
from stream.feed import Feed
from stream.frames.scale import to_rgb
from stream.frames.timeline import Clock
from stream.live import LiveStream
from stream.webrtc.ice import (
    WebRtcSettings,
    advertise,
    new_connection,
    prepare_gathering,
)
from stream.webrtc.keyframes import KEYFRAMES_AT_MOST, Decoding
from stream.webrtc.offer import Offer
from stream.webrtc.receiver import Gate, ask_for_keyframe, decode_only
from stream.webrtc.session import Peer, hang_up, take_offer, video_receivers

_LOOK_AGAIN = 0.25
"""Seconds after which it is looked at the latest whether more pictures, or a keyframe, are wanted."""
_SHORTEST_PAUSE = 0.02


async def answer_offer(offer: Offer, live: LiveStream, *, settings: WebRtcSettings) -> Peer:
    """Answer `offer` and feed `live` with its first video track that sends.

    Raises:
        BadInput: If aiortc finds something wrong with it.
        NoRoom: If every UDP port of the configured range is taken.
        StreamClosed: If the stream was closed meanwhile.
        NoRoom: If every place for a stream with a source is taken.
    """
    connection = new_connection(settings)
    try:
        await take_offer(connection, offer)
        receiver = _video_receiver(connection, offer.mid)
        decoding = Decoding()
        gate = _decode_alone(connection, receiver, decoding, live.now)
        prepare_gathering(connection, settings)
        await connection.setLocalDescription()
        answer = advertise(connection.localDescription.sdp, settings.advertised_host)
        feed = live.open_feed("webrtc")
    except BaseException:
        await hang_up(connection)
        raise
    peer = Peer(connection, offer, answer)
    peer.start(
        _drain(peer, receiver, gate, feed, decoding, settings.silence, live.frame_side),
        _ask_for_keyframes(receiver, feed, decoding),
        _follow(peer, feed),
        ended=feed.close,
    )
    return peer


def _decode_alone(
    connection: RTCPeerConnection, receiver: RTCRtpReceiver, decoding: Decoding, now: Clock
) -> Gate:
    """Have decoded what `decoding` decides of one video, of the offer's others nothing."""
    loop = asyncio.get_running_loop()
    for other in video_receivers(connection):
        # Nobody would take their pictures.
        decode_only(other, lambda _: False, now=now)
    return decode_only(
        receiver,
        lambda keyframe: decoding.decodes(keyframe, loop.time()),
        now=now,
        lost=decoding.lost,
    )


async def _drain(
    peer: Peer,
    receiver: RTCRtpReceiver,
    gate: Gate,
    feed: Feed,
    decoding: Decoding,
    silence: float,
    side: int,
) -> None:
    """Take the newest picture whenever the one before is done; convert those that are wanted."""
    try:
        while True:
            async with asyncio.timeout(silence):
                frame = await receiver.track.recv()
            if not isinstance(frame, VideoFrame) or frame.time is None:
                continue
            slot = feed.offer(frame.time, gate.arrival(frame.pts), seen=decoding.taken())
            if slot is not None:
                await feed.hand_over(slot, await asyncio.to_thread(to_rgb, frame, side))
    except TimeoutError:
        seconds = f"{silence:g} seconds"
        peer.end(f"No picture came for {seconds}; the connection was given up.")
    except MediaStreamError:
        peer.end("The sender left.")


async def _ask_for_keyframes(receiver: RTCRtpReceiver, feed: Feed, decoding: Decoding) -> None:
    """Ask when nothing can be decoded without, and when a keyframe alone would be enough."""
    now = asyncio.get_running_loop().time
    while True:
        decoding.everything = feed.wanted_rate > KEYFRAMES_AT_MOST
        if decoding.asks(due=feed.due_in <= 0, now=now()):
            await ask_for_keyframe(receiver)
        pause = max(feed.due_in, decoding.asks_again_in(now()), _SHORTEST_PAUSE)
        await asyncio.sleep(min(pause, _LOOK_AGAIN))


async def _follow(peer: Peer, feed: Feed) -> None:
    await feed.wait_closed()
    peer.end(feed.reason)


def _video_receiver(connection: RTCPeerConnection, mid: str) -> RTCRtpReceiver:
    for transceiver in connection.getTransceivers():
        if transceiver.mid == mid and transceiver.receiver.track is not None:
            return transceiver.receiver
    raise BadInput("The offer's video section cannot be received.")
