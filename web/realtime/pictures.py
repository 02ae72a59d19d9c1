"""Video as single pictures over the WebSocket: the way in when WebRTC finds no path.

The stream's place is given back however the feed ends: the page left, another source took over,
the stream was deleted, no picture came any more.
"""

import asyncio
import base64
import binascii

from stream.errors import BadInput
from stream.feed import Feed
from stream.frames.frame import Picture
from stream.live import LiveStream
from stream.registry import NO_ROOM
from web.access.quotas import Lease
from web.access.tokens import Caller
from web.errors import BadRequest, BadValue, Full
from web.services import Services


class PictureSource:
    """Feeds one stream with the pictures of one connection, from the first picture on.

    Args:
        stream: Its name; made with the first picture if it is new.
        caller: Whose place it takes.
        services: Where the stream, its place and the decoder are. After `silence_seconds` of the
            settings without a picture the place is given back; the next picture takes it again.
    """

    def __init__(self, stream: str, caller: Caller, services: Services) -> None:
        self._stream = stream
        self._caller = caller
        self._services = services
        self._live: LiveStream | None = None
        self._feed: Feed | None = None
        self._newest: bytes | None = None  # unless it is looked at already
        self._timer: asyncio.TimerHandle | None = None
        self._watching: set[asyncio.Task[None]] = set()

    async def give(self, image_url: str, *, asked: bool = False) -> None:
        """Feed the picture in `image_url`, a `data:` URL of a JPEG or PNG.

        Args:
            image_url: The picture.
            asked: Whether it belongs to a question: then it is looked at whatever the pace.

        Raises:
            BadRequest: If the token may not send, or not so much, there is no place for the stream, another source has taken it over, it
                was deleted, or the picture is none.
        """
        if not self._caller.allows("ingest", self._stream):
            raise BadRequest("not_allowed", "This token may not send pictures to that stream.")
        time, data = self._services.clocks.monotonic(), _read(image_url)
        try:
            self._services.allowances.send(self._caller, len(data))
        except Full as error:
            raise BadRequest(error.code, str(error)) from None
        pixels: Picture | None = None
        if self._feed is None:
            # Before the stream is made: a bad picture must leave none behind, and take none over.
            pixels = await self._decoded(data)
            self._feed = await self._open()
        feed = self._feed
        if feed.closed:
            raise BadRequest("stream_taken_over", feed.reason)
        self._wait_for_next(feed)
        slot = feed.place(time) if asked else feed.offer(time)
        self._newest = None if slot is not None and slot.sampled else data
        if slot is not None:
            await feed.hand_over(slot, await self._decoded(data) if pixels is None else pixels)

    async def look(self) -> LiveStream | None:
        """Have all that was given looked at now, and return the stream it was given to.

        A question may be about a picture that came sooner than the pace wants one, or that would
        wait for others to make a clip with.

        Raises:
            BadRequest: If the newest picture is none.
        """
        feed = self._feed
        if feed is None or feed.closed:
            return None
        data, self._newest = self._newest, None
        if data is not None and (slot := feed.place(self._services.clocks.monotonic())) is not None:
            await feed.hand_over(slot, await self._decoded(data))
        feed.flush()
        return self._live

    async def _decoded(self, data: bytes) -> Picture:
        try:
            return await self._services.decoder.decode(data, self._caller.name)
        except BadValue as error:
            raise BadRequest("invalid_picture", str(error), "item.content") from None

    def close(self) -> None:
        """End the feed and give the place back. Safe to call twice."""
        if self._feed is not None:
            self._feed.close("The page that sent pictures left.")

    async def _open(self) -> Feed:
        try:
            place = self._services.feeding.acquire(self._stream, self._caller)
        except Full as error:
            code = error.code if error.of_token else "stream_refused"  # it has room for others
            raise BadRequest(code, str(error)) from None
        try:
            self._live = await self._services.registry.open(self._stream)
            feed = self._live.open_feed("pictures")
        except (BadInput, *NO_ROOM) as error:
            place.release()
            raise BadRequest("stream_refused", str(error)) from None
        except BaseException:
            place.release()
            raise
        task = asyncio.create_task(self._until_closed(feed, place))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)
        return feed

    async def _until_closed(self, feed: Feed, place: Lease) -> None:
        with place:
            await feed.wait_closed()
        if self._timer is not None:
            self._timer.cancel()

    def _wait_for_next(self, feed: Feed) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(
            self._services.settings.silence_seconds, self._fall_silent, feed
        )

    def _fall_silent(self, feed: Feed) -> None:
        feed.close(f"No picture came for {self._services.settings.silence_seconds:g} seconds.")
        self._feed = None  # a page that was asleep goes on with its next picture


def _read(image_url: str) -> bytes:
    try:
        return base64.b64decode(image_url.partition(",")[2], validate=True)
    except binascii.Error:
        raise BadRequest("invalid_picture", "The picture is not valid base64.") from None
