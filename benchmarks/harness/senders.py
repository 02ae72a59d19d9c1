"""Many real WebRTC senders in one process: `python -m benchmarks.harness.senders VIDEO COUNT URL`.

Each is a peer of its own with its own encryption, and sends a VP8 file as it is, without encoding
anything, so that the machine's processors are left to what is measured. Asked for a keyframe, it goes
on with the file's next one, as an encoder would make one. `{}` in URL becomes the sender's number.
Ends when its standard input does.
"""

import asyncio
import sys
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import httpx
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

_CLOCK = 90_000


class PacketTrack(MediaStreamTrack):
    """The encoded pictures of a file at their time, again and again.

    Args:
        path: A VP8 file whose first picture is a keyframe.
    """

    kind = "video"

    def __init__(self, path: Path) -> None:
        super().__init__()
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            self._period = 1 / float(video.average_rate or 30)
            packets = [packet for packet in container.demux(video) if packet.size]
        self._pictures = [bytes(packet) for packet in packets]
        self._keyframes = [n for n, packet in enumerate(packets) if packet.is_keyframe]
        self._next = 0
        self._sent = 0
        self._began: float | None = None

    async def recv(self) -> "av.Packet[Any]":
        """Return the next picture when its time has come."""
        clock = asyncio.get_running_loop().time
        if self._began is None:
            self._began = clock()
        await asyncio.sleep(self._began + self._sent * self._period - clock())
        packet = av.Packet(self._pictures[self._next])
        self._next = (self._next + 1) % len(self._pictures)
        packet.pts = round(self._sent * self._period * _CLOCK)
        packet.time_base = Fraction(1, _CLOCK)
        self._sent += 1
        return packet

    def jump(self) -> None:
        """Go on with the next keyframe of the file."""
        later = (number for number in self._keyframes if number >= self._next)
        self._next = next(later, 0)


async def send(
    client: httpx.AsyncClient, path: Path, url: str
) -> tuple[RTCPeerConnection, timedelta]:
    """Offer `path` to the WHIP endpoint `url`; return the peer, sending, and how long the answer took.

    Raises:
        RuntimeError: If it is refused.
    """
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    track = PacketTrack(path)
    transceiver = peer.addTransceiver(track, direction="sendonly")
    # aiortc hands requests for a keyframe to its encoders alone.
    setattr(transceiver.sender, "_send_keyframe", track.jump)  # noqa: B010 - for this object
    codecs = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/VP8"])
    await peer.setLocalDescription()
    headers = {"Content-Type": "application/sdp"}
    response = await client.post(url, content=peer.localDescription.sdp, headers=headers)
    if response.is_error:
        raise RuntimeError(f"{url} answers {response.status_code}: {response.text}")
    await peer.setRemoteDescription(RTCSessionDescription(sdp=response.text, type="answer"))
    return peer, response.elapsed


async def send_until_input_ends(path: Path, count: int, url: str) -> None:
    """Run `count` senders until standard input ends."""
    async with httpx.AsyncClient(timeout=30) as client:
        peers = [(await send(client, path, url.format(index)))[0] for index in range(count)]
        sys.stdout.write("sending\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        for peer in peers:
            await peer.close()


if __name__ == "__main__":
    asyncio.run(send_until_input_ends(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
