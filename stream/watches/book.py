"""Keeps watches, their counters and their events in the document store, each kind bounded."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from memory.documents import DocumentStore, Entry
from stream.errors import NoRoom
from stream.watches.records import COUNTED, Counters, Event, Watch, counters, events, watches
from stream.watches.state import Key, WatchState, states

MOST_WATCHES = 200
_MOST_EVENTS = 2000
"""Events of all watches that stay; older ones make room."""
_MOST_STATES = 4000
_WATCH, _COUNTERS, _EVENT, _STATE = "watch", "watch-counters", "watch-event", "watch-state"
KINDS = {_WATCH: MOST_WATCHES, _COUNTERS: MOST_WATCHES, _EVENT: _MOST_EVENTS}
"""The kinds of documents, and how many of each stay."""


class WatchBook:
    """What is kept of watches.

    Args:
        documents: Where.
    """

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    async def watches(self) -> list[Watch]:
        """Return every watch, the oldest first.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        kept = await self._documents.lowest(_WATCH, MOST_WATCHES)
        # In a thread: time zones are read from the disk.
        found = await asyncio.to_thread(lambda: [watches.decode(one.document) for one in kept])
        return [watch for watch in found if watch is not None]

    async def save(self, watch: Watch) -> None:
        """Keep `watch` in the place of the one of its id.

        Raises:
            NoRoom: If it is new and there are too many.
            StoreUnavailable: If the store cannot be reached.
            StoreFull: If there is no room.
        """
        known = await self._documents.get(_WATCH, watch.id)
        if known is None and await self._documents.count(_WATCH) >= MOST_WATCHES:
            raise NoRoom(
                f"{MOST_WATCHES} watches are kept: delete one first.", code="too_many_watches"
            )
        kept = Entry(watch.id, watch.created, watches.encode(watch))
        await self._documents.put(_WATCH, kept, MOST_WATCHES)

    async def remove(self, watch: str) -> None:
        """Forget a watch and its counters; what it told stays.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        await self._documents.remove(_COUNTERS, watch)
        await self._documents.drop_sums(_COUNTERS, watch)
        await self._documents.remove(_WATCH, watch)

    async def counters(self) -> Mapping[str, Counters]:
        """Return the counters of every watch that has some.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        kept = await self._documents.newest(_COUNTERS, MOST_WATCHES)
        found = {one.key: counters.decode(one.document) for one in kept}
        sums = await self._documents.sums(_COUNTERS)
        return {
            key: replace(
                one, **{name: sums.get(key, {}).get(name, getattr(one, name)) for name in COUNTED}
            )
            for key, one in found.items()
            if one is not None
        }

    async def count(self, watch: str, now: Counters, more: Mapping[str, int]) -> Counters:
        """Count for a watch, beside other processes that do; return its counters as they are now.

        The document has them once more, for backups.

        Args:
            watch: Its id.
            now: What is known of them here, `more` among it.
            more: What is to be added, by name.

        Raises:
            StoreUnavailable: If the store cannot be reached.
            StoreFull: If there is no room.
        """
        amounts = {name: more.get(name, 0) for name in COUNTED}
        base = {name: getattr(now, name) - amounts[name] for name in COUNTED}
        sums: dict[str, Any] = dict(await self._documents.add(_COUNTERS, watch, amounts, base))
        now = replace(now, **sums)
        kept = Entry(watch, now.last_fired or 0.0, counters.encode(now))
        await self._documents.put(_COUNTERS, kept, MOST_WATCHES)
        return now

    async def states(self) -> list[WatchState]:
        """Return what watches have seen so far, of every stream.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        kept = await self._documents.newest(_STATE, _MOST_STATES)
        found = await asyncio.to_thread(lambda: [states.decode(one.document) for one in kept])
        return [state for state in found if state is not None]

    async def states_of(self, stream: str, watched: Iterable[str]) -> list[WatchState]:
        """Return what some watches have seen so far of one stream, here or in another process.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        found = [await self._documents.get(_STATE, f"{watch}.{stream}") for watch in watched]
        kept = [states.decode(one.document) for one in found if one is not None]
        return [state for state in kept if state is not None]

    async def keep_state(self, state: WatchState, now: float) -> None:
        """Keep what a watch has seen of a stream in the place of what it had before.

        What another process has seen since stays.

        Raises:
            StoreUnavailable: If the store cannot be reached.
            StoreFull: If there is no room.
        """
        for other in await self.states_of(state.stream, [state.watch]):
            if state.is_before(other) and other.is_like(state):
                return
        kept = Entry(f"{state.watch}.{state.stream}", now, states.encode(state))
        await self._documents.put(_STATE, kept, _MOST_STATES)

    async def drop_state(self, key: Key) -> None:
        """Forget what a watch has seen of a stream.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        await self._documents.remove(_STATE, ".".join(key))

    async def note(self, event: Event) -> None:
        """Keep an event in the place of the one of its id.

        Raises:
            StoreUnavailable: If the store cannot be reached.
            StoreFull: If there is no room.
        """
        await self._documents.put(
            _EVENT, Entry(event.id, event.at, events.encode(event)), _MOST_EVENTS
        )

    async def event(self, key: str) -> Event | None:
        """Return the event of that id; None if there is none.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        kept = await self._documents.get(_EVENT, key)
        return None if kept is None else events.decode(kept.document)

    async def events(
        self,
        limit: int,
        after: float = float("-inf"),
        wanted: Callable[[Event], bool] = lambda _: True,
    ) -> list[Event]:
        """Return the newest `limit` events of those `wanted`, newest first.

        Args:
            limit: How many at most.
            after: Only those that fired after this Unix second.
            wanted: Says which.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        kept = await self._documents.newest(_EVENT, _MOST_EVENTS, after)
        found = (events.decode(one.document) for one in kept)
        return list(islice((e for e in found if e is not None and wanted(e)), limit))
