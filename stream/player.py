"""Plays a video file into a Flashback server through real WebRTC, in real time.

The demo's stand-in for a camera, and the tests' and benchmarks' sender: everything on the way is
what a browser would use. https://www.rfc-editor.org/rfc/rfc9725
"""

from pathlib import Path
from typing import Literal


class PlayFailed(Exception):
    """The file cannot be played or the server would not take it; the message says why."""


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
        self, path: Path, *, repeat: bool = True, codec: Literal["VP8", "H264"] = "VP8"
    ) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> "Player":
        """Open the file and make the offer.

        Raises:
            PlayFailed: If the file is no video.
        """
        raise NotImplementedError

    async def __aexit__(self, *_: object) -> None:
        raise NotImplementedError

    async def accept(self, answer: str) -> None:
        """Take the server's SDP answer; the video starts to flow."""
        raise NotImplementedError

    async def wait_ended(self) -> None:
        """Wait for the end of the file or of the connection."""
        raise NotImplementedError


async def play(
    path: Path,
    url: str,
    *,
    token: str | None = None,
    repeat: bool = True,
    codec: Literal["VP8", "H264"] = "VP8",
) -> None:
    """Play `path` to the WHIP endpoint `url` until it ends or this is cancelled; then hang up.

    Raises:
        PlayFailed: If the file is no video, the server refuses it, or the connection is lost.
    """
    raise NotImplementedError
