"""Webhooks that wait to be taken: a bounded queue that outlives the process, tried with growing pauses.

What is not taken for some hours is put aside as a dead letter, where people can see it. A letter is in the queue
before its event is kept: a process that ends in between tells it once more under the same id. The queue holds
no addresses and no secrets: those are the watch's, and may be changed meanwhile.
"""

import asyncio
import base64
import json
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from memory.documents import DocumentStore, Entry
from memory.errors import StoreFull, StoreUnavailable
from stream.errors import NotDelivered
from stream.frames.timeline import Clock
from stream.watches.records import VERSION, Event, Watch, clip_path, events
from stream.watches.webhooks.webhook import Poster

log = logging.getLogger(__name__)

_WAITING, _DEAD = "watch-delivery", "watch-dead-letter"
_MOST_WAITING = 500
_MOST_DEAD = 200
PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 3600.0, 3600.0)
"""Seconds before each further try; after the last one it is a dead letter."""
_LOOK_EVERY = 2.0
_MOST_UNWRITTEN = 64
"""Letters that are held here while the store takes none."""

Thumbnail = Callable[[str, float], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Letter:
    """Something that waits to be delivered, or was given up.

    Attributes:
        key: Names it.
        watch: Whose it is.
        event: What is told.
        tries: How often it was tried.
        error: Why the last try failed; empty before.
        at: Unix second of the next try, or when it was given up.
    """

    key: str
    watch: str
    event: Event
    tries: int
    error: str
    at: float


class Deliveries:
    """Delivers events to the webhooks of their watches."""

    def __init__(
        self,
        documents: DocumentStore,
        poster: Poster,
        *,
        wall: Clock,
        find: Callable[[str], Watch | None],
        thumbnail: Thumbnail,
        root_path: str = "",
        done: Callable[[str, str | None], None],
    ) -> None:
        """Take what delivering needs.

        Args:
            documents: Keep the queue.
            poster: Sends.
            wall: Unix seconds.
            find: Returns a watch by its id.
            thumbnail: Returns the picture of a moment of a stream.
            root_path: Path below which the service is.
            done: Is told of which watch a letter was taken, or given up and why.
        """
        self._documents = documents
        self._poster = poster
        self._wall = wall
        self._find = find
        self._thumbnail = thumbnail
        self._root_path = root_path
        self._done = done
        self._unwritten = deque[Letter]()
        self._writing = asyncio.Lock()

    async def queue(self, watch: Watch, event: Event) -> None:
        """Put an event into the queue, if its watch has a webhook; later, if the store takes nothing now."""
        if watch.webhook is None:
            return
        self._unwritten.append(Letter(secrets.token_hex(8), watch.id, event, 0, "", self._wall()))
        try:
            await self._write()
        except (StoreUnavailable, StoreFull) as error:
            while len(self._unwritten) > _MOST_UNWRITTEN:
                lost = self._unwritten.pop()  # the first may be on its way
                self._done(lost.watch, f"An event could not be queued for its webhook. {error}")

    async def dead(self) -> list[Letter]:
        """Return what was given up, the newest first.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        found = [_letter(entry) for entry in await self._documents.newest(_DEAD, _MOST_DEAD)]
        return [letter for letter in found if letter is not None]

    async def deliver(self) -> None:
        """Send what is due, until cancelled."""
        while True:
            try:
                sent = await self.deliver_due()
            except (StoreUnavailable, StoreFull):
                sent = False  # the queue is still there when the store is
            if not sent:
                await asyncio.sleep(_LOOK_EVERY)

    async def deliver_due(self) -> bool:
        """Send the letter that is due first; return whether one was.

        Raises:
            StoreUnavailable: If the store cannot be reached.
            StoreFull: If the queue cannot be written.
        """
        await self._write()
        waiting = await self._documents.lowest(_WAITING, 1)
        if not waiting or waiting[0].order > self._wall():
            return False
        letter = _letter(waiting[0])
        watch = None if letter is None else self._find(letter.watch)
        if letter is None or watch is None or watch.webhook is None:
            await self._documents.remove(_WAITING, waiting[0].key)
            return True
        try:
            now, body = self._wall(), await self._body(letter)
            await self._poster.post(
                watch.webhook.url, watch.webhook.secret, letter.event.id, now, body
            )
        except NotDelivered as error:
            await self._again(letter, str(error))
        else:
            await self._documents.remove(_WAITING, letter.key)
            self._done(letter.watch, None)
        return True

    async def _write(self) -> None:
        """Put into the queue what is not there yet.

        Raises:
            StoreUnavailable: If the store cannot be reached.
            StoreFull: If there is no room.
        """
        async with self._writing:
            while self._unwritten:
                letter = self._unwritten[0]
                if await self._documents.count(_WAITING) >= _MOST_WAITING:
                    await self._give_up(letter, "Too many others wait to be delivered.")
                else:
                    await self._put(_WAITING, letter, _MOST_WAITING)
                self._unwritten.popleft()

    async def _again(self, letter: Letter, error: str) -> None:
        if letter.tries >= len(PAUSES):
            await self._give_up(letter, error)
            return
        at = self._wall() + PAUSES[letter.tries]
        tried = Letter(letter.key, letter.watch, letter.event, letter.tries + 1, error, at)
        await self._put(_WAITING, tried, _MOST_WAITING)

    async def _give_up(self, letter: Letter, error: str) -> None:
        log.warning("a webhook of watch %s is given up: %s", letter.watch, error)
        dead = Letter(letter.key, letter.watch, letter.event, letter.tries, error, self._wall())
        await self._put(_DEAD, dead, _MOST_DEAD)
        await self._documents.remove(_WAITING, letter.key)
        self._done(letter.watch, f"A webhook was given up. {error}")

    async def _put(self, kind: str, letter: Letter, keep: int) -> None:
        document = {
            "version": VERSION,
            "watch": letter.watch,
            "event": events.encode(letter.event),
            "tries": letter.tries,
            "error": letter.error,
        }
        await self._documents.put(kind, Entry(letter.key, letter.at, document), keep)

    async def _body(self, letter: Letter) -> bytes:
        """Return what is sent: the event, and the picture of its newest moment."""
        event = letter.event
        picture = None
        if event.evidence:
            picture = await self._thumbnail(event.stream, event.evidence[-1].start)
        data: Mapping[str, Any] = {
            **events.encode(event),
            "thumbnail": None if picture is None else base64.b64encode(picture).decode(),
            "clip": clip_path(self._root_path, event),
        }
        return json.dumps({"type": "watch.fired", "timestamp": event.at, "data": data}).encode()


def _letter(entry: Entry) -> Letter | None:
    document = entry.document
    event = events.decode(document.get("event") or {})
    if document.get("version") != VERSION or event is None:
        return None
    watch, error = str(document.get("watch", "")), str(document.get("error", ""))
    return Letter(entry.key, watch, event, int(document.get("tries", 0)), error, entry.order)
