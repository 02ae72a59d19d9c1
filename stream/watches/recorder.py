"""★ Makes the film of an event: what its stream showed shortly before it fired, and shortly after.

    fired --> what is kept of before --> some seconds later: the rest --> MP4 in a thread --> store

One film after another. While one is waited for, the pictures of the next stay in their reel; how many
wait is bounded, and an event beyond that has no film.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from memory.documents import DocumentStore, Entry
from memory.errors import StoreFull, StoreUnavailable
from memory.recordings import LARGEST_RECORDING, Recorded, RecordingStore
from stream.channels import Mailbox
from stream.errors import NoRoom
from stream.reel import Reel, Still
from stream.watches.film import mp4_of
from stream.watches.records import Event

log = logging.getLogger(__name__)

_BEFORE = 5.0
"""Seconds that a film shows before the condition began to hold, where they are kept."""
_AFTER = 5.0
_MOST_WAITING = 16
_MOST_CUT = 4
"""Clips that people ask for which are cut or wait for it."""
_KIND = "watch-film"
_MOST_FILMS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A film that is to be made.

    Attributes:
        event: What of.
        reel: Where its pictures are.
        since: Media second of its first picture.
        until: Of its last.
        before: Pictures that are there already.
        done: Set once it is made, or is not.
    """

    event: Event
    reel: Reel
    since: float
    until: float
    before: list[Still]
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Recorder:
    """Makes films of events, and keeps them.

    Args:
        documents: Know which films there are, of all streams.
        recordings: Keep the films.
        find: Returns the reel of a stream; None if it is not here.
        most_bytes: Of all films together; the oldest make room.
        timeout: Seconds in which what happens after an event must have come.
    """

    def __init__(
        self,
        documents: DocumentStore,
        recordings: RecordingStore,
        find: Callable[[str], Reel | None],
        *,
        most_bytes: int,
        timeout: float = 3 * _AFTER,
    ) -> None:
        self._documents = documents
        self._recordings = recordings
        self._find = find
        self._most_bytes = most_bytes
        self._timeout = timeout
        self._jobs = Mailbox[_Job](_MOST_WAITING)
        self._cutting = 0
        self._turn = asyncio.Lock()

    def begin(self, event: Event) -> bool:
        """Begin a film of `event`, which has just fired; say whether there will be one. Never waits."""
        reel = self._find(event.stream)
        if reel is None or not reel.seconds or self._jobs.full:
            return False
        until = event.fired + _AFTER
        since = max(event.start - _BEFORE, until - reel.seconds)
        before = reel.stills(since, until)
        if before:
            self._jobs.put(_Job(event, reel, since, until, before))
        return bool(before)

    def coming(self, event: str) -> Event | None:
        """Return the event of that id if its film is being made."""
        jobs = self._jobs.unfinished
        return next((job.event for job in jobs if job.event.id == event), None)

    async def film(self, event: Event) -> bytes | None:
        """Return the film of `event`, waited for if it is being made; None if there is none (any more).

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        for job in self._jobs.unfinished:
            if job.event.id == event.id:
                await job.done.wait()
        return await self._recordings.get(event.stream, event.id)

    async def kept(self, stream: str) -> frozenset[str]:
        """Return the ids of the events of `stream` that have a film, or will have one shortly.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        coming = {job.event.id for job in self._jobs.unfinished if job.event.stream == stream}
        return await self._recordings.keys(stream) | coming

    async def cut(self, stills: Sequence[Still]) -> bytes:
        """Make a clip that somebody asks for of `stills`, which is not kept.

        Raises:
            NoRoom: If too many are being cut.
        """
        if self._cutting >= _MOST_CUT:
            raise NoRoom(
                f"{_MOST_CUT} clips are being cut: try again in some seconds.",
                code="too_many_clips",
            )
        self._cutting += 1
        try:
            async with self._turn:  # one at a time: the processor belongs to the encoder of clips
                return await asyncio.to_thread(mp4_of, stills)
        finally:
            self._cutting -= 1

    async def run(self) -> None:
        """Make films, until cancelled."""
        async for job in self._jobs:
            try:
                await self._make(job)
            except (StoreUnavailable, StoreFull) as error:
                log.warning("the film of event %s is not kept: %s", job.event.id, error)
            except KeyError:
                log.debug("the film of event %s is not kept: its stream is deleted", job.event.id)
            finally:
                job.done.set()

    async def _make(self, job: _Job) -> None:
        """Make one film.

        Raises:
            KeyError: If its stream is deleted.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                await job.reel.reached(job.until)
        since = job.before[-1].time
        after = [s for s in job.reel.stills(since, job.until) if s.time > since]
        film = await asyncio.to_thread(mp4_of, [*job.before, *after])
        if len(film) > LARGEST_RECORDING:
            log.warning("the film of event %s is too large: %d bytes", job.event.id, len(film))
            return
        about = Recorded(job.event.id, job.before[0].time, (after or job.before)[-1].time)
        await self._keep(job, about, film)

    async def _keep(self, job: _Job, about: Recorded, film: bytes) -> None:
        """Keep a film, unless what it shows was to be forgotten meanwhile.

        Raises:
            KeyError: If its stream is deleted.
        """
        event = job.event
        if job.reel.has_forgotten(about.start, about.end):
            return
        await self._recordings.put(event.stream, about, film)
        if job.reel.has_forgotten(about.start, about.end):  # since it was handed over
            await self._recordings.remove(event.stream, event.id)
            return
        document = {"stream": event.stream, "bytes": len(film)}
        await self._documents.put(_KIND, Entry(event.id, event.at, document), _MOST_FILMS)
        await self._make_room()

    async def _make_room(self) -> None:
        """Drop the oldest films beyond the bound."""
        total = 0
        for entry in await self._documents.newest(_KIND, _MOST_FILMS):
            total += int(entry.document["bytes"])
            if total > self._most_bytes:
                await self._recordings.remove(str(entry.document["stream"]), entry.key)
                await self._documents.remove(_KIND, entry.key)
