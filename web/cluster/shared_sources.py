"""Sources that the operator named on several hosts: one of them pulls each, another takes over.

Every host may be given the same cameras. A host begins to pull one as soon as no other host feeds its
stream, so that cameras come back when the host that had them is gone. Each is begun once a host: a
source that has ended for good stays ended.
"""

import asyncio
import logging
from collections.abc import Iterable

from stream.registry import NO_ROOM
from web.cluster.homes import RENEW_SECONDS, Homes
from web.errors import Refusal
from web.pulled_sources import OPERATOR, PulledSources

log = logging.getLogger(__name__)


class SharedSources:
    """The operator's sources, pulled here or not.

    Args:
        homes: Say which stream is fed elsewhere.
        sources: Pulls.
        wanted: Names and URLs.
    """

    def __init__(
        self, homes: Homes, sources: PulledSources, wanted: Iterable[tuple[str, str]]
    ) -> None:
        self._homes = homes
        self._sources = sources
        self._wanted = dict(wanted)
        self._waiting = set(self._wanted)

    async def look(self) -> None:
        """Begin to pull what nobody feeds.

        Raises:
            BadSource: If a URL is nothing that may be pulled.
        """
        for name in sorted(self._waiting):
            if await self._homes.elsewhere(name) is None:
                await self._begin(name)

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self.look()

    def lost(self, name: str) -> None:
        """Wait for the stream `name` again: another host has taken it."""
        if name in self._wanted:
            self._waiting.add(name)

    async def _begin(self, name: str) -> None:
        try:
            await self._homes.claim(name)
            await self._sources.add(name, self._wanted[name], OPERATOR, trusted=True)
        except (*NO_ROOM, Refusal) as error:
            if error.code != "already_pulled":
                log.warning("%s is not pulled yet: %s", name, error)
                return
        self._waiting.discard(name)
