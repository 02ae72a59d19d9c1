"""★ Watches at work: every clip that is encoded is held against them, and what fires is told.

    seen(stream, clip) --> mailbox --> things --> RunningWatches --> mailbox --> verify, keep, tell

Nothing here holds up the encoder: both mailboxes are bounded, the newest win, losses are counted. Two
tasks, because a slow answer or store must not keep the next clip from being looked at.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from memory.errors import StoreFull, StoreUnavailable
from model.engine.contract import Engine
from model.types import ClipTokens
from model.vision.vocabulary import word_table
from stream.channels import Broadcast, Mailbox, Subscription
from stream.errors import BadInput
from stream.frames.timeline import Clock
from stream.watches.book import WatchBook
from stream.watches.records import Counters, Event, Verdict, Watch
from stream.watches.running import RunningWatches
from stream.watches.state import StateKeeper, WatchState
from stream.watches.telling import Deliverer, Teller, Verifier
from stream.watches.trigger import LONGEST_PAUSE
from stream.watches.words.lexicon import Lexicon

log = logging.getLogger(__name__)

_CLIPS_WAITING = 256
_EVENTS_WAITING = 64
_ALERTS_WAITING = 64
_RETRY_SECONDS = 2.0
TOLD_WITHIN = 90.0
"""Seconds after which an event is told, verified or not."""
_FOLLOW_SECONDS = 5.0
"""How soon a watch that another process changed is known here."""


class Watcher:
    """All watches of the service.

    Attributes:
        lexicon: Finds the model's words in requests.
        book: What is kept.
        engine: Says what clips show.
    """

    def __init__(
        self,
        engine: Engine,
        book: WatchBook,
        *,
        wall: Clock,
        verify: Verifier,
        deliver: Deliverer | None = None,
        begin_film: Callable[[Event], bool] = lambda _: False,
    ) -> None:
        """Take what watching needs.

        Args:
            engine: Says what clips show.
            book: Keeps watches and events.
            wall: Unix seconds.
            verify: Asks the model about an event.
            deliver: Takes what is to be sent to other machines.
            begin_film: Begins a film of what fired, and says whether there will be one; never waits.
        """
        self.book = book
        self.lexicon = Lexicon(word_table())
        self.engine = engine
        self._wall = wall
        self._begin_film = begin_film
        self._running = RunningWatches(word_table())
        self._watches: dict[str, Watch] = {}
        self._clips = Mailbox[tuple[str, ClipTokens]](_CLIPS_WAITING)
        self._events = Mailbox[Event](_EVENTS_WAITING)
        self._alerts = Broadcast[Event](_ALERTS_WAITING)
        self._teller = Teller(book, verify, self._alerts.publish, deliver or _to_nobody)
        self.changing = asyncio.Lock()  # held from reading a watch until its change is kept
        self._loaded = asyncio.Event()
        self._changes = 0
        self._heard: dict[str, float] = {}
        self._inherited: dict[str, Event] = {}
        self._news = Broadcast[None](1)
        self._keeper = StateKeeper(book, self._running.states, wall)

    @property
    def lost(self) -> int:
        """Clips that were not looked at, and events that were not told, for want of time."""
        return self._clips.lost + self._events.lost

    @property
    def watches(self) -> Mapping[str, Watch]:
        """The watches by id, the oldest first."""
        return self._watches

    @property
    def verdicts(self) -> Mapping[Verdict, int]:
        """Events that fired since the start, by what the model said of them."""
        return self._teller.verdicts

    def counters(self, watch: str) -> Counters:
        """Return what has become of a watch."""
        return self._teller.counters.get(watch, Counters())

    def delivered(self, watch: str, trouble: str | None) -> None:
        """Count a webhook of a watch that was taken, or that was given up because of `trouble`."""
        if watch in self._watches:
            self._teller.count_delivery(watch, trouble)

    def alerts(self) -> Subscription[Event]:
        """Return news from now on: what fires, and once more when it is over."""
        return self._alerts.subscribe()

    def changes(self) -> Subscription[None]:
        """Return news from now on: some watch was made, changed or removed."""
        return self._news.subscribe()

    def going_on(self) -> list[Event]:
        """Return the events that are not over."""
        states = self._running.states().values()
        return [state.event for state in states if state.event is not None]

    def hard_to_see(self, watch: str) -> Mapping[str, float]:
        """Return in which share of the clips a watch's thing is seen, by the streams where that is few."""
        found = (
            (s.stream, s.trigger.hard) for s in self._running.states().values() if s.watch == watch
        )
        return {stream: share for stream, share in found if share is not None}

    def seen(self, stream: str, clip: ClipTokens) -> None:
        """Take a clip of `stream` that was just encoded. Never waits."""
        if self._watches or not self._loaded.is_set():  # they may be about to be known
            self._clips.put((stream, clip))

    def covers(self, stream: str) -> bool:
        """Say whether `stream` is watched for anything, now or when it goes on."""
        return any(watch.covers(stream) for watch in self._watches.values())

    def forget(self, stream: str) -> None:
        """Forget what watches have seen of `stream`: if it begins anew, so does its time."""
        self._running.forget(stream)
        self._heard.pop(stream, None)

    def find(self, watch: str) -> Watch:
        """Return the watch of that id.

        Raises:
            BadInput: If there is none.
        """
        try:
            return self._watches[watch]
        except KeyError:
            raise BadInput(f"There is no watch {watch[:64]}.", code="unknown_watch") from None

    async def save(self, watch: Watch) -> None:
        """Keep a new or changed watch, and watch by it from now on.

        Raises:
            BadInput: If the model that runs has no words.
            NoRoom: If it is new and there are too many.
            StoreUnavailable: If it cannot be kept.
            StoreFull: If there is no room.
        """
        await self.check()
        await self.book.save(watch)
        self._set(watch)

    async def check(self) -> None:
        """Make sure that clips can be matched, and that the watches kept are known here.

        Raises:
            BadInput: If the model that runs has no words.
        """
        await self.loaded()
        if (trouble := await self.trouble()) is not None:
            raise BadInput(trouble, code="no_vocabulary")

    async def loaded(self) -> None:
        """Wait until the watches that are kept are known here."""
        await self._loaded.wait()

    async def trouble(self) -> str | None:
        """Return why no clip can be matched; None if they can."""
        if await self.engine.things([]) is not None:
            return None
        return (
            f"The model {self.engine.name} has no words of its own, so clips cannot be matched "
            "without asking it: watches need lite (FLASHBACK_MODEL=lite)."
        )

    async def remove(self, watch: str) -> None:
        """End a watch and forget it.

        Raises:
            BadInput: If there is none.
            StoreUnavailable: If the store cannot be reached.
        """
        self.find(watch)
        await self.book.remove(watch)
        self._drop(watch)

    @asynccontextmanager
    async def at_work(self, *beside: Coroutine[None, None, None]) -> AsyncIterator[None]:
        """Watch, and do what is done `beside` that, until the block is left."""
        works = (self._match(), self._tell(), self._follow(), self._keeper.run(), *beside)
        tasks = [asyncio.create_task(work) for work in works]
        for task in tasks:
            task.add_done_callback(_say_why)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._loaded.is_set():
                with contextlib.suppress(StoreUnavailable, StoreFull):
                    await self._keeper.save(everything=True)
            self._alerts.close()
            self._news.close()

    async def settle(self) -> None:
        """Wait until every clip given so far is matched, and what fired is told."""
        await self._loaded.wait()
        await self._clips.join()
        await self._events.join()

    async def _match(self) -> None:
        """Clip -> things -> watches -> what fired."""
        await self._load()
        async for stream, clip in self._clips:
            shown = await self.engine.things([clip])
            if shown is None:
                continue
            await self._take_over(stream)
            now = self._wall()
            for event in self._running.take(stream, shown[0], clip.start, clip.end, now):
                self._events.put(self._with_film(event))

    async def _take_over(self, stream: str) -> None:
        """Go on from what another process has seen of a stream that comes here now, or again."""
        now = self._wall()
        silent = now - self._heard.get(stream, -math.inf) > LONGEST_PAUSE
        if silent:
            watched = [watch.id for watch in self._watches.values() if watch.covers(stream)]
            try:
                kept = await self.book.states_of(stream, watched)
            except StoreUnavailable:
                return  # asked again with the next clip
            for state in kept:
                self._restore(state, now)
        self._heard[stream] = now

    def _restore(self, state: WatchState, now: float) -> None:
        """Go on from what was seen by a process that ended, or that has the stream no more."""
        if not self._running.restore(state):
            return
        self._keeper.known(state, now)
        if state.event is not None:
            self._inherited[state.event.id] = state.event

    async def tell_inherited(self) -> None:
        """Tell what fired in a process that ended before it told so.

        Another process that is still about has told its own, or has them verified, within a while.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        due = self._wall() - TOLD_WITHIN
        for event in [event for event in self._inherited.values() if event.at <= due]:
            if await self.book.event(event.id) is None:
                self._events.put(event)
            self._inherited.pop(event.id, None)

    def _with_film(self, event: Event) -> Event:
        """Begin a film of an event that has just fired."""
        filmed = replace(event, film=True)
        if not event.open or not self._begin_film(filmed):
            return event
        self._running.amend(filmed)
        return filmed

    async def _tell(self) -> None:
        """What fired -> verified, kept, told."""
        async for event in self._events:
            if (watch := self._watches.get(event.watch)) is None:
                continue
            if event.open:
                # First: whoever goes on after a crash must know that this has fired already.
                with contextlib.suppress(StoreUnavailable, StoreFull):
                    await self._keeper.save_one((event.watch, event.stream))
            await self._teller.tell(watch, event)

    async def _load(self) -> None:
        """Take up the watches that are kept, once the store gives them."""
        while True:
            with contextlib.suppress(StoreUnavailable):
                for watch in await self.book.watches():
                    self._set(watch)
                self._teller.take_over(await self.book.counters())
                for state in await self.book.states():
                    self._restore(state, self._wall())
                self._loaded.set()
                return
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        """Learn of watches that other processes make, change and delete, until cancelled."""
        await self._loaded.wait()
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            with contextlib.suppress(StoreUnavailable):
                await self.refresh()
                await self.tell_inherited()

    async def refresh(self) -> None:
        """Take over the watches as they are kept now.

        Raises:
            StoreUnavailable: If the store cannot be reached.
        """
        changes = self._changes
        kept = {watch.id: watch for watch in await self.book.watches()}
        counted = await self.book.counters()
        if changes != self._changes:
            return  # one was made or deleted here meanwhile: what was read may be of before
        self._teller.take_over({key: one for key, one in counted.items() if key in kept})
        for gone in self._watches.keys() - kept.keys():
            self._drop(gone)
        for watch in kept.values():
            if self._watches.get(watch.id) != watch:
                self._set(watch)

    def _set(self, watch: Watch) -> None:
        self._changes += 1
        self._watches[watch.id] = watch
        self._running.set(watch)
        self._news.publish(None)

    def _drop(self, watch: str) -> None:
        self._changes += 1
        self._watches.pop(watch, None)
        self._running.drop(watch)
        self._teller.drop(watch)
        self._news.publish(None)


async def _to_nobody(_watch: Watch, _event: Event) -> None:
    """Deliver nothing."""


def _say_why(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("watches stopped", exc_info=error)
