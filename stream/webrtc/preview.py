"""Video out by WebRTC: lets a page watch any stream, also a camera's (WHEP).

What is sent is the newest picture; nothing waits for a slow viewer. A still stream is shown as a
still picture. https://datatracker.ietf.org/doc/draft-ietf-wish-whep/
"""

import asyncio
from fractions import Fraction

import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from stream.channels import Subscription
from stream.errors import StreamClosed
from stream.frames.frame import Picture
from stream.live import LiveStream
from stream.webrtc.ice import WebRtcSettings, advertise, new_connection, prepare_gathering
from stream.webrtc.offer import read_offer
from stream.webrtc.session import Peer, hang_up, take_offer

_CLOCK = 90_000
_REPEAT_AFTER = 1.0
_GREY = 40


class _NewestPictures(MediaStreamTrack):
    """A stream's newest picture, again and again."""

    kind = "video"

    def __init__(self, live: LiveStream) -> None:
        super().__init__()
        self._news: Subscription[Picture] = live.watch()
        self._news.__enter__()
        newest = live.newest_picture()
        # A stream that has shown nothing yet is a grey picture: the viewer's connection stands.
        self._picture: Picture = (
            np.full((180, 320, 3), _GREY, np.uint8) if newest is None else newest
        )
        self._began: float | None = None

    async def recv(self) -> VideoFrame:
        """Return the next picture; the one before again if none comes for a second.

        Raises:
            MediaStreamError: If the stream was closed or the track stopped.
        """
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._began = loop.time()
        else:
            await self._next()
        if self.readyState != "live":
            raise MediaStreamError
        height, width = (side - side % 2 for side in self._picture.shape[:2])
        even = np.ascontiguousarray(self._picture[:height, :width])
        frame = VideoFrame.from_ndarray(even, format="rgb24")
        frame.pts = round((loop.time() - self._began) * _CLOCK)
        frame.time_base = Fraction(1, _CLOCK)
        return frame

    def stop(self) -> None:
        """End the track and the subscription."""
        super().stop()
        self._news.__exit__(None, None, None)

    async def _next(self) -> None:
        try:
            async with asyncio.timeout(_REPEAT_AFTER):
                self._picture = await self._news.next()
        except TimeoutError:
            return
        except StreamClosed:
            self.stop()


async def answer_viewer(sdp: str, live: LiveStream, *, settings: WebRtcSettings) -> Peer:
    """Answer the offer of someone who wants to watch `live`.

    Raises:
        BadInput: If it is too long, no SDP, asks for no video, or for no codec we can send.
        NoRoom: If every UDP port of the configured range is taken.
    """
    offer = read_offer(sdp, sends=False, inside=settings.inside, own=settings.own)
    connection = new_connection(settings)
    track = _NewestPictures(live)
    try:
        connection.addTrack(track)
        await take_offer(connection, offer)
        prepare_gathering(connection, settings)
        await connection.setLocalDescription()
        answer = advertise(connection.localDescription.sdp, settings.advertised_host)
    except BaseException:
        track.stop()
        await hang_up(connection)
        raise
    peer = Peer(connection, offer, answer)
    track.once("ended", lambda: peer.end("The stream was closed."))
    peer.start(_connect(peer, settings.silence), ended=lambda _: track.stop())
    return peer


async def _connect(peer: Peer, within: float) -> None:
    try:
        async with asyncio.timeout(within):
            await peer.wait_connected()
    except TimeoutError:
        peer.end(f"The viewer was not reached within {within:g} seconds.")
