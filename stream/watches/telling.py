"""What becomes of an event: it is verified, kept, counted, and told to whoever listens."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import get_args

from memory.errors import StoreFull, StoreUnavailable
from stream.watches.book import WatchBook
from stream.watches.records import Counters, Event, Verdict, Watch

log = logging.getLogger(__name__)

Verifier = Callable[[Watch, Event], Awaitable[tuple[Verdict, str]]]
"""Asks the model whether an event is true: what it said, and that in a sentence."""
Deliverer = Callable[[Watch, Event], Awaitable[None]]
"""Takes what is to be sent to other machines."""
_COUNTED: dict[Verdict, str] = {
    "confirmed": "confirmed",
    "rejected": "rejected",
    "failed": "failed",
}


class Teller:
    """Tells events, one after another.

    Attributes:
        counters: What has become of each watch, by its id.
        verdicts: Events that fired here, by what the model said of them.
    """

    def __init__(
        self,
        book: WatchBook,
        verify: Verifier,
        publish: Callable[[Event], None],
        deliver: Deliverer,
    ) -> None:
        """Take where to tell.

        Args:
            book: Keeps events and counters.
            verify: Asks the model.
            publish: Tells who is connected; never waits.
            deliver: Takes what is to be sent to other machines.
        """
        self.counters: dict[str, Counters] = {}
        self.verdicts: dict[Verdict, int] = dict.fromkeys(get_args(Verdict), 0)
        self._book = book
        self._verify = verify
        self._publish = publish
        self._deliver = deliver
        self._verdicts: dict[str, tuple[Verdict, str]] = {}
        self._owed: dict[str, dict[str, int]] = {}

    async def tell(self, watch: Watch, event: Event) -> None:
        """Tell that `watch` fired, or that this is over now."""
        if not event.open:
            if event.id in self._verdicts:
                verdict, why = self._verdicts.pop(event.id)
            else:
                verdict, why = await self._kept_verdict(event, verify=watch.verify)
            event = replace(event, verdict=verdict, why=why)
        else:
            if watch.verify:
                verdict, why = _less_sure(event, *await self._verify(watch, event))
                event = replace(event, verdict=verdict, why=why)
                self._verdicts[event.id] = (verdict, why)
            self._count(watch, event)
            self.verdicts[event.verdict] += 1
        told = event.verdict != "rejected"
        if told:
            self._publish(event)
        if told and event.open:
            await self._deliver(watch, event)
        await self._keep(event)  # last: what is kept is not told again after a restart

    async def _kept_verdict(self, event: Event, *, verify: bool) -> tuple[Verdict, str]:
        """Return the verdict of an event, which may have fired before this process was started."""
        try:
            kept = await self._book.event(event.id) if verify else None
        except StoreUnavailable:
            kept = None
        return (event.verdict, event.why) if kept is None else (kept.verdict, kept.why)

    def count_delivery(self, watch: str, trouble: str | None) -> None:
        """Count a webhook that was taken, or that was given up because of `trouble`.

        It is kept with the next event.
        """
        self._add(watch, "delivered" if trouble is None else "undelivered")
        self.counters[watch] = replace(self.counters[watch], last_error=trouble)

    def take_over(self, kept: Mapping[str, Counters]) -> None:
        """Know what all processes have counted; what is not written yet from here comes on top."""
        for watch, counters in kept.items():
            owed = self._owed.get(watch, {})
            more = {name: getattr(counters, name) + n for name, n in owed.items()}
            self.counters[watch] = replace(counters, **more)

    def drop(self, watch: str) -> None:
        """Forget the counters of a watch; an unknown one is fine."""
        self.counters.pop(watch, None)
        self._owed.pop(watch, None)

    def _count(self, watch: Watch, event: Event) -> None:
        self._add(watch.id, "fired")
        if watch.verify and (name := _COUNTED.get(event.verdict)) is not None:
            self._add(watch.id, name)
        now = replace(self.counters[watch.id], last_fired=event.at)
        if event.verdict == "failed":
            now = replace(now, last_error=event.why)
        self.counters[watch.id] = now

    def _add(self, watch: str, name: str) -> None:
        before = self.counters.get(watch, Counters())
        self.counters[watch] = replace(before, **{name: getattr(before, name) + 1})
        owed = self._owed.setdefault(watch, {})
        owed[name] = owed.get(name, 0) + 1

    async def _write(self, watch: str) -> None:
        """Write what was counted here, and learn what others have counted.

        Raises:
            StoreUnavailable: If the store cannot be reached.
            StoreFull: If there is no room.
        """
        owed = self._owed.pop(watch, {})
        try:
            now = await self._book.count(watch, self.counters[watch], owed)
        except (StoreUnavailable, StoreFull):
            since = self._owed.setdefault(watch, {})
            for name, n in owed.items():
                since[name] = since.get(name, 0) + n
            raise
        self.take_over({watch: now})

    async def _keep(self, event: Event) -> None:
        try:
            await self._book.note(event)
            if event.open:
                await self._write(event.watch)
        except (StoreUnavailable, StoreFull) as error:
            # It was told; only the list lacks it.
            log.warning("an event of watch %s is not kept: %s", event.watch, error)
            self.counters[event.watch] = replace(
                self.counters.get(event.watch, Counters()),
                last_error=f"An event is not kept. {error}",
            )


def _less_sure(event: Event, verdict: Verdict, why: str) -> tuple[Verdict, str]:
    """Return what the model said of `event`, which it cannot confirm where its own eyes hardly see the thing."""
    if event.why and verdict == "confirmed":
        return "unverified", f"{event.why} {why}"
    return verdict, why
