"""Plays a video file into a Flashback server through real WebRTC, in real time.

The demo's stand-in for a camera, and the tests' and benchmarks' sender: everything on the way is
what a browser would use. https://www.rfc-editor.org/rfc/rfc9725
"""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Literal
from urllib.parse import urljoin

import httpx
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidStateError, OperationError

from stream.errors import NotDelivered, NoVideo
from stream.webrtc.file_track import FileTrack
from stream.webrtc.ice import WebRtcSettings, new_connection, prepare_gathering

Codec = Literal["VP8", "H264"]

_CONNECT_WITHIN = 15.0
"""Seconds for each answer of the server, and for a media path to open."""
_HERE = WebRtcSettings()


class Player:
    """One sending peer. Use `async with`.

        async with Player(path) as player:
            answer = await post(player.offer)
            await player.accept(answer)
            await player.wait_ended()

    Attributes:
        offer: The SDP to send, with every candidate in it.
    """

    offer: str

    def __init__(
        self,
        path: Path,
        *,
        repeat: bool = True,
        codec: Codec = "VP8",
        settings: WebRtcSettings = _HERE,
    ) -> None:
        """Take what to play.

        Args:
            path: A video file of any format FFmpeg reads.
            repeat: Whether to begin again at its end.
            codec: To send it in.
            settings: How the server is reached.
        """
        self._path = path
        self._settings = settings
        self._repeat = repeat
        self._codec = codec
        self._track: FileTrack | None = None
        self._connection: RTCPeerConnection | None = None
        self._connected = asyncio.Event()
        self._ended = asyncio.Event()

    async def __aenter__(self) -> "Player":
        """Open the file and make the offer.

        Raises:
            NotDelivered: If the file is not a video.
        """
        try:
            self._track = await FileTrack.open(self._path, repeat=self._repeat)
        except NoVideo as error:
            raise NotDelivered(str(error)) from error
        self._track.once("ended", self._ended.set)
        self._connection = new_connection(self._settings)
        self._connection.on("connectionstatechange", self._state_changed)
        transceiver = self._connection.addTransceiver(self._track, direction="sendonly")
        codecs = RTCRtpSender.getCapabilities("video").codecs
        name = f"video/{self._codec}".lower()
        transceiver.setCodecPreferences([c for c in codecs if c.mimeType.lower() == name])
        prepare_gathering(self._connection, self._settings)
        await self._connection.setLocalDescription()
        self.offer = self._connection.localDescription.sdp
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            await self._connection.close()
        if self._track is not None:
            await self._track.close()

    async def accept(self, answer: str) -> None:
        """Take the server's SDP answer; the video starts to flow.

        Raises:
            NotDelivered: If the answer cannot be used.
        """
        assert self._connection is not None, "enter the player first"
        try:
            await self._connection.setRemoteDescription(
                RTCSessionDescription(sdp=answer, type="answer")
            )
        except (InternalError, InvalidStateError, OperationError, ValueError) as error:
            raise NotDelivered(f"The server's answer cannot be used: {error}.") from error

    async def wait_connected(self) -> None:
        """Wait until the server is reached, or the end."""
        ended = asyncio.ensure_future(self._ended.wait())
        connected = asyncio.ensure_future(self._connected.wait())
        try:
            await asyncio.wait([ended, connected], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            connected.cancel()

    async def wait_ended(self) -> None:
        """Wait for the end of the file or of the connection."""
        await self._ended.wait()

    @property
    def lost(self) -> bool:
        """Whether the connection ended before the file did."""
        return self._track is not None and not self._track.finished

    def _state_changed(self) -> None:
        assert self._connection is not None
        state = self._connection.connectionState
        if state == "connected":
            self._connected.set()
        elif state in {"failed", "closed"}:
            self._ended.set()


async def play(
    path: Path,
    url: str,
    *,
    token: str | None = None,
    repeat: bool = True,
    codec: Codec = "VP8",
    settings: WebRtcSettings = _HERE,
) -> None:
    """Play `path` to the WHIP endpoint `url` until it ends or this is cancelled; then hang up.

    Raises:
        NotDelivered: If the file is not a video or the server refuses it.
        NotDelivered: If the connection is lost.
    """
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(
            headers=headers, follow_redirects=True, timeout=_CONNECT_WITHIN
        ) as client,
        Player(path, repeat=repeat, codec=codec, settings=settings) as player,
    ):
        resource, answer = await _offer(client, url, player.offer)
        try:
            await player.accept(answer)
            try:
                async with asyncio.timeout(_CONNECT_WITHIN):
                    await player.wait_connected()
            except TimeoutError as error:
                raise NotDelivered(
                    "The server answered, but no media path to it opened."
                ) from error
            await player.wait_ended()
            if player.lost:
                raise NotDelivered("The connection to the server was lost.", code="connection_lost")
        finally:
            await _hang_up(client, resource)


async def _offer(client: httpx.AsyncClient, url: str, sdp: str) -> tuple[str, str]:
    try:
        response = await client.post(url, content=sdp, headers={"Content-Type": "application/sdp"})
    except httpx.HTTPError as error:
        raise NotDelivered(f"The server cannot be reached: {error}.") from error
    if response.status_code != 201:
        raise NotDelivered(f"The server refused with {response.status_code}: {response.text[:300]}")
    return urljoin(str(response.url), response.headers.get("location", "")), response.text


async def _hang_up(client: httpx.AsyncClient, resource: str) -> None:
    try:
        await client.delete(resource)
    except httpx.HTTPError:
        return  # gone already: nothing is left to hang up
