"""Video as single JPEG pictures over the WebSocket: the way in when WebRTC finds no path.

A picture is hostile until decoded: only JPEG, its size checked before its pixels are made, scaled
down by the decoder itself, off the event loop.
"""

import asyncio
import base64
import binascii
import io
from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from memory.store import StoreUnavailable
from stream.feed import Feed
from stream.registry import BadName, Registry, TooManyStreams
from web.identifiers import new_id
from web.places import Full, Places
from web.security import Caller
from web.wire import Refused
from web.wire_items import PICTURE_PREFIX

LARGEST_SIDE = 4096
LONGEST_KEPT = 640


class BadPicture(ValueError):
    """The picture cannot be used; the message says why."""


class PictureSource:
    """Feeds one stream with the pictures of one connection, from the first picture on."""

    def __init__(
        self,
        stream: str,
        caller: Caller,
        *,
        registry: Registry,
        places: Places,
        monotonic: Callable[[], float],
    ) -> None:
        self._stream = stream
        self._caller = caller
        self._registry = registry
        self._places = places
        self._monotonic = monotonic
        self._place = new_id("pictures")
        self._feed: Feed | None = None

    async def give(self, image_url: str) -> None:
        """Feed the picture in `image_url`, a `data:` URL of a JPEG.

        Raises:
            Refused: If there is no place for the stream, another source has taken it over, or
                the picture is none.
        """
        if self._feed is None:
            self._feed = await self._open()
        if self._feed.closed:
            raise Refused("stream_taken_over", "Another source has taken this stream over.")
        time = self._monotonic()
        try:
            data = base64.b64decode(image_url.removeprefix(PICTURE_PREFIX), validate=True)
            if slot := self._feed.accepts(time):
                self._feed.give(slot, await asyncio.to_thread(decode, data))
        except binascii.Error:
            raise Refused("invalid_picture", "The picture is not valid base64.") from None
        except BadPicture as error:
            raise Refused("invalid_picture", str(error), "item.content") from None

    def close(self) -> None:
        """End the feed and give the place back. Safe to call twice."""
        self._places.give_back(self._place)
        if self._feed is not None:
            self._feed.close("The page that sent pictures left.")

    async def _open(self) -> Feed:
        try:
            self._places.take(self._place, self._caller)
            return (await self._registry.open(self._stream)).open_feed("pictures")
        except (Full, TooManyStreams, BadName, StoreUnavailable) as error:
            self._places.give_back(self._place)
            raise Refused("stream_refused", str(error)) from None


def decode(data: bytes) -> UInt8[np.ndarray, "height width 3"]:
    """Return the RGB pixels of a JPEG, its long side at most 640.

    Raises:
        BadPicture: If it is no JPEG, cut short, or larger than 4096 pixels a side.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if max(image.size) > LARGEST_SIDE:
                raise BadPicture(f"A picture may have {LARGEST_SIDE} pixels a side at most.")
            image.draft("RGB", (LONGEST_KEPT, LONGEST_KEPT))
            picture = image.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError):
        raise BadPicture("The picture is not a complete JPEG.") from None
    picture.thumbnail((LONGEST_KEPT, LONGEST_KEPT))
    return np.asarray(picture)
