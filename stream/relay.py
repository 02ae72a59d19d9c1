"""Video out by WebRTC: lets a page watch any stream, also a camera's (WHEP).

What is sent is what the stream looks at, the newest picture first; nothing waits for a slow viewer.
https://datatracker.ietf.org/doc/draft-ietf-wish-whep/
"""

from stream.ice import WebRtcSettings
from stream.live import LiveStream
from stream.webrtc import Peer


async def answer_viewer(sdp: str, live: LiveStream, *, settings: WebRtcSettings) -> Peer:
    """Answer the offer of someone who wants to watch `live`.

    Raises:
        BadOffer: If it is too long, no SDP, asks for no video, or for no codec we can send.
    """
    raise NotImplementedError
