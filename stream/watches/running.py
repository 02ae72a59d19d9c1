"""The watches that run: each clip is held against all that cover its stream. No storage, no clock.

clip --> things --> for each watch: matchers --> trigger --> Event (fired), Event (ended)
"""

import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from model.vision.things import Thing
from model.vision.vocabulary import WordTable
from stream.watches.matcher import ClauseScores, Matchers, compile_condition
from stream.watches.records import Event, Sighting, Watch
from stream.watches.state import Key, WatchState
from stream.watches.trigger import OF_CLIPS, Firing, Trigger

_BEGUN_ANEW = 60.0
"""Seconds that a clip lies before the newest, from which on its stream must have begun anew."""
_DOUBT = "It is hard to see here: {share:.0%} of the clips showed it while it was there. It may be there still."


@dataclass(slots=True)
class _State:
    """One watch on one stream."""

    trigger: Trigger
    newest: deque[Sighting] = field(default_factory=lambda: deque(maxlen=OF_CLIPS))
    event: Event | None = None


class RunningWatches:
    """Watches with what they have seen so far.

    Args:
        table: The words of the model.
    """

    def __init__(self, table: WordTable) -> None:
        self._table = table
        self._watches: dict[str, tuple[Watch, Matchers]] = {}
        self._states: dict[tuple[str, str], _State] = {}

    def set(self, watch: Watch) -> None:
        """Begin with `watch`, or go on with what became of it.

        What it has seen so far counts on, unless it waits for something else now.
        """
        before = self._watches.get(watch.id)
        if before is not None and (before[0].condition, before[0].rule) != (
            watch.condition,
            watch.rule,
        ):
            self.drop(watch.id)
        self._watches[watch.id] = (watch, compile_condition(watch.condition, self._table))

    def drop(self, watch: str) -> None:
        """End a watch; an unknown one is fine."""
        self._watches.pop(watch, None)
        self._states = {key: state for key, state in self._states.items() if key[0] != watch}

    def forget(self, stream: str) -> None:
        """Forget what was seen of `stream`: if it begins anew, so does its time."""
        self._states = {key: state for key, state in self._states.items() if key[1] != stream}

    def amend(self, event: Event) -> None:
        """Have what goes on be known as `event` until it is over."""
        state = self._states.get((event.watch, event.stream))
        if state is not None and state.event is not None and state.event.id == event.id:
            state.event = event

    def states(self) -> dict[Key, WatchState]:
        """Return what every watch has seen so far, by watch and stream."""
        found = {key: self._state_of(key) for key in self._states}
        return {key: state for key, state in found.items() if state is not None}

    def _state_of(self, key: Key) -> WatchState | None:
        state = self._states.get(key)
        if state is None:
            return None
        condition = self._watches[key[0]][0].condition
        return WatchState(*key, condition, state.trigger, tuple(state.newest), state.event)

    def restore(self, state: WatchState) -> bool:
        """Go on from `state`, if it is of a watch that waits for the same still and has seen more; say so."""
        if state.watch not in self._watches or not state.is_of(self._watches[state.watch][0]):
            return False
        here = self._state_of((state.watch, state.stream))
        if here is not None and not here.is_before(state):
            return False
        newest = deque(state.newest, maxlen=OF_CLIPS)
        self._states[state.watch, state.stream] = _State(state.trigger, newest, state.event)
        return True

    def take(
        self, stream: str, things: Sequence[Thing], start: float, end: float, unix: float
    ) -> list[Event]:
        """Hold a clip against every watch; return what fired, and what has ended.

        Args:
            stream: Whose clip.
            things: What it shows.
            start: Its begin, in media seconds.
            end: Its end.
            unix: Unix seconds now.
        """
        found = (
            self._take(watch, matchers(things), stream, start, end, unix)
            for watch, matchers in self._watches.values()
            if watch.covers(stream)
        )
        return [event for event in found if event is not None]

    def _take(
        self, watch: Watch, seen: ClauseScores, stream: str, start: float, end: float, unix: float
    ) -> Event | None:
        state = self._states.get((watch.id, stream))
        if state is None or _is_of_before(state.trigger, end):
            trigger = Trigger.new(watch.rule, len(seen.positive), len(seen.negative))
            state = self._states[watch.id, stream] = _State(trigger)
        state.trigger, outcome = state.trigger.take(seen, start, end)
        state.newest.append(Sighting(start, end, round(seen.score, 3)))
        firing = state.trigger.firing
        if firing is None or outcome in {"nothing", "going on"}:
            return None
        if outcome == "fired":
            # It goes on seeing while it may not tell: what began meanwhile is told to nobody.
            state.event = _fired(watch, stream, state, firing, unix) if watch.is_on(unix) else None
            return state.event
        event, state.event = state.event, None
        return None if event is None else _over(event, firing)


def _is_of_before(trigger: Trigger, end: float) -> bool:
    """Say whether a clip that ends at `end` is of a stream that began anew since."""
    return trigger.at is not None and end < trigger.at.media - _BEGUN_ANEW


def _fired(watch: Watch, stream: str, state: _State, firing: Firing, unix: float) -> Event:
    doubt = state.trigger.doubt
    return Event(
        id=f"event_{round(unix * 1000):013d}_{secrets.token_hex(4)}",
        watch=watch.id,
        question=watch.question,
        stream=stream,
        at=unix,
        start=firing.start,
        fired=firing.fired,
        end=firing.end,
        open=True,
        peak=max(round(firing.peak, 3), *(sighting.score for sighting in state.newest)),
        why="" if doubt is None else _DOUBT.format(share=doubt),
        evidence=tuple(state.newest),
    )


def _over(event: Event, firing: Firing) -> Event:
    return replace(event, end=firing.end, open=False, peak=max(event.peak, round(firing.peak, 3)))
