"""Every stream of the service by name: made on demand, bounded, shared by nobody by accident.

A stream takes up one of the `capacity` places only while something feeds it, so any end of a
source (closed, lost, crashed, replaced) frees the place by itself. Streams without a source stay
in reach as long as there is room and come back from the store when they are asked for.

What is done about one name is done one thing after another, and waits for no other name: a slow
encoder or store must not keep a second camera from connecting.
"""

import asyncio
import math
import re
from collections.abc import Callable
from functools import partial

from memory.errors import StoreFull, StoreUnavailable, StreamForgotten
from memory.store import ClipStore, Moment, StreamRecord
from model.engine.contract import Engine
from stream.channels import Broadcast, Subscription
from stream.errors import BadInput, NoRoom, UnknownStream
from stream.frames.timeline import Clock
from stream.live import LiveStream
from stream.name_locks import NameLocks
from stream.past.thing_index import ThingIndex
from stream.pipeline import OnEncoded, ignore_clip
from stream.reel import Reel
from stream.settings import StreamSettings
from stream.status import StreamStatus, remembered

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BEGINNINGS_WAITING = 64

NO_ROOM = (StoreFull, StoreUnavailable, NoRoom)
"""Why a stream cannot be begun now, but perhaps later."""


class Registry:
    """The streams of this process.

    Attributes:
        index: Knows what the clips of every stream show.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        store: ClipStore,
        settings: StreamSettings,
        wall: Clock,
        monotonic: Clock,
        capacity: int = 16,
        idle: int = 64,
        kept: int = 1000,
        on_encoded: OnEncoded = ignore_clip,
        films: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Take what every stream shares.

        Args:
            engine: Encodes and answers.
            store: Remembers.
            settings: How streams sample their sources.
            wall: Unix seconds; read when a stream begins and when a source connects.
            monotonic: Seconds that never go back.
            capacity: Streams that may have a source at once.
            idle: Streams without a source that are kept in reach.
            kept: Streams that may be remembered before no new one is begun.
            on_encoded: Is shown every encoded clip of every stream; must not wait.
            films: Says whether films of what a stream shows may be asked for.
        """
        self.index = ThingIndex(engine, store)
        self._engine = engine
        self._store = store
        self._settings = settings
        self._wall = wall
        self._capacity = capacity
        self._idle = idle
        self._kept = kept
        self._make = partial(
            LiveStream,
            engine=engine,
            store=store,
            settings=settings,
            wall=wall,
            monotonic=monotonic,
            admit=self._admit,
            on_encoded=on_encoded,
            films=films,
            index=self.index,
        )
        self._streams: dict[str, LiveStream] = {}  # the one asked for last at the end
        self._lock = NameLocks()
        self._beginnings: Broadcast[str] = Broadcast(_BEGINNINGS_WAITING)

    @property
    def frame_side(self) -> int:
        """Shorter side of the pictures that streams are given, in pixels."""
        return self._settings.side_for(self._engine.image_size)

    @property
    def fed(self) -> int:
        """How many places are taken."""
        return sum(live.fed for live in self._streams.values())

    def fed_names(self) -> list[str]:
        """Return the names of the streams that have a source here."""
        return [name for name, live in self._streams.items() if live.fed]

    def let_go(self, name: str, reason: str) -> None:
        """End what feeds `name` here, if anything does; the stream stays."""
        if (live := self._streams.get(name)) is not None:
            live.end_feed(reason)

    def open_streams(self) -> list[StreamStatus]:
        """Return the status of the streams that are open here; the store is not asked."""
        return [live.status() for live in self._streams.values()]

    async def open(self, name: str) -> LiveStream:
        """Return the stream called `name` to feed it, made if it is new.

        Raises:
            BadInput: If `name` is not allowed.
            NoRoom: If it has no source and every place is taken.
            NoRoom: If it is new and no more may be remembered.
            StoreUnavailable: If it is new here and the store cannot say when it began.
            StoreFull: If it is new and the store has no room.
        """
        _check(name)
        async with self._lock(name):
            live = await self._here(name)
            if live is not None and not live.fed and await self._deleted(live):
                await self._close(name, "The stream was deleted.")
                live = None
            if live is None or not live.fed:
                self._admit()
            if live is None:
                await self._check_room(name)
                live = await self._add(await self._store.begin(name, self._wall()))
            return live

    def beginnings(self) -> Subscription[str]:
        """Return news from now on: the name of every stream that comes within reach."""
        return self._beginnings.subscribe()

    async def find(self, name: str) -> LiveStream:
        """Return the stream called `name` to ask it or to look at it; never makes a new one.

        Raises:
            BadInput: If `name` is not allowed.
            UnknownStream: If it is neither here nor in the store.
            StoreUnavailable: If it is not here and the store cannot be asked.
        """
        _check(name)
        async with self._lock(name):
            if (live := await self._here(name)) is not None:
                return live
            if (record := await self._store.find(name)) is not None:
                return await self._add(record)
        raise UnknownStream(f"There is no stream called {name}.")

    def reel(self, name: str) -> Reel | None:
        """Return the newest pictures of a stream; None if it is not open here."""
        live = self._streams.get(name)
        return None if live is None else live.reel

    async def list(self, after: str = "", limit: int | None = None) -> list[StreamStatus]:
        """Return the status of streams, here or only remembered, in order of name.

        While the store is away: of those that are here.

        Args:
            after: Only names behind this one.
            limit: How many at most; None for all.
        """
        before = {name: (live, live.end) for name, live in self._streams.items()}
        try:
            found = await self._store.streams(after, limit)
        except StoreUnavailable:
            found, before = [], {}
        records = {record.name: record for record in found}
        names = sorted(name for name in {*records, *self._streams} if name > after)[:limit]
        for name in names:
            live, end = before.get(name, (None, None))
            if live is not None:
                await live.refresh(records.get(name), end)
        return [self._status(name, records.get(name)) for name in names]

    async def forget(self, name: str) -> None:
        """Close the stream and drop everything known of it; an unknown one is fine.

        Raises:
            BadInput: If `name` is not allowed.
            StoreUnavailable: If the store cannot be reached; the stream is closed nevertheless.
            StoreFull: If the store can write nothing any more, not even that.
        """
        _check(name)
        async with self._lock(name):
            if (reel := self.reel(name)) is not None:
                reel.forget(Moment(-math.inf, math.inf))
            await self._close(name, "The stream was deleted.")
            await self._engine.forget(name)
            await self._store.forget(name)
        await self._store.compact()

    async def forget_range(self, name: str, since: float, until: float) -> int:
        """Forget what a stream showed from `since` to `until`, media seconds; return how many clips.

        What is on its way to memory is forgotten too, what comes later is not: the stream goes on.

        Raises:
            BadInput: If `name` is not allowed.
            UnknownStream: If it is neither here nor in the store.
            StoreUnavailable: If the store cannot be reached.
            StoreFull: If the store can write nothing any more, not even that.
        """
        live = await self.find(name)
        async with self._lock(name):
            span = await live.forget(since, until)
            dropped = await self._store.forget_range(name, span.start, span.end)
            await self._engine.forget(name)  # of what was learnt meanwhile
            await live.refresh(await self._store.find(name), live.end)
        await self._store.compact()
        return dropped

    async def keep(self, name: str, seconds: float | None) -> StreamStatus:
        """Set for how long what a stream showed is kept; None is as the service is set up.

        Raises:
            BadInput: If `name` is not allowed.
            UnknownStream: If it is neither here nor in the store.
            StoreUnavailable: If the store cannot be reached.
        """
        live = await self.find(name)
        try:
            record = await self._store.set_keep(name, seconds)
        except KeyError:
            raise UnknownStream(f"There is no stream called {name}.") from None
        await live.refresh(record, live.end)
        return live.status()

    async def close(self) -> None:
        """Close every stream."""
        reason = "The service is stopping."
        await asyncio.gather(*(self._stop(name, reason) for name in self._streams))

    def _admit(self) -> None:
        if self.fed >= self._capacity:
            raise NoRoom(
                f"All {self._capacity} places for live streams are taken; try again when one ends."
            )

    async def _here(self, name: str) -> LiveStream | None:
        live = self._streams.get(name)
        if live is None:
            return None
        if live.deleted:
            await self._close(name)
            return None
        self._streams[name] = self._streams.pop(name)
        return live

    async def _deleted(self, live: LiveStream) -> bool:
        """Say whether another process deleted a stream that is at rest here."""
        began, end = live.status().began, live.end
        try:
            record = await self._store.resume(live.name, began)
        except StreamForgotten:
            return True
        except (StoreUnavailable, StoreFull):
            return False  # what is fed now waits for memory
        await live.refresh(record, end)
        return record.began != began

    async def _add(self, record: StreamRecord) -> LiveStream:
        live = self._streams[record.name] = self._make(record)
        live.start()
        self._beginnings.publish(record.name)
        await self._make_room()
        return live

    async def _make_room(self) -> None:
        """Close streams without a source, those asked for longest ago, while there are too many."""
        while len(self._streams) > self._capacity + self._idle and (name := self._unused()):
            await self._stop(name, "The stream was closed.")

    def _unused(self) -> str | None:
        """Return the stream asked for longest ago of those without a source that nobody is at."""
        for name, live in self._streams.items():
            busy = live.fed or live.unfinished or live.asked or self._lock.busy(name)
            if not busy:
                return name
        return None

    async def _check_room(self, name: str) -> None:
        """Make sure that `name` may be begun; streams that showed nothing give way to it.

        Raises:
            NoRoom: If it is new and no more may be remembered.
        """
        records = await self._store.streams()
        if len(records) < self._kept or any(record.name == name for record in records):
            return
        forgotten = [await self._forget_empty(record) for record in records]
        if len(records) - sum(forgotten) >= self._kept:
            raise NoRoom(
                f"{self._kept} streams are remembered, and no more may be: delete one that is not "
                "needed any more, then begin this one again.",
                code="too_many_remembered",
            )

    async def _forget_empty(self, record: StreamRecord) -> bool:
        """Forget a stream that showed nothing and is not in use; say whether it was one."""
        name = record.name
        if record.clips or name in self._streams or self._lock.busy(name):
            return False
        async with self._lock(name):
            now = await self._store.find(name)  # another process may have fed it meanwhile
            if now is not None and now.clips:
                return False
            await self._store.forget(name)
        return True

    async def _stop(self, name: str, reason: str) -> None:
        async with self._lock(name):
            await self._close(name, reason)

    async def _close(self, name: str, reason: str = "The stream was closed.") -> None:
        if (live := self._streams.pop(name, None)) is not None:
            await live.close(reason)

    def _status(self, name: str, record: StreamRecord | None) -> StreamStatus:
        if (live := self._streams.get(name)) is not None:
            return live.status()
        assert record is not None
        return remembered(record, self._settings.rate)


def _check(name: str) -> None:
    if NAME.fullmatch(name) is None:
        raise BadInput("A stream's name is 1 to 64 letters, digits, _ and -.")
