"""A WHIP client that behaves like OBS, down to the shape of its offer.

OBS speaks through libdatachannel: sound first and picture second in one bundle, one codec each, what
secures them at the top, no header extensions, no retransmission codec. It sends one POST, follows
redirects, wants exactly 201, never trickles, and gives up after 8 seconds. Since 30.2 its offer names no
candidates. https://github.com/obsproject/obs-studio/blob/master/plugins/obs-webrtc/whip-output.cpp
"""

import asyncio
from urllib.parse import urljoin

import httpx
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import AudioStreamTrack

from stream.webrtc.file_track import FileTrack

ONE_TRANSPORT = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
PATIENCE = 60
"""Seconds; OBS itself has eight, but no starved machine to run on."""
REDIRECTS = 10


class LikeObs:
    """Sends a film. Use `async with`.

    Attributes:
        offer: Its SDP.
        resource: Its session's URL, once it has one.
    """

    def __init__(self, film, endpoint, token="", *, candidates=True):
        self.resource = None
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._film = film
        self._endpoint = endpoint
        self._candidates = candidates
        self._connected = asyncio.Event()

    async def __aenter__(self):
        self._track = await FileTrack.open(self._film, repeat=True)
        self._connection = RTCPeerConnection(ONE_TRANSPORT)
        self._connection.on("connectionstatechange", self._state_changed)
        for track, codec in ((AudioStreamTrack(), is_opus), (self._track, is_h264)):
            transceiver = self._connection.addTransceiver(track, direction="sendonly")
            known = RTCRtpSender.getCapabilities(track.kind).codecs
            transceiver.setCodecPreferences([c for c in known if codec(c)])
        await self._connection.setLocalDescription()
        self.offer = shaped(self._connection.localDescription.sdp, self._candidates)
        return self

    async def __aexit__(self, *_):
        await self._connection.close()
        await self._track.close()

    async def start(self, transport=None):
        async with asyncio.timeout(PATIENCE):
            answer = await self._post(transport)
            await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            await self._connected.wait()

    async def stop(self):
        """Hang up, then say so: in this order."""
        await self._connection.close()
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            return await client.delete(self.resource, headers=self.headers)

    async def _post(self, transport):
        headers = self.headers | {"Content-Type": "application/sdp"}
        async with httpx.AsyncClient(
            timeout=PATIENCE, transport=transport, follow_redirects=False
        ) as client:
            url = self._endpoint
            for _ in range(REDIRECTS):
                response = await client.post(url, content=self.offer, headers=headers)
                if response.status_code != 307:
                    break
                url = urljoin(url, response.headers["Location"])
        assert response.status_code == 201, "OBS takes exactly 201"
        self.resource = urljoin(url, response.headers["Location"])
        return response.text

    def _state_changed(self):
        if self._connection.connectionState == "connected":
            self._connected.set()


def is_opus(codec):
    return codec.mimeType == "audio/opus"


def is_h264(codec):
    profile = codec.parameters.get("profile-level-id")
    return codec.mimeType == "video/H264" and profile == "42e01f"


def shaped(sdp, candidates):
    """Return aiortc's offer in the shape that libdatachannel gives to its own."""
    _, *sections = sdp.split("m=")
    first = sections[0].splitlines()

    def of(*starts, lines):
        return [line for start in starts for line in lines if line.startswith(start)]

    top = [
        *("v=0", "o=rtc 3877212184 0 IN IP4 127.0.0.1", "s=-", "t=0 0"),
        *("a=group:BUNDLE 0 1", "a=group:LS 0 1", "a=msid-semantic:WMS *", "a=setup:actpass"),
        *of("a=ice-ufrag:", "a=ice-pwd:", lines=first),
        "a=ice-options:ice2,trickle",
        *of("a=fingerprint:sha-256", lines=first),
    ]
    known = ("a=ssrc:", "a=msid:", "a=rtcp-mux", "a=rtpmap:", "a=rtcp-fb:", "a=fmtp:")
    for section in sections:
        lines = section.splitlines()
        kind, _, rest = lines[0].partition(" ")
        port, _, rest = rest.partition(" ")
        top += [f"m={kind} {port if candidates else 9} {rest}"]
        top += of("c=", lines=lines) if candidates else ["c=IN IP4 0.0.0.0"]
        top += [*of("a=mid:", lines=lines), "a=sendonly", *of(*known, lines=lines)]
        if candidates and section is sections[0]:
            top += of("a=candidate:", "a=end-of-candidates", lines=lines)
    return "\r\n".join(top) + "\r\n"
