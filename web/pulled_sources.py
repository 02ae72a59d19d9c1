"""Sources that the service pulls itself: cameras, playlists, files on other machines.

One a stream, by name. A source that has ended for good leaves its place by itself; where it comes
from is shown without its credentials.
"""

import asyncio
import logging
from collections.abc import Callable

from stream.address.reachable import check_literal, read_networks
from stream.address.source_url import SourceUrl, read_source
from stream.backoff import Backoff
from stream.errors import BadSource
from stream.name_locks import NameLocks
from stream.pull.probe import Probe, probe
from stream.pull.process import PullSettings
from stream.pull.supervisor import Puller, Wait
from stream.registry import NO_ROOM, Registry
from web.access.quotas import Lease, Quota
from web.access.tokens import Caller
from web.errors import Refusal
from web.settings import Settings

log = logging.getLogger(__name__)

OPERATOR = Caller("operator")


class PulledSources:
    """All sources that are being pulled.

    Args:
        registry: The streams to feed.
        places: Counts the streams that callers feed.
        tests: Counts the tests that are running.
        settings: How to pull.
        monotonic: Seconds that never go back.
        wait: Waits that many seconds between two tries.
    """

    def __init__(
        self,
        registry: Registry,
        places: Quota,
        tests: Quota,
        settings: PullSettings,
        monotonic: Callable[[], float],
        wait: Wait = asyncio.sleep,
    ) -> None:
        self._registry = registry
        self._places = places
        self._tests = tests
        self._settings = settings
        self._monotonic = monotonic
        self._wait = wait
        self._pullers: dict[str, Puller] = {}
        self._watching: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        self._lock = NameLocks()

    async def add(self, name: str, url: str, caller: Caller, *, trusted: bool = False) -> None:
        """Begin to pull `url` into the stream `name`, and go on until it ends or is removed.

        Args:
            name: The stream's; made if it is new.
            url: Where to pull from.
            caller: Whose place it takes.
            trusted: The operator named it: files of this machine and any address are fine.

        Raises:
            BadSource: If `url` is nothing that may be pulled.
            Refusal: If the stream has a pulled source already; `Full` if there is no place left.
            NoRoom: If every stream's place is taken.
            NoRoom: If the stream is new and no more may be remembered.
            BadInput: If `name` is not allowed.
            StoreUnavailable: If the stream is new and memory cannot be reached.
            StoreFull: If the stream is new and memory has no room.
        """
        source = read_source(url, local=trusted)
        if not trusted:
            check_literal(source, self._settings.allowed, self._settings.own)
        async with self._lock(name):
            if name in self._pullers:
                message = f"{name} has a source already; remove it first."
                raise Refusal(409, message, code="already_pulled")
            place = self._places.acquire(name, caller)
            try:
                puller = await self._start(name, source, trusted)
            except BaseException:
                place.release()
                raise
            self._pullers[name] = puller
        task = asyncio.create_task(self._until_over(name, puller, place))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def add_operators(self, name: str, url: str) -> None:
        """Begin to pull what the operator named; while memory has no room for it, try again.

        A full memory must not keep the service from starting: there it can be told what to forget.

        Raises:
            BadSource: If `url` is nothing that may be pulled.
            Refusal: If the stream has a pulled source already; `Full` if there is no place left.
        """
        try:
            await self.add(name, url, OPERATOR, trusted=True)
        except BadSource as error:
            raise BadSource(f"{name}: {error}") from None
        except NO_ROOM as error:
            log.warning("%s is not pulled yet: %s", name, error)
            task = asyncio.create_task(self._add_later(name, url))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)

    async def probe(self, url: str, caller: Caller) -> Probe:
        """Open `url`, say what it is, and let go.

        Raises:
            BadSource: If it cannot be pulled; with the reason.
            Full: If too many tests are running.
        """
        source = read_source(url)
        with self._tests.acquire(object(), caller):
            return await probe(source, settings=self._settings, monotonic=self._monotonic)

    def origin(self, name: str) -> str | None:
        """Return where the stream `name` is pulled from, fit to be shown; None if it is not."""
        puller = self._pullers.get(name)
        return None if puller is None else puller.source.shown

    async def remove(self, name: str) -> None:
        """Stop pulling into the stream `name`; one that is not pulled is fine."""
        async with self._lock(name):
            if (puller := self._pullers.pop(name, None)) is not None:
                await puller.close()

    async def close(self) -> None:
        """Stop pulling altogether."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)
        await asyncio.gather(*(p.close("The service is stopping.") for p in self._pullers.values()))
        await asyncio.gather(*self._watching)

    async def _start(self, name: str, source: SourceUrl, trusted: bool) -> Puller:
        live = await self._registry.open(name)
        puller = Puller(
            source,
            live,
            settings=self._settings,
            monotonic=self._monotonic,
            trusted=trusted,
        )
        puller.start()
        return puller

    async def _add_later(self, name: str, url: str) -> None:
        waits = Backoff(self._settings.first_retry, self._settings.longest_retry)
        while True:
            await self._wait(waits.next())
            try:
                return await self.add(name, url, OPERATOR, trusted=True)
            except (*NO_ROOM, Refusal) as error:
                if error.code == "already_pulled":  # somebody else was quicker
                    return None

    async def _until_over(self, name: str, puller: Puller, place: Lease) -> None:
        with place:
            await puller.wait_over()
        if self._pullers.get(name) is puller:
            del self._pullers[name]


def pull_settings(settings: Settings) -> PullSettings:
    """Return how to pull under `settings`."""
    return PullSettings(
        allowed=read_networks(settings.allowed_source_networks),
        own=(settings.advertised_host,) if settings.advertised_host else (),
        certificates=settings.source_certificates,
        transport=settings.source_transport,
    )
