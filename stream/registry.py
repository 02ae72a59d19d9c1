"""Every stream of the service by name: made on demand, bounded, shared by nobody by accident.

A stream takes up one of the `capacity` places only while something feeds it, so any end of a
source (closed, lost, crashed, replaced) frees the place by itself. Streams without a source stay
in reach as long as there is room and come back from the store when they are asked for.
"""

import asyncio
import re

from memory.store import ClipStore, StoreUnavailable, StreamRecord
from model.engine import Engine
from stream.feed import Clock
from stream.live import LiveSettings, LiveStream
from stream.status import StreamStatus

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class BadName(ValueError):
    """A stream's name may hold 1 to 64 letters, digits, `_` and `-`."""


class UnknownStream(LookupError):
    """There is no stream of this name, neither live nor remembered."""


class TooManyStreams(Exception):
    """Every place is taken by a stream with a source; try again when one has ended."""


class Registry:
    """The streams of this process."""

    def __init__(
        self,
        *,
        engine: Engine,
        store: ClipStore,
        settings: LiveSettings,
        wall: Clock,
        monotonic: Clock,
        capacity: int = 16,
        idle: int = 64,
    ) -> None:
        """Take what every stream shares.

        Args:
            engine: Encodes and answers.
            store: Remembers.
            settings: How streams look at their sources.
            wall: Unix seconds; read when a stream begins and when a source connects.
            monotonic: Seconds that never go back.
            capacity: Streams that may have a source at once.
            idle: Streams without a source that are kept in reach.
        """
        self._engine = engine
        self._store = store
        self._settings = settings
        self._wall = wall
        self._monotonic = monotonic
        self._capacity = capacity
        self._idle = idle
        self._streams: dict[str, LiveStream] = {}
        self._changing = asyncio.Lock()

    @property
    def fed(self) -> int:
        """How many places are taken."""
        return sum(live.fed for live in self._streams.values())

    async def open(self, name: str) -> LiveStream:
        """Return the stream called `name` to feed it, made if it is new.

        Raises:
            BadName: If `name` is not allowed.
            TooManyStreams: If it has no source and every place is taken.
            StoreUnavailable: If it is new here and the store cannot say when it began.
        """
        _check(name)
        async with self._changing:
            live = await self._here(name)
            if live is None or not live.fed:
                self._admit()
            if live is None:
                live = await self._add(await self._store.begin(name, self._wall()))
            return live

    async def find(self, name: str) -> LiveStream:
        """Return the stream called `name` to ask it or to look at it; never makes a new one.

        Raises:
            BadName: If `name` is not allowed.
            UnknownStream: If it is neither here nor in the store.
            StoreUnavailable: If it is not here and the store cannot be asked.
        """
        _check(name)
        async with self._changing:
            if (live := await self._here(name)) is not None:
                return live
            for record in await self._store.streams():
                if record.name == name:
                    return await self._add(record)
        raise UnknownStream(f"There is no stream called {name}.")

    async def list(self) -> list[StreamStatus]:
        """Return the status of every stream, here or only remembered, in order of name.

        While the store is away: those that are here.
        """
        try:
            records = await self._store.streams()
        except StoreUnavailable:
            records = []
        known: dict[str, StreamStatus] = {}
        for record in records:
            live = self._streams.get(record.name)
            if live is not None:
                live.refresh(record)
            else:
                known[record.name] = self._make(record).status()
        known.update({name: live.status() for name, live in self._streams.items()})
        return [known[name] for name in sorted(known)]

    async def forget(self, name: str) -> None:
        """Close the stream and drop everything known of it; an unknown one is fine.

        Raises:
            BadName: If `name` is not allowed.
            StoreUnavailable: If the store cannot be reached; the stream is closed nevertheless.
        """
        _check(name)
        async with self._changing:
            live = self._streams.pop(name, None)
            if live is not None:
                await live.close("The stream was deleted.")
            self._engine.forget(name)
            await self._store.forget(name)

    async def close(self) -> None:
        """Close every stream."""
        async with self._changing:
            await asyncio.gather(
                *(live.close("The service is stopping.") for live in self._streams.values())
            )
            self._streams.clear()

    def _admit(self) -> None:
        if self.fed >= self._capacity:
            raise TooManyStreams(
                f"All {self._capacity} places for live streams are taken; try again when one ends."
            )

    async def _here(self, name: str) -> LiveStream | None:
        live = self._streams.get(name)
        if live is not None and live.broken:
            del self._streams[name]
            await live.close()
            return None
        return live

    async def _add(self, record: StreamRecord) -> LiveStream:
        await self._make_room()
        live = self._make(record)
        live.start()
        self._streams[record.name] = live
        return live

    async def _make_room(self) -> None:
        """Close the streams without a source that were made first, while there are too many."""
        idle = [live for live in self._streams.values() if not live.fed and not live.unfinished]
        for live in idle[: max(0, len(self._streams) + 1 - self._capacity - self._idle)]:
            del self._streams[live.name]
            await live.close()

    def _make(self, record: StreamRecord) -> LiveStream:
        return LiveStream(
            record,
            engine=self._engine,
            store=self._store,
            settings=self._settings,
            wall=self._wall,
            monotonic=self._monotonic,
            admit=self._admit,
        )


def _check(name: str) -> None:
    if NAME.fullmatch(name) is None:
        raise BadName("A stream's name is 1 to 64 letters, digits, _ and -.")
