"""Writes encoded clips to the store, and keeps them while it is away.

Encoding must not wait for a store in trouble, and what was encoded should outlive a short
outage: clips wait in a bounded backlog, the newest win, and every loss is counted by cause.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from memory.store import ClipStore, StoreFull, StoreUnavailable, StreamRecord
from model.types import ClipTokens

log = logging.getLogger(__name__)

AWAY = "What is seen is kept here for a while, and written once memory takes it."


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """An encoded clip with its JPEG thumbnail."""

    tokens: ClipTokens
    thumbnail: bytes


class ClipWriter:
    """Appends the clips of one stream to the store, in order.

    Attributes:
        lost_unwritten: Clips that made room for newer ones while the store was away.
        lost_full: Clips the store had no room for.
        refused: Clips that are nothing the store could keep: the network made no numbers of them.
        trouble: None while the store takes what is seen; else the sentence that says why not.
    """

    def __init__(
        self,
        record: StreamRecord,
        store: ClipStore,
        *,
        capacity: int,
        retry_after: float,
        on_begun: Callable[[StreamRecord], None],
        on_written: Callable[[ClipTokens], None],
        on_trouble: Callable[[], None],
    ) -> None:
        """Take what is needed to write.

        Args:
            record: The stream's record; begun anew if the store comes back without it.
            store: Remembers.
            capacity: Clips that may wait.
            retry_after: Seconds between two attempts while the store is away.
            on_begun: Is told what the store holds after it was away or had lost the stream.
            on_written: Is told of every clip that is safe.
            on_trouble: Is told when `trouble` changes.
        """
        self.lost_unwritten = 0
        self.lost_full = 0
        self.refused = 0
        self.trouble: str | None = None
        self._record = record
        self._store = store
        self._waiting: deque[Entry] = deque()
        self._capacity = capacity
        self._retry_after = retry_after
        self._on_begun = on_begun
        self._on_written = on_written
        self._on_trouble = on_trouble
        self._writing = self._pausing = False
        self._changed = asyncio.Event()
        self._quiet = asyncio.Event()
        self._tried = asyncio.Event()
        self._end_waiting()
        self._closed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + self._writing

    def put(self, entry: Entry) -> None:
        """Add a clip to what waits, losing the oldest if there is no room. Never waits."""
        if len(self._waiting) == self._capacity:
            self._waiting.popleft()
            self.lost_unwritten += 1
        self._waiting.append(entry)
        self._quiet.clear()
        if not self._pausing:
            self._tried.clear()
        self._changed.set()

    async def settled(self) -> None:
        """Wait until nothing waits."""
        await self._quiet.wait()

    async def tried(self) -> None:
        """Wait until nothing waits, or only for a store that is away."""
        await self._tried.wait()

    def close(self) -> None:
        """Let `run` write what it can, once, and end."""
        self._closed.set()
        self._changed.set()

    def abandon(self) -> None:
        """Lose what waits, and wake whoever waits for `settled`: `run` will not go on."""
        self.close()
        self._give_up()
        self._end_waiting()

    async def run(self) -> None:
        """Write until closed."""
        while True:
            while not self._waiting:
                self._end_waiting()
                if self._closed.is_set():
                    return
                self._changed.clear()
                await self._changed.wait()
            entry = self._waiting.popleft()
            self._writing = True
            written = False
            try:
                written = await self._write(entry)
            finally:
                self._writing = False
                if not written:
                    self._put_back(entry)
            if not written:
                if self._closed.is_set():
                    self._give_up()
                else:
                    await self._pause()

    async def _write(self, entry: Entry) -> bool:
        """Return whether `entry` is done with: remembered, or refused for good."""
        try:
            await self._append(entry)
        except StoreUnavailable as error:
            self._tell(f"{AWAY} {error}")
            return False
        except ValueError as error:
            self.refused += 1
            log.error("a clip of stream %s cannot be kept: %s", self._record.name, error)  # noqa: TRY400
            self._tell(f"What was seen last cannot be kept, and is lost: {error}.")
            return True
        except StoreFull as error:
            self.lost_full += 1
            self._tell(f"Memory is full; new clips are lost. {error}")
            return True
        self._tell(None)
        self._on_written(entry.tokens)
        return True

    async def _append(self, entry: Entry) -> None:
        """Hand `entry` to the store, which may have come back without the stream.

        Raises:
            StoreUnavailable: If it cannot be reached, or loses the stream again and again.
        """
        name = self._record.name
        if self.trouble is not None:
            await self._begin()
        try:
            await self._store.append(name, entry.tokens, entry.thumbnail)
        except KeyError:
            # Another process forgot it, or the store came back empty. Its source still sends: what
            # is seen from now on is remembered, under the same media times.
            log.warning("stream %s: memory has lost it; it is begun again", name)
            await self._begin()
            try:
                await self._store.append(name, entry.tokens, entry.thumbnail)
            except KeyError:
                raise StoreUnavailable(f"{name} is forgotten again and again") from None

    async def _begin(self) -> None:
        self._on_begun(await self._store.begin(self._record.name, self._record.began))

    def _end_waiting(self) -> None:
        self._quiet.set()
        self._tried.set()

    def _put_back(self, entry: Entry) -> None:
        if len(self._waiting) < self._capacity:
            self._waiting.appendleft(entry)
        else:
            self.lost_unwritten += 1

    def _give_up(self) -> None:
        if not self._waiting:
            return
        self.lost_unwritten += len(self._waiting)
        log.warning("stream %s: %d clips could not be written", self._record.name, len(self))
        self._waiting.clear()

    async def _pause(self) -> None:
        self._pausing = True
        self._tried.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._retry_after):
                await self._closed.wait()
        self._pausing = False
        self._tried.clear()

    def _tell(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._on_trouble()
