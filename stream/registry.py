"""Every stream of the service by name: made on demand, bounded, shared by nobody by accident.

A stream takes up one of the `capacity` places only while something feeds it, so any end of a
source (closed, lost, crashed, replaced) frees the place by itself. Streams without a source stay
in reach as long as memory allows and come back from the store when they are asked for.
"""

from memory.store import ClipStore
from model.engine import Engine
from stream.live import Clock, LiveSettings, LiveStream
from stream.status import StreamStatus


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
        raise NotImplementedError

    async def open(self, name: str) -> LiveStream:
        """Return the stream called `name` to feed it, made if it is new.

        Raises:
            BadName: If `name` is not allowed.
            TooManyStreams: If it has no source and every place is taken.
            StoreUnavailable: If it is new here and the store cannot say when it began.
        """
        raise NotImplementedError

    async def find(self, name: str) -> LiveStream:
        """Return the stream called `name` to ask it or to look at it; never makes a new one.

        Raises:
            BadName: If `name` is not allowed.
            UnknownStream: If it is neither here nor in the store.
            StoreUnavailable: If it is not here and the store cannot be asked.
        """
        raise NotImplementedError

    async def list(self) -> list[StreamStatus]:
        """Return the status of every stream, here or only remembered, in order of name.

        While the store is away: those that are here.
        """
        raise NotImplementedError

    async def forget(self, name: str) -> None:
        """Close the stream and drop everything known of it; an unknown one is fine.

        Raises:
            BadName: If `name` is not allowed.
            StoreUnavailable: If the store cannot be reached; the stream is closed nevertheless.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Close every stream."""
        raise NotImplementedError
