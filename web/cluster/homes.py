"""Which host feeds a stream, where several hosts share one Redis.

A host that feeds a stream says so in Redis every few seconds: a lease. Who comes to another host with
video for that stream is sent to the one that holds it. A lease that is not renewed runs out, and any
host may take the stream. Hosts compare Unix seconds, so their clocks must agree within `LEASE_SECONDS`.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Collection

from memory.documents import DocumentStore, Entry
from memory.errors import StoreFull, StoreUnavailable
from stream.frames.timeline import Clock

log = logging.getLogger(__name__)

LEASE_SECONDS = 12.0
RENEW_SECONDS = 3.0
_KIND = "home"
_MOST = 10_000
_URL = re.compile(r"https?://[^\s/?#]+(/[\w.~-]+)*")
_AWAY = (StoreUnavailable, StoreFull)

LetGo = Callable[[str], None]


class Homes:
    """The leases of all hosts, and this host's own.

    Args:
        documents: Where leases are kept.
        url: Under which clients reach this host.
        wall: Unix seconds.
    """

    def __init__(self, documents: DocumentStore, url: str, wall: Clock) -> None:
        self.url = url
        self._documents = documents
        self._wall = wall
        self._held: dict[str, float] = {}

    async def elsewhere(self, stream: str) -> str | None:
        """Return the URL of the other host that feeds `stream`; None if none does.

        While Redis is away nobody can say, and every host takes what comes to it.
        """
        try:
            found = await self._documents.get(_KIND, stream)
        except StoreUnavailable:
            return None
        return self._other(found)

    async def claim(self, stream: str) -> None:
        """Say that this host feeds `stream` from now on; if Redis is away, once it is back."""
        self._held[stream] = self._wall()
        try:
            await self._write(stream)
        except _AWAY as error:
            log.debug("the lease of %s is not written yet: %s", stream, error)

    async def run(self, fed: Callable[[], Collection[str]], let_go: LetGo) -> None:
        """Renew the leases of what is fed here, until cancelled.

        Args:
            fed: Returns the names of the streams that are fed here now.
            let_go: Is told a stream that another host took later than this one: it has it now.
        """
        while True:
            try:
                await self.renew(fed(), let_go)
            except _AWAY as error:
                log.debug("leases of streams are not renewed: %s", error)
            await asyncio.sleep(RENEW_SECONDS)

    async def renew(self, fed: Collection[str], let_go: LetGo) -> None:
        """Renew each lease once, give up those of streams that are fed no more.

        Raises:
            StoreUnavailable: If Redis cannot be reached.
            StoreFull: If Redis has no room.
        """
        for stream in [name for name in self._held if name not in fed]:
            await self.release(stream)
        for stream in fed:
            found = await self._documents.get(_KIND, stream)
            since = self._held.setdefault(stream, self._wall())
            if found is not None and self._other(found) and _since(found) > since:
                del self._held[stream]
                let_go(stream)
            else:
                await self._write(stream)

    async def release(self, stream: str) -> None:
        """Give up this host's lease of `stream`; one that another host has is left alone.

        Raises:
            StoreUnavailable: If Redis cannot be reached.
        """
        self._held.pop(stream, None)
        found = await self._documents.get(_KIND, stream)
        if found is not None and found.document.get("url") == self.url:
            await self._documents.remove(_KIND, stream)

    async def close(self) -> None:
        """Give up every lease; what cannot be written runs out by itself."""
        for stream in list(self._held):
            try:
                await self.release(stream)
            except StoreUnavailable:
                return

    def _other(self, found: Entry | None) -> str | None:
        if found is None or self._wall() - found.order > LEASE_SECONDS:
            return None
        url = found.document.get("url")
        # What anyone may have written into Redis must not send a camera anywhere.
        known = isinstance(url, str) and _URL.fullmatch(url) is not None
        return url if known and url != self.url else None

    async def _write(self, stream: str) -> None:
        document = {"url": self.url, "since": self._held[stream]}
        await self._documents.put(_KIND, Entry(stream, self._wall(), document), _MOST)


def _since(found: Entry) -> float:
    since = found.document.get("since")
    return float(since) if isinstance(since, int | float) else 0.0
