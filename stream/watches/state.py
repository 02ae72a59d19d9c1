"""What running watches know, kept beside them: a restart neither tells twice nor forgets what is gone.

A state is written within seconds where something came, went, fired or ended, and where its stream has fallen
silent (another process may go on with it), and now and then while it only goes on: after a crash a watch has
lost some of how long something has lasted, and nothing else.
"""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol

from memory.errors import StoreFull, StoreUnavailable
from stream.frames.timeline import Clock
from stream.watches.condition import Condition
from stream.watches.records import Codec, Event, Sighting, Watch
from stream.watches.trigger import Trigger

_SAVE_EVERY = 2.0
_SILENT_FOR = 3
"""Rounds without a clip after which a stream counts as silent: clips come every few seconds."""
_GOING_ON_EVERY = 30.0
"""Seconds after which a state is written that only goes on."""

_LONGEST_SILENCE = 7 * 24 * 3600.0
"""Media seconds: of two states that lie further apart the later one is of before the stream began anew."""

Key = tuple[str, str]
"""A watch's id and a stream's name."""


@dataclass(frozen=True, slots=True)
class WatchState:
    """What one watch has seen of one stream.

    Attributes:
        watch: Its id.
        stream: Whose clips.
        condition: What the watch waits for: of another a state says nothing.
        trigger: Between two clips.
        newest: The newest clips.
        event: What goes on; None if nothing was told that still does.
    """

    watch: str
    stream: str
    condition: Condition
    trigger: Trigger
    newest: tuple[Sighting, ...]
    event: Event | None

    def is_of(self, watch: Watch) -> bool:
        """Say whether `watch` still waits for what this was seen of."""
        return (self.condition, self.trigger.rule) == (watch.condition, watch.rule)

    def is_like(self, other: "WatchState") -> bool:
        """Say whether both were seen while the watch waited for the same."""
        return (self.condition, self.trigger.rule) == (other.condition, other.trigger.rule)

    def is_before(self, other: "WatchState") -> bool:
        """Say whether `other` has seen more of the same time of the same stream."""
        mine, its = self.trigger.at, other.trigger.at
        if its is None:
            return False
        return mine is None or mine.media < its.media < mine.media + _LONGEST_SILENCE

    @property
    def turn(self) -> Hashable:
        """What is equal as long as nothing has come, gone, fired or ended."""
        presences = (*self.trigger.positive, *self.trigger.negative)
        there = tuple((p.there, p.ever) for p in presences)
        event = None if self.event is None else self.event.id
        return there, self.trigger.holds, self.trigger.firing is None, event

    @property
    def says_nothing(self) -> bool:
        """Whether a watch that has seen nothing would be the same."""
        trigger = self.trigger
        return not (
            trigger.negative
            or trigger.firing
            or any(p.ever or any(p.hits) for p in trigger.positive)
        )


states: Codec[WatchState] = Codec(WatchState)


class StateBook(Protocol):
    """Keeps states."""

    async def keep_state(self, state: WatchState, now: float) -> None:
        """Keep a state in the place of the one of its watch and stream."""
        ...

    async def drop_state(self, key: Key) -> None:
        """Forget a state; an unknown one is fine."""
        ...


class StateKeeper:
    """Writes the states that have changed.

    Args:
        book: Where to.
        states: Returns those of all running watches.
        wall: Unix seconds.
    """

    def __init__(
        self, book: StateBook, states: Callable[[], Mapping[Key, WatchState]], wall: Clock
    ) -> None:
        self._book = book
        self._states = states
        self._wall = wall
        self._kept: dict[Key, tuple[Trigger, Hashable, float]] = {}
        self._still: dict[Key, tuple[Trigger, int]] = {}

    def known(self, state: WatchState, at: float) -> None:
        """Take note that `state` is kept since the Unix second `at`."""
        self._kept[state.watch, state.stream] = (state.trigger, state.turn, at)

    async def run(self) -> None:
        """Write what changes, until cancelled."""
        while True:
            await asyncio.sleep(_SAVE_EVERY)
            try:
                await self.save()
            except (StoreUnavailable, StoreFull):
                continue  # what is not written is still different

    async def save(self, *, everything: bool = False) -> None:
        """Write what has come, gone, fired or ended; `everything` is also what only went on.

        Raises:
            StoreUnavailable: If the store cannot be reached.
            StoreFull: If there is no room.
        """
        now, running = self._wall(), self._states()
        self._still = {key: self._count_still(key, state) for key, state in running.items()}
        for key in [key for key in self._kept if key not in running]:
            await self._book.drop_state(key)
            del self._kept[key]
        for key, state in running.items():
            if self._is_due(key, state, now, everything=everything):
                await self._book.keep_state(state, now)
                self.known(state, now)

    async def save_one(self, key: Key) -> None:
        """Write what one watch has seen of one stream, now.

        Raises:
            StoreUnavailable: If the store cannot be reached.
            StoreFull: If there is no room.
        """
        if (state := self._states().get(key)) is not None:
            now = self._wall()
            await self._book.keep_state(state, now)
            self.known(state, now)

    def _is_due(self, key: Key, state: WatchState, now: float, *, everything: bool) -> bool:
        if key not in self._kept:
            return not state.says_nothing
        trigger, turn, at = self._kept[key]
        if trigger == state.trigger and turn == state.turn:
            return False
        silent = self._still[key][1] >= _SILENT_FOR
        return everything or silent or turn != state.turn or now - at >= _GOING_ON_EVERY

    def _count_still(self, key: Key, state: WatchState) -> tuple[Trigger, int]:
        """Return the newest trigger, and for how many rounds it has been that."""
        trigger, rounds = self._still.get(key, (state.trigger, 0))
        return state.trigger, rounds + 1 if trigger is state.trigger else 0
