"""What one would write first: receive a stream with aiortc and turn every picture into RGB.

The yardstick for what a stream costs: `python -m benchmarks.harness.plain_receiver --port PORT` takes any
number of senders at `/whip/NAME`.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Receivers:
    """Every sender's peer, and how many pictures came.

    Attributes:
        pictures: Turned into RGB so far.
    """

    def __init__(self) -> None:
        self.pictures = 0
        self._peers: list[RTCPeerConnection] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, request: Request) -> Response:
        """Answer an offer and receive from it."""
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peers.append(peer)
        peer.on("track", self._receive)
        offer = RTCSessionDescription(sdp=(await request.body()).decode(), type="offer")
        await peer.setRemoteDescription(offer)
        await peer.setLocalDescription()
        return Response(peer.localDescription.sdp, 201, {"Location": "/peer"})

    async def count(self, _: Request) -> Response:
        """Say how many pictures came."""
        return JSONResponse({"pictures": self.pictures})

    async def close(self) -> None:
        """Hang up."""
        for peer in self._peers:
            await peer.close()
        await asyncio.gather(*self._tasks)

    def _receive(self, track: MediaStreamTrack) -> None:
        task = asyncio.ensure_future(self._convert(track))
        self._tasks.add(task)

    async def _convert(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, VideoFrame)
                frame.to_ndarray(format="rgb24")
                self.pictures += 1
        except MediaStreamError:
            return


def application() -> Starlette:
    """Return the web application."""
    receivers = Receivers()

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        yield
        await receivers.close()

    routes = [
        Route("/whip/{name}", receivers.take, methods=["POST"]),
        Route("/count", receivers.count),
    ]
    return Starlette(routes=routes, lifespan=life)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(application(), port=parser.parse_args().port, log_level="warning")
